/* SPDX-License-Identifier: MIT */
/* run, new, shell: launch a session, or attach to one that the project has. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "cmd/sessions.h"
#include "host/project.h"
#include "host/statedir.h"
#include "session/join.h"
#include "session/launch.h"
#include "terminal/prompt.h"

enum {
	ANSWER_SIZE = 16
};

struct run_options {
	const char *mode;
	bool contained_history;
	bool no_banner;
};

static int
launch(struct context *ctx, enum launch_kind kind, struct diag *dg)
{
	const struct run_options *options = ctx->options;
	const struct launch_request request = {
		.kind = kind,
		.dir = ctx->dashdash > 0 ? ctx->argv[0] : NULL,
		.mode = options->mode,
		.contained_history = options->contained_history,
		.no_banner = options->no_banner,
		.args = ctx->argv + ctx->dashdash,
		.nargs = ctx->argc - ctx->dashdash,
		.build = build_both,
		.engine = ctx->engine,
	};

	if (ctx->dashdash > 1)
		return diag_set(dg, DIAG_USAGE,
		    "\"%s\" is a second directory; put %s after --",
		    ctx->argv[1],
		    kind == LAUNCH_RUN ? "the agent's arguments"
				       : "a command and its arguments");
	return launch_session(&request, ctx->paths, ctx->settings,
	    ctx->environ_, &ctx->status, dg);
}

/*
 * Lists the project's sessions that attach could show.  Without a state
 * directory there are none, and the engine is not queried.
 */
static int
find_live(struct context *ctx, const char *dir, struct listing *ret_listing,
    struct diag *dg)
{
	cleanup_project struct project project = PROJECT_INIT;
	bool unread;
	int there = 0;

	if (project_open(&project, dir, ctx->paths, dg) != 0 ||
	    statedir_open_readonly(ctx->paths, &there, dg) != 0)
		return -1;
	if (!there)
		return 0;
	return sessions_of_project(
	    ctx, project.path, 0, ret_listing, &unread, dg);
}

/* Asks which session to attach to.  ret_id is "" for a new session. */
static int
ask(const struct listing *live, char ret_id[SESSION_ID_SIZE], struct diag *dg)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	const struct listed *found = &live->v[0];
	char answer[ANSWER_SIZE];

	sessions_describe(live, &lines);
	if (!prompt_possible()) {
		(void)diag_set(dg, DIAG_USAGE,
		    "the project has sessions: drydock attach SESSION, or "
		    "drydock new");
		return diag_add_detail(dg, lines.buf, lines.len);
	}
	(void)fputs(lines.buf, stderr);
	if (prompt_line(live->nr == 1
		    ? "[a]ttach to it, start a [n]ew one, or [c]ancel?"
		    : "attach to which one (its id), start a [n]ew one, or "
		      "[c]ancel?",
		answer, sizeof(answer), dg) != 0)
		return -1;
	ret_id[0] = '\0';
	if (strcmp(answer, "n") == 0 || strcmp(answer, "new") == 0)
		return 0;
	if (strcmp(answer, "") == 0 || strcmp(answer, "c") == 0 ||
	    strcmp(answer, "cancel") == 0)
		return diag_set(dg, DIAG_CANCELLED, "cancelled");
	if ((live->nr > 1 ||
		(strcmp(answer, "a") != 0 && strcmp(answer, "attach") != 0)) &&
	    listing_match(live, answer, &found, dg) != 0)
		return -1;
	memcpy(ret_id, found->id, SESSION_ID_SIZE);
	return 0;
}

static int
run_run(struct context *ctx, struct diag *dg)
{
	const struct join_spec join = { ctx->paths, ctx->settings,
		ctx->environ_, ctx->engine };
	cleanup_listing struct listing live = LISTING_INIT;
	char id[SESSION_ID_SIZE] = "";

	if (ctx->dashdash <= 1 &&
	    find_live(
		ctx, ctx->dashdash > 0 ? ctx->argv[0] : NULL, &live, dg) != 0)
		return -1;
	if (live.nr > 0 && ask(&live, id, dg) != 0)
		return -1;
	if (id[0] != '\0')
		return join_session(&join, id, &ctx->status, dg);
	return launch(ctx, LAUNCH_RUN, dg);
}

static const struct optdef run_optdefs[] = {
	{ "mode", 'm', OPT_STRING, offsetof(struct run_options, mode), "MODE",
	    "contained (no network but a proxy) or dood (root on the host)" },
	{ "contained-history", 0, OPT_FLAG,
	    offsetof(struct run_options, contained_history), NULL,
	    "in dood mode, use the conversations of contained sessions; asks "
	    "first" },
	{ "no-banner", 0, OPT_FLAG, offsetof(struct run_options, no_banner),
	    NULL, "do not print what the session may do" },
	{ .name = NULL },
};

const struct cmd cmd_run = {
	.name = "run",
	.args = "[DIR] [-- ARGS...]",
	.summary = "start the agent on a project",
	.description =
	    "Opens a session on DIR (default: the working directory) and runs "
	    "the agent in it, with ARGS after its own. If the project has live "
	    "or stopped sessions, it asks whether to attach to one. Closing "
	    "the terminal leaves the session running; without a terminal the "
	    "session ends with its client. The status is the agent's own.",
	.needs = CMD_NEED_SETTINGS,
	.options = run_optdefs,
	.options_size = sizeof(struct run_options),
	.run = run_run,
};

static int
new_run(struct context *ctx, struct diag *dg)
{
	return launch(ctx, LAUNCH_RUN, dg);
}

const struct cmd cmd_new = {
	.name = "new",
	.args = "[DIR] [-- ARGS...]",
	.summary = "start the agent in another session of a project",
	.description =
	    "Does what run does, but does not ask about the project's existing "
	    "sessions.",
	.needs = CMD_NEED_SETTINGS,
	.options = run_optdefs,
	.options_size = sizeof(struct run_options),
	.run = new_run,
};

static int
shell_run(struct context *ctx, struct diag *dg)
{
	return launch(ctx, LAUNCH_SHELL, dg);
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
	.options = run_optdefs,
	.options_size = sizeof(struct run_options),
	.run = shell_run,
};
