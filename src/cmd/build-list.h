/* SPDX-License-Identifier: MIT */
/* build-list: prints the recorded images and their users. */
#ifndef DRYDOCK_BUILD_LIST_H
#define DRYDOCK_BUILD_LIST_H

#include <stdbool.h>

struct context;
struct diag;

/* Prints "drydock build --list" to stdout, as text or as JSON. */
int build_list(struct context *ctx, bool json, struct diag *dg);

#endif /* DRYDOCK_BUILD_LIST_H */
