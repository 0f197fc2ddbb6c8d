/* SPDX-License-Identifier: MIT */
/* launching: the launch that run, new and shell share. */
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

int launching_run(struct context *ctx, enum launch_kind kind, struct diag *dg);

#endif /* DRYDOCK_LAUNCHING_H */
