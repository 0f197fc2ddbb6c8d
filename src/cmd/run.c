/* SPDX-License-Identifier: MIT */
/* run: the agent on a project. */
#include <stddef.h>

#include "base/diag.h"
#include "cmd/cmd.h"
#include "session/launch.h"

struct run_options {
	const char *mode;
};

static const struct optdef run_optdefs[] = {
	{ "mode", 'm', OPT_STRING, offsetof(struct run_options, mode), "MODE",
	    "contained (no network but a proxy) or dood (root on the host)" },
	{ .name = NULL },
};

static int
run_run(struct context *ctx, const void *options, int argc, char **argv,
    int dashdash, struct diag *dg)
{
	const struct run_options *o = options;
	struct launch_request request = {
		.kind = LAUNCH_RUN,
		.dir = dashdash > 0 ? argv[0] : NULL,
		.mode = o->mode,
		.args = argv + dashdash,
		.nargs = argc - dashdash,
	};

	if (dashdash > 1)
		return diag_set(dg, DIAG_USAGE,
		    "run takes one directory; the agent's arguments follow --");
	return launch_session(&request, ctx->paths, ctx->settings,
	    ctx->environ_, &ctx->status, dg);
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
	.options = run_optdefs,
	.options_size = sizeof(struct run_options),
	.run = run_run,
};
