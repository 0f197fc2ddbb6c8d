/* SPDX-License-Identifier: MIT */
/* exec: runs another command in a session. */
#include "base/diag.h"
#include "cmd/sessions.h"
#include "session/join.h"

/*
 * The holder does not answer: the failure reports the session's state from the
 * engine instead.
 */
static int
explain(struct context *ctx, const char *id, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	cleanup_diag struct diag why = DIAG_INIT;
	const struct container *agent;

	if (sessions_look(ctx, id, &session, &look, &agent, &why) == 0) {
		if (agent->state == CONTAINER_RUNNING)
			return -1;
		(void)session_refuse(&look.facts, look.state, &why);
	}
	diag_clear(dg);
	return diag_move(dg, &why);
}

static int
exec_run(struct context *ctx, struct diag *dg)
{
	const struct join_spec spec = { ctx->paths, ctx->settings,
		ctx->environ_, ctx->engine };
	char id[SESSION_ID_SIZE];

	if (ctx->dashdash > 1 || ctx->argc <= ctx->dashdash)
		return diag_set(
		    dg, DIAG_USAGE, "exec takes [SESSION] -- COMMAND...");
	if (sessions_choose(ctx, ctx->dashdash > 0 ? ctx->argv[0] : NULL,
		SESSIONS_OF_ANY, id, dg) != 0)
		return -1;
	if (join_exec(&spec, id, (const char *const *)ctx->argv + ctx->dashdash,
		&ctx->status, dg) == 0)
		return 0;
	return dg->class == DIAG_NO ? explain(ctx, id, dg) : -1;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.args = "[SESSION|DIR] -- CMD...",
	.summary = "run one more command in a session",
	.description =
	    "Runs CMD in SESSION's container, in the project's directory, as "
	    "the same user, with the agent's environment and without its "
	    "secrets. It ends with drydock, which passes signals on to it. The "
	    "status is the command's own, 127 when there is no such command "
	    "and 126 when it cannot be executed.",
	.needs = CMD_NEED_SETTINGS,
	.run = exec_run,
};
