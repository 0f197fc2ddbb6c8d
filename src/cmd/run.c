/* SPDX-License-Identifier: MIT */
/* run: the agent on a project. */
#include "cmd/launching.h"

static int
run_run(struct context *ctx, const void *options, int argc, char **argv,
    int dashdash, struct diag *dg)
{
	return launching_run(
	    ctx, LAUNCH_RUN, options, argc, argv, dashdash, dg);
}

const struct cmd cmd_run = {
	.name = "run",
	.args = "[DIR] [-- ARGS...]",
	.summary = "start the agent on a project",
	.description =
	    "Opens a session on DIR (default: the working directory) and runs "
	    "the agent in it, with ARGS after its own. Leaving the terminal "
	    "leaves the session running; without a terminal the session ends "
	    "with its client. The status is the agent's own.",
	.needs = CMD_NEED_SETTINGS,
	.options = launching_optdefs,
	.options_size = sizeof(struct launching_options),
	.run = run_run,
};
