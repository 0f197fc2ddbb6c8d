/* SPDX-License-Identifier: MIT */
/* ended: how attach, logs and list show ended sessions. */
#ifndef DRYDOCK_ENDED_H
#define DRYDOCK_ENDED_H

#include <stdbool.h>

#include "cmd/cmd.h"

struct diag;
struct outcome;
struct outcomes;

/*
 * Finds the ended session whose id equals or starts with word, after
 * sessions_choose() failed with errnum ENOENT.  Returns NULL if there is none,
 * or, after a warning, if ended/ cannot be read.  The outcome is borrowed from
 * *ret_all, which must be empty.
 */
const struct outcome *ended_find(
    struct context *ctx, const char *word, struct outcomes *ret_all);

/*
 * Shows that session: the last screen on stdout, escaped, and the outcome on
 * stderr.  *ret_status is the command's exit status, or 1 if that is not known.
 * Returns false and prints no session when there is none.
 */
bool ended_show(struct context *ctx, const char *word, int *ret_status);

/*
 * Prints one row per outcome.  Unless all, only the latest outcome of each
 * project is printed, and none of a session that ended with its client.
 */
void ended_print(const struct outcomes *outcomes, bool all);

/* Returns true if list shows the i-th outcome. */
bool ended_is_shown(const struct outcomes *outcomes, size_t i, bool all);

#endif /* DRYDOCK_ENDED_H */
