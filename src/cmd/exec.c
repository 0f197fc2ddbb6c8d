/* SPDX-License-Identifier: MIT */
/* exec: one more command in a session, by the engine's own client. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "cmd/sessions.h"
#include "session/hosted.h"
#include "session/moved.h"
#include "session/resume.h"

/*
 * Nothing is to be done afterwards: the engine's client takes our place.  Not
 * where it would write to a terminal: see hosted.h.
 */
static int
become(const struct engine *engine, const struct strvec *argv, struct diag *dg)
{
	if (signal(SIGPIPE, SIG_DFL) == SIG_ERR)
		return diag_set_errno(dg, DIAG_BUG, errno, "restore SIGPIPE");
	(void)execve(engine->docker, argv->v, engine->env.v);
	return diag_set_errno(dg, DIAG_ENGINE, errno, "run %s", engine->docker);
}

/*
 * User and environment are the container's: the same ids as the agent, HOME and
 * proxies, and none of the secrets, which came with go alone.
 */
static void
fill_argv(const struct engine *engine, const struct record *record,
    const char *container, struct strvec *argv)
{
	strvec_push(argv, engine->docker);
	strvec_push(argv, "exec");
	strvec_push(argv, "--interactive");
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		strvec_push(argv, "--tty");
	strvec_push(argv, "--workdir");
	strvec_push(argv, record->project);
	strvec_push(argv, container);
}

static int
exec_run(struct context *ctx, const void *options, int argc, char **argv,
    int dashdash, struct diag *dg)
{
	const struct engine *engine = ctx->engine;
	cleanup_session struct session session = SESSION_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	cleanup_strvec struct strvec command = STRVEC_INIT;
	cleanup_free char *moved = NULL;
	const struct resume_spec resume = { ctx->paths, ctx->settings,
		ctx->environ_, ctx->engine };
	const struct container *agent;
	char id[SESSION_ID_SIZE];

	(void)options;
	if (dashdash > 1 || argc <= dashdash)
		return diag_set(
		    dg, DIAG_USAGE, "exec takes [SESSION] -- COMMAND...");
	if (sessions_choose(ctx, dashdash > 0 ? argv[0] : NULL, SESSIONS_OF_ANY,
		id, dg) != 0 ||
	    sessions_find_engine(ctx, NULL, dg) != 0 ||
	    engine_need_docker(engine, dg) != 0 ||
	    sessions_look(ctx, id, &session, &look, &agent, dg) != 0)
		return -1;
	if (agent->state != CONTAINER_RUNNING)
		return session_refuse(&look.facts, look.state, dg);
	if (session_proxy_gave_up(&look.facts))
		resume_proxy_if_needed(&resume, id);
	moved = moved_describe(&look.record);
	if (moved != NULL)
		diag_warn("session %s: %s", id, moved);
	fill_argv(engine, &look.record, agent->id, &command);
	for (int i = dashdash; i < argc; i++)
		strvec_push(&command, argv[i]);
	if (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO))
		return hosted_view((const char *const *)command.v,
		    (const char *const *)engine->env.v,
		    isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		    ctx->settings, &ctx->status, dg);
	return become(engine, &command, dg);
}

const struct cmd cmd_exec = {
	.name = "exec",
	.args = "[SESSION|DIR] -- CMD...",
	.summary = "run one more command in a session",
	.description =
	    "Runs CMD in SESSION's container, in the project's directory, as "
	    "the same user, with the container's environment and without the "
	    "agent's secrets. The status is the command's own.",
	.needs = CMD_NEED_SETTINGS,
	.run = exec_run,
};
