/* SPDX-License-Identifier: MIT */
/*
 * plan: shows the model that a launch would judge, and the verdict; starts
 * nothing.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "cmd/plan-print.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/mode.h"
#include "host/project.h"
#include "host/reserved.h"
#include "host/statedir.h"
#include "host/toolchain.h"
#include "plan/plan.h"
#include "plan/policy.h"
#include "session/images.h"
#include "session/strangers.h"

/* Shown in place of the session id, which a launch draws at random. */
#define NO_SESSION "00000000"
#define NO_STATE "00000000000000000000000000000000"

struct plan_options {
	bool json;
	bool rules;
	const char *mode;
};

/*
 * Stands in for the state directory, in which DOCKER_CONFIG is created, when
 * that does not exist.
 */
struct scratch {
	char *path; /* owned; NULL: not needed */
};

/* Removes the stand-in directory. */
static void
scratch_remove(struct scratch *scratch)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	if (scratch->path == NULL)
		return;
	if (fs_open_dir("/tmp", &fd, &dg) != 0 ||
	    fs_remove_tree(fd, strrchr(scratch->path, '/') + 1, &dg) != 0)
		diag_warn("%s", dg.message);
	free(scratch->path);
}

/*
 * Opens the state directory, or a temporary directory in its place; the state
 * directory is not created.
 */
static int
open_state(struct paths *paths, struct scratch *scratch, struct diag *dg)
{
	int there;

	if (statedir_open_readonly(paths, &there, dg) != 0)
		return -1;
	if (paths->state_id[0] == '\0')
		memcpy(paths->state_id, NO_STATE, sizeof(NO_STATE));
	if (there)
		return 0;
	scratch->path = xstrdup("/tmp/drydock-plan.XXXXXX");
	if (mkdtemp(scratch->path) == NULL) {
		int error = errno;

		free(scratch->path);
		scratch->path = NULL;
		return diag_set_errno(
		    dg, DIAG_IO, error, "make a directory in /tmp");
	}
	return fs_open_dir(scratch->path, &paths->state_fd, dg);
}

static int
find_image(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image, struct diag *dg)
{
	cleanup_strbuf struct strbuf differs = STRBUF_INIT;

	if (images_find(spec, kind, filesp, ret_image, &differs, dg) != 0)
		return -1;
	return ret_image->id == NULL ? images_missing(spec, kind, dg) : 0;
}

/*
 * Loads the configuration that a launch checks first: agent, toolchains,
 * pass_env and allowlist.
 */
static int
read_written(const struct context *ctx, const struct project *project,
    enum mode mode, struct agent *agent, struct toolchains *toolchains,
    struct diag *dg)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;

	if (agent_choose(agent, ctx->settings, ctx->paths, dg) != 0 ||
	    toolchains_load(
		toolchains, &ctx->settings->toolchains, ctx->paths, dg) != 0 ||
	    reserved_check_passed(&ctx->settings->pass_env, ctx->paths, dg) !=
		0)
		return -1;
	if (mode != MODE_CONTAINED)
		return 0;
	return allowlist_load(&list,
	    &(struct allow_spec){ agent, toolchains, ctx->paths, project }, dg);
}

/*
 * Notes toolchains that the project's files show and that are not on, and the
 * line to write.
 */
static int
suggest(const struct paths *paths, const struct settings *settings,
    const struct project *project, struct diag *dg)
{
	cleanup_strvec struct strvec shown = STRVEC_INIT;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	size_t on = settings->toolchains.nr;

	strvec_push_all(&shown, (const char *const *)settings->toolchains.v);
	if (toolchains_shown(paths, project->fd, &shown, dg) != 0)
		return -1;
	if (shown.nr == on)
		return 0;
	strvec_sort(&shown);
	for (size_t i = 0; i < shown.nr; i++)
		strbuf_addf(&line, " %s", shown.v[i]);
	diag_note("the project's files show toolchains that are not on; to "
		  "have them in its image, type \"drydock config set --project "
		  "toolchains '%s'\" in its directory",
	    line.buf + 1);
	return 0;
}

/* Prints the actions that the agent's guardrails cannot refuse. */
static void
note_limits(const struct agent *agent)
{
	for (size_t i = 0; i < agent->limits.nr; i++)
		diag_note("agent %s: guardrails: %s", agent->name,
		    agent->limits.v[i]);
}

static int
judge_and_print(const struct plan_request *request, bool json, struct diag *dg)
{
	cleanup_assembly struct assembly assembly = ASSEMBLY_INIT;
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (plan_assemble(request, &assembly, dg) != 0 ||
	    plan_judge(request, &assembly, &plan, dg) != 0 ||
	    suggest(request->paths, request->settings, request->project, dg) !=
		0 ||
	    (json ? plan_print_json(
			request->project, &assembly, &plan, &out, dg)
		  : plan_print_text(
			request->project, &assembly, &plan, &out, dg)) != 0)
		return -1;
	(void)fputs(out.buf, stdout);
	return plan_check_verdict(&plan, dg);
}

/*
 * Connects the engine.  Its DOCKER_CONFIG is created in the stand-in directory,
 * if there is one.
 */
static int
find_engine(struct context *ctx, const struct scratch *scratch,
    const struct project *project, struct engine *engine, struct diag *dg)
{
	const char *const projects[] = { project->path, NULL };
	struct paths paths = *ctx->paths;

	if (scratch->path != NULL)
		paths.state_dir = scratch->path;
	return engine_ready(
	    engine, ctx->settings, &paths, projects, ctx->environ_, dg);
}

static int
show_plan(struct context *ctx, const struct plan_options *o,
    const struct scratch *scratch, const struct project *project,
    struct diag *dg)
{
	const struct paths *paths = ctx->paths;
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	cleanup_context_files struct context_files *files = NULL;
	cleanup_image struct image image = IMAGE_INIT;
	cleanup_image struct image egress = IMAGE_INIT;
	struct mode_choice mode = mode_resolve(o->mode, ctx->settings);
	cleanup_free char *session =
	    xasprintf("%s/sessions/" NO_SESSION, paths->state_dir);
	cleanup_free char *history = NULL;
	struct images_spec spec = {
		.engine = &engine,
		.recipe = { ctx->settings, &agent, &toolchains, paths },
		.paths = paths,
		.project = ctx->settings->of_project ? project->path : NULL,
		.mode = mode.mode,
	};

	if (read_written(ctx, project, mode.mode, &agent, &toolchains, dg) !=
		0 ||
	    find_engine(ctx, scratch, project, &engine, dg) != 0 ||
	    strangers_warn_images(paths, &engine, dg) != 0 ||
	    find_image(&spec, BUILD_AGENT, &files, &image, dg) != 0 ||
	    (mode.mode == MODE_CONTAINED &&
		find_image(&spec, BUILD_EGRESS, &files, &egress, dg) != 0))
		return -1;
	history = project_history(project, paths, agent.name, mode.mode);
	note_limits(&agent);

	struct plan_request request = {
		.paths = paths,
		.settings = ctx->settings,
		.engine = &engine,
		.project = project,
		.mode = mode,
		.session_id = NO_SESSION,
		.session_dir = session,
		.history_dir = history,
		.agent_image = &image,
		.egress_image = &egress,
	};
	return judge_and_print(&request, o->json, dg);
}

static int
show_rules(const struct context *ctx, bool json, struct diag *dg)
{
	cleanup_policy struct policy *policy = NULL;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (policy_load(ctx->paths, POLICY_RULES, &policy, dg) != 0 ||
	    plan_print_rules(policy, json, &out, dg) != 0)
		return -1;
	(void)fputs(out.buf, stdout);
	return 0;
}

static int
run_plan(struct context *ctx, const void *options, int argc, char **argv,
    int dashdash, struct diag *dg)
{
	const struct plan_options *o = options;
	cleanup_project struct project project = PROJECT_INIT;
	struct scratch scratch = { NULL };
	int failed;

	if (argc > 1 || dashdash < argc)
		return diag_set(dg, DIAG_USAGE, "plan takes one directory");
	if (o->rules)
		return show_rules(ctx, o->json, dg);
	if (project_open(&project, argc > 0 ? argv[0] : NULL, ctx->paths, dg) !=
		0 ||
	    settings_load_project(ctx->settings, ctx->paths, &project, dg) != 0)
		return -1;
	failed = open_state(ctx->paths, &scratch, dg);
	if (failed == 0)
		failed = show_plan(ctx, o, &scratch, &project, dg);
	scratch_remove(&scratch);
	return failed;
}

static const struct optdef plan_optdefs[] = {
	{ "json", 'j', OPT_FLAG, offsetof(struct plan_options, json), NULL,
	    "print JSON" },
	{ "mode", 'm', OPT_STRING, offsetof(struct plan_options, mode), "MODE",
	    "contained or dood" },
	{ "rules", 0, OPT_FLAG, offsetof(struct plan_options, rules), NULL,
	    "print the policy's rules instead, one per line" },
	{ .name = NULL },
};

const struct cmd cmd_plan = {
	.name = "plan",
	.args = "[DIR]",
	.summary = "show the plan of a session, and the policy's verdict",
	.description =
	    "Shows the overlays in order with the reason for each, the model "
	    "that Compose merges them into, and the policy's verdict. "
	    "Claims nothing and starts nothing; the session's id is shown as "
	    "00000000. If the policy refuses the plan, the status is 77.",
	.needs = CMD_NEED_SETTINGS,
	.options = plan_optdefs,
	.options_size = sizeof(struct plan_options),
	.run = run_plan,
};
