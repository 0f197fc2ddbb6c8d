/* SPDX-License-Identifier: MIT */
/* help: prints the help that the tables contain. */

#include <stdio.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "cmd/table.h"

static int
help_run(struct context *ctx, struct diag *dg)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct cmd *cmd;

	if (ctx->argc > 1)
		return diag_set(dg, DIAG_USAGE,
		    "help takes one command; unexpected \"%s\"", ctx->argv[1]);
	if (ctx->argc == 0) {
		table_help(&out);
	} else {
		if (table_find(ctx->argv[0], &cmd, dg) != 0)
			return -1;
		table_help_command(cmd, &out);
	}
	(void)fputs(out.buf, stdout);
	return 0;
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.summary = "list the commands, or print the help of one",
	.run = help_run,
};
