/* SPDX-License-Identifier: MIT */
/* shell: runs bash, or a command, in a new session. */
#include "cmd/launching.h"

static int
shell_run(struct context *ctx, struct diag *dg)
{
	return launching_run(ctx, LAUNCH_SHELL, dg);
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
	.options = launching_optdefs,
	.options_size = sizeof(struct launching_options),
	.run = shell_run,
};
