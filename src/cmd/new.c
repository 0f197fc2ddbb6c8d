/* SPDX-License-Identifier: MIT */
/* new: starts another session of a project without asking. */
#include "cmd/launching.h"

static int
new_run(struct context *ctx, struct diag *dg)
{
	return launching_run(ctx, LAUNCH_RUN, dg);
}

const struct cmd cmd_new = {
	.name = "new",
	.args = "[DIR] [-- ARGS...]",
	.summary = "start the agent in another session of a project",
	.description =
	    "Does what run does, but does not ask about the project's existing "
	    "sessions.",
	.needs = CMD_NEED_SETTINGS,
	.options = launching_optdefs,
	.options_size = sizeof(struct launching_options),
	.run = new_run,
};
