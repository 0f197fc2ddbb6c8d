/* SPDX-License-Identifier: MIT */
/* setup: creates the directories and the first snapshot. */
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "host/agent.h"
#include "host/statedir.h"
#include "host/token.h"
#include "sync/sync.h"

static int
make_config(
    const struct context *ctx, const struct agent *agent, struct diag *dg)
{
	cleanup_free char *path =
	    xasprintf("%s/home.d/%s", ctx->paths->config_dir, agent->name);
	cleanup_close int fd = -1;

	return fs_make_path(path, 0700, &fd, dg);
}

static int
tell_token(
    const struct context *ctx, const struct agent *agent, struct diag *dg)
{
	bool there = false;
	time_t since;

	if (agent->token_variable == NULL)
		return 0;
	if (token_status(ctx->paths, agent->name, &there, &since, dg) != 0)
		return -1;
	if (!there)
		(void)printf("no token is kept: get one with \"%s\", then "
			     "\"drydock token set\"\n",
		    agent->token_advice);
	return 0;
}

static int
setup_run(struct context *ctx, const void *options, int argc, char **argv,
    int dashdash, struct diag *dg)
{
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	struct sync_request request = {
		.paths = ctx->paths,
		.settings = ctx->settings,
		.agent = &agent,
		.wait_ms = SYNC_WAIT_MS,
	};

	(void)options;
	(void)dashdash;
	if (argc > 0)
		return diag_set(dg, DIAG_USAGE,
		    "setup: unexpected operand \"%s\"", argv[0]);
	if (agent_load(&agent, ctx->settings->agent, ctx->paths, dg) != 0 ||
	    make_config(ctx, &agent, dg) != 0 ||
	    statedir_open(ctx->paths, dg) != 0 ||
	    sync_run(&request, &outcome, dg) != 0)
		return -1;
	(void)printf("configuration: %s\nstate: %s\n%s: %s, %zu entries\n",
	    ctx->paths->config_dir, ctx->paths->state_dir, agent.name,
	    outcome.done ? "synced" : "nothing changed",
	    outcome.manifest.scan.nr);
	ctx->status = sync_warn_skipped(&outcome, SYNC_TELL_ALL) > 0 ? 1 : 0;
	return tell_token(ctx, &agent, dg);
}

static const struct optdef setup_optdefs[] = {
	{ "agent", 0, OPT_SETTING, 0, "NAME", "the agent" },
	{ .name = NULL },
};

const struct cmd cmd_setup = {
	.name = "setup",
	.summary = "make drydock's directories and the first snapshot",
	.description =
	    "Makes the configuration and state directories and syncs the "
	    "agent's configuration. It may be run again at any time; run and "
	    "shell do what they need of it themselves.",
	.needs = CMD_NEED_SETTINGS,
	.options = setup_optdefs,
	.run = setup_run,
};
