/* SPDX-License-Identifier: MIT */
/* attach: connects the terminal to a session. */
#include <errno.h>

#include "base/diag.h"
#include "cmd/sessions.h"
#include "session/join.h"

static int
attach_run(struct context *ctx, struct diag *dg)
{
	const struct join_spec spec = { ctx->paths, ctx->settings,
		ctx->environ_, ctx->engine };
	char id[SESSION_ID_SIZE];

	if (ctx->argc > 1)
		return diag_set(dg, DIAG_USAGE, "attach takes one session");
	if (sessions_choose(ctx, ctx->argv[0], SESSIONS_OF_ANY, id, dg) != 0)
		return dg->errnum == ENOENT && ctx->argc > 0
		    ? sessions_show_ended(ctx, ctx->argv[0], &ctx->status, dg)
		    : -1;
	if (join_session(&spec, id, &ctx->status, dg) == 0)
		return 0;
	/* The session may have ended before the connection. */
	return dg->class == DIAG_NO
	    ? sessions_show_ended(ctx, id, &ctx->status, dg)
	    : -1;
}

const struct cmd cmd_attach = {
	.name = "attach",
	.args = "[SESSION|DIR]",
	.summary = "show a session that runs, or start a stopped one again",
	.description =
	    "Shows SESSION (an id or the start of one), or DIR's only session, "
	    "on this terminal, beside others that show it. The default is this "
	    "project's only session; in your home, which is no project, the "
	    "only one of all projects. "
	    "One that was stopped with its engine is started again, as a new "
	    "process of the agent in the same home. For an ended session that "
	    "is named by its id, attach prints the last screen and the "
	    "outcome. The status is the agent's own.",
	.needs = CMD_NEED_SETTINGS,
	.run = attach_run,
};
