/* SPDX-License-Identifier: MIT */
/* setup: creates the directories and the first snapshot. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "host/agent.h"
#include "host/catalog.h"
#include "host/paths.h"
#include "host/settings.h"
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
	cleanup_free char *set = agent_command_line(agent, "token set");
	bool there = false;
	time_t since;

	if (agent->token_variable == NULL)
		return 0;
	if (token_status(ctx->paths, agent->name, &there, &since, dg) != 0)
		return -1;
	if (!there)
		(void)printf("no token is kept: get one with \"%s\", then "
			     "\"%s\"\n",
		    agent->token_advice, set);
	return 0;
}

static bool
has_any(const struct context *ctx, const struct agent_sources *sources)
{
	for (size_t i = 0; i < sources->nr; i++) {
		cleanup_free char *path =
		    xasprintf("%s/%s", ctx->paths->home, sources->v[i].from);

		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	}
	return false;
}

static int
set_up(struct context *ctx, const struct agent *agent, struct diag *dg)
{
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	struct sync_request request = {
		.paths = ctx->paths,
		.settings = ctx->settings,
		.agent = agent,
		.wait_ms = SYNC_WAIT_MS,
	};

	if (make_config(ctx, agent, dg) != 0 ||
	    sync_run(&request, &outcome, dg) != 0)
		return -1;
	(void)printf("%s: %s, %zu entries\n", agent->name,
	    outcome.done ? "synced" : "nothing changed",
	    outcome.manifest.scan.nr);
	if (sync_warn_skipped(&outcome, SYNC_TELL_ALL) > 0)
		ctx->status = 1;
	return tell_token(ctx, agent, dg);
}

/* Sets up the other agents that this host has a configuration of. */
static int
set_up_others(struct context *ctx, const struct agent *first, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (settings_source(ctx->settings, "agent") == SETTINGS_OPTION)
		return 0;
	if (catalog_list(&catalog_agents, ctx->paths, &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_agent struct agent agent = AGENT_INIT;

		if (strcmp(names.v[i], first->name) == 0)
			continue;
		if (agent_load(&agent, names.v[i], ctx->paths, dg) != 0)
			return -1;
		if ((has_any(ctx, &agent.sync.trees) ||
			has_any(ctx, &agent.sync.documents)) &&
		    set_up(ctx, &agent, dg) != 0)
			return -1;
	}
	return 0;
}

static int
setup_run(struct context *ctx, struct diag *dg)
{
	cleanup_agent struct agent agent = AGENT_INIT;

	if (agent_load(&agent, ctx->settings->agent, ctx->paths, dg) != 0 ||
	    make_config(ctx, &agent, dg) != 0 ||
	    statedir_open(ctx->paths, dg) != 0)
		return -1;
	(void)printf("configuration: %s\nstate: %s\n", ctx->paths->config_dir,
	    ctx->paths->state_dir);
	if (set_up(ctx, &agent, dg) != 0)
		return -1;
	return set_up_others(ctx, &agent, dg);
}

static const struct optdef setup_optdefs[] = {
	{ "agent", 0, OPT_SETTING, 0, "NAME", "this agent alone" },
	{ .name = NULL },
};

const struct cmd cmd_setup = {
	.name = "setup",
	.summary = "make drydock's directories and the first snapshot",
	.description =
	    "Makes the configuration and state directories and syncs the "
	    "configuration of the agent, and of each other agent that has "
	    "one on this host. It may be run again at any time; run and shell "
	    "do the same as far as they need it.",
	.needs = CMD_NEED_SETTINGS,
	.options = setup_optdefs,
	.run = setup_run,
};
