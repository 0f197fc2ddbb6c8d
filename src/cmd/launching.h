/* SPDX-License-Identifier: MIT */
/*
 * launching: what run, new and shell share: operands to a launch.
 */
#ifndef DRYDOCK_LAUNCHING_H
#define DRYDOCK_LAUNCHING_H

#include "cmd/cmd.h"
#include "session/launch.h"

struct diag;

struct launching_options {
	const char *mode;
	bool contained_history;
	bool no_banner;
};

extern const struct optdef launching_optdefs[];

/* argv and dashdash as a command's run() gets them. */
int launching_run(struct context *ctx, enum launch_kind kind,
    const struct launching_options *options, int argc, char **argv,
    int dashdash, struct diag *dg);

#endif /* DRYDOCK_LAUNCHING_H */
