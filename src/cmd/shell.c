/* SPDX-License-Identifier: MIT */
/* shell: bash, or a command, in a session of its own. */
#include <stddef.h>

#include "base/diag.h"
#include "cmd/cmd.h"
#include "session/launch.h"

struct shell_options {
	const char *mode;
};

static const struct optdef shell_optdefs[] = {
	{ "mode", 'm', OPT_STRING, offsetof(struct shell_options, mode), "MODE",
	    "contained (no network but a proxy) or dood (root on the host)" },
	{ .name = NULL },
};

static int
run_shell(struct context *ctx, const void *options, int argc, char **argv,
    int dashdash, struct diag *dg)
{
	const struct shell_options *o = options;
	struct launch_request request = {
		.kind = LAUNCH_SHELL,
		.dir = dashdash > 0 ? argv[0] : NULL,
		.mode = o->mode,
		.args = argv + dashdash,
		.nargs = argc - dashdash,
	};

	if (dashdash > 1)
		return diag_set(dg, DIAG_USAGE,
		    "shell takes one directory; a command follows --");
	return launch_session(&request, ctx->paths, ctx->settings,
	    ctx->environ_, &ctx->status, dg);
}

const struct cmd cmd_shell = {
	.name = "shell",
	.args = "[DIR] [-- CMD...]",
	.summary = "open a shell, or run a command, in a session",
	.description =
	    "Opens a session on DIR (default: the working directory) and runs "
	    "bash, or CMD exactly as it is given, in it. The session ends with "
	    "the command, and the status is the command's own. Without a "
	    "terminal, stdin, stdout and stderr are passed as they are.",
	.needs = CMD_NEED_SETTINGS,
	.options = shell_optdefs,
	.options_size = sizeof(struct shell_options),
	.run = run_shell,
};
