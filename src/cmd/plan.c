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
#include "host/mode.h"
#include "host/project.h"
#include "host/reserved.h"
#include "host/statedir.h"
#include "plan/plan.h"
#include "plan/policy.h"
#include "session/egress.h"
#include "session/images.h"
#include "session/listing.h"
#include "session/slot.h"
#include "session/start.h"

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
read_written(struct start *l, struct diag *dg)
{
	if (agent_choose(&l->agent, l->settings, l->paths, dg) != 0 ||
	    start_load_hosts(l, dg) != 0)
		return -1;
	return reserved_check_passed(&l->settings->pass_env, l->paths, dg);
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
find_engine(struct start *l, const struct scratch *scratch, struct diag *dg)
{
	const char *const projects[] = { l->project.path, NULL };
	struct paths paths = *l->paths;

	if (scratch->path != NULL)
		paths.state_dir = scratch->path;
	return engine_ready(
	    l->engine, l->settings, &paths, projects, l->environ_, dg);
}

static int
show_plan(struct start *l, const struct plan_options *o,
    const struct scratch *scratch, struct diag *dg)
{
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_context_files struct context_files *files = NULL;
	struct images_spec spec = {
		.engine = &engine,
		.recipe = { l->settings, &l->agent, &l->toolchains, l->paths },
		.paths = l->paths,
		.project = l->settings->of_project ? l->project.path : NULL,
	};

	l->engine = &engine;
	l->mode = mode_resolve(o->mode, l->settings);
	memcpy(l->session.id, NO_SESSION, sizeof(NO_SESSION));
	l->session.dir =
	    xasprintf("%s/sessions/" NO_SESSION, l->paths->state_dir);
	if (read_written(l, dg) != 0 || find_engine(l, scratch, dg) != 0 ||
	    listing_warn_images(l->paths, &engine, dg) != 0 ||
	    find_image(&spec, BUILD_AGENT, &files, &l->images.agent, dg) != 0 ||
	    (l->mode.mode == MODE_CONTAINED &&
		find_image(
		    &spec, BUILD_EGRESS, &files, &l->images.egress, dg) != 0) ||
	    images_find_lease(l->paths, &engine, &l->images, dg) != 0)
		return -1;
	l->record.history =
	    project_history(&l->project, l->paths, l->agent.name, l->mode.mode);
	note_limits(&l->agent);
	/* A launch may get another number. */
	if (slot_is_wanted(l->settings, &l->toolchains))
		l->record.cache =
		    slot_dir(l->paths, &l->project, l->mode.mode, 0);
	if (l->mode.mode == MODE_CONTAINED)
		egress_note_upstream(l->settings, l->environ_);
	start_fill_request(l);
	return judge_and_print(&l->plan_request, o->json, dg);
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
run_plan(struct context *ctx, struct diag *dg)
{
	const struct plan_options *o = ctx->options;
	cleanup_start struct start l = START_INIT;
	struct scratch scratch = { NULL };
	int failed;

	if (ctx->argc > 1 || ctx->dashdash < ctx->argc)
		return diag_set(dg, DIAG_USAGE, "plan takes one directory");
	if (o->rules)
		return show_rules(ctx, o->json, dg);
	l.paths = ctx->paths;
	l.settings = ctx->settings;
	l.environ_ = ctx->environ_;
	if (project_open(&l.project, ctx->argv[0], l.paths, dg) != 0 ||
	    settings_load_project(l.settings, l.paths, &l.project, dg) != 0)
		return -1;
	failed = open_state(ctx->paths, &scratch, dg);
	if (failed == 0)
		failed = show_plan(&l, o, &scratch, dg);
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
