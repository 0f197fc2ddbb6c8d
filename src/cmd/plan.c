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
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "cmd/cmd.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "host/agent.h"
#include "host/mode.h"
#include "host/project.h"
#include "host/reserved.h"
#include "host/statedir.h"
#include "plan/extra-service.h"
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

/* Removes the directory that stands in for the state directory. */
static void
remove_scratch(const char *path)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	if (fs_open_dir("/tmp", &fd, &dg) != 0 ||
	    fs_remove_tree(fd, strrchr(path, '/') + 1, &dg) != 0)
		diag_warn("%s", dg.message);
}

/*
 * Opens the state directory.  If that does not exist, it is not created:
 * *ret_scratch is a temporary directory in its place, for DOCKER_CONFIG, and to
 * be removed after a failure, too.
 */
static int
open_state(struct paths *paths, char **ret_scratch, struct diag *dg)
{
	cleanup_free char *path = NULL;
	int there;

	if (statedir_open_readonly(paths, &there, dg) != 0)
		return -1;
	if (paths->state_id[0] == '\0')
		memcpy(paths->state_id, NO_STATE, sizeof(NO_STATE));
	if (there)
		return 0;
	path = xstrdup("/tmp/drydock-plan.XXXXXX");
	if (mkdtemp(path) == NULL)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "make a directory in /tmp");
	*ret_scratch = steal_ptr(&path);
	return fs_open_dir(*ret_scratch, &paths->state_fd, dg);
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

static const char *
verdict(const struct plan *plan)
{
	return plan->nviolations == 0 ? "allowed" : "refused";
}

/*
 * Appends the document and frees w (given).  JSON permits DEL and C1 controls
 * unescaped; a terminal interprets them.
 */
static int
add_json(struct jsonw *w, struct strbuf *out, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (jsonw_finish(w, &text, dg) != 0)
		return -1;
	for (const unsigned char *p = (const unsigned char *)text.buf; *p != 0;
	     p++) {
		if (*p == 0x7f) {
			strbuf_addstr(out, "\\u007f");
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			p++;
			strbuf_addf(out, "\\u%04x", *p);
		} else {
			strbuf_addch(out, (char)*p);
		}
	}
	return 0;
}

/*
 * plan->tree is NULL when an overlay was refused before the merge; the model is
 * then {}.
 */
static void
write_model(struct jsonw *w, const struct plan *plan)
{
	if (plan->tree != NULL) {
		jsonw_node(w, plan->tree);
		return;
	}
	jsonw_open_object(w);
	jsonw_close_object(w);
}

static int
print_json(const struct project *project, const struct assembly *assembly,
    const struct plan *plan, struct strbuf *out, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_object(w, "project");
	jsonw_key_str(w, "path", project->path);
	jsonw_key_str(w, "key", project->key);
	jsonw_close_object(w);
	jsonw_key_array(w, "overlays");
	for (size_t i = 0; i < assembly->nr; i++) {
		jsonw_open_object(w);
		jsonw_key_str(w, "name", assembly->v[i].name);
		jsonw_key_str(w, "why", assembly->v[i].why);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_key(w, "model");
	write_model(w, plan);
	jsonw_key_array(w, "violations");
	for (size_t i = 0; i < plan->nviolations; i++) {
		const struct violation *v = &plan->violations[i];

		jsonw_open_object(w);
		jsonw_key_str(w, "rule", v->rule);
		jsonw_key_str(w, "service", v->service);
		jsonw_key_str(w, "what", v->what);
		jsonw_key_str(w, "overlay", v->overlay);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
	jsonw_key_str(w, "verdict", verdict(plan));
	jsonw_close_object(w);
	return add_json(w, out, dg);
}

/* Lists VOLUMEs that images declare and no overlay mounts. */
static void
add_volumes(const struct assembly *assembly, struct strbuf *out)
{
	for (size_t i = 0; i < assembly->nextra_services; i++) {
		const struct extra_service *extra =
		    &assembly->extra_services[i];

		for (size_t n = 0; n < extra->tmpfs.nr; n++) {
			strbuf_addf(out,
			    "service %s: its image declares a VOLUME, which "
			    "is memory and is empty after each start: ",
			    extra->name);
			strbuf_add_escaped(
			    out, extra->tmpfs.v[n], strlen(extra->tmpfs.v[n]));
			strbuf_addch(out, '\n');
		}
	}
}

static int
print_text(const struct project *project, const struct assembly *assembly,
    const struct plan *plan, struct strbuf *out, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	strbuf_addstr(out, "overlays:\n");
	for (size_t i = 0; i < assembly->nr; i++) {
		const struct overlay *o = &assembly->v[i];

		strbuf_addstr(out, "  ");
		strbuf_add_escaped(out, o->name, strlen(o->name));
		strbuf_addf(out, "%*s",
		    o->name[0] == '\0' || strlen(o->name) >= 12
			? 1
			: (int)(12 - strlen(o->name)),
		    "");
		strbuf_add_escaped(out, o->why, strlen(o->why));
		strbuf_addch(out, '\n');
	}
	strbuf_addstr(out, "\nproject: ");
	strbuf_add_escaped(out, project->path, strlen(project->path));
	strbuf_addf(out, "\nkey: %s\n", project->key);
	add_volumes(assembly, out);
	strbuf_addstr(out, "\nmodel:\n");
	write_model(w, plan);
	if (add_json(w, out, dg) != 0)
		return -1;
	for (size_t i = 0; i < plan->nviolations; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		violation_describe(&plan->violations[i], &line);
		strbuf_addstr(out, i == 0 ? "\nviolations:\n  " : "  ");
		strbuf_add_escaped(out, line.buf, line.len);
		strbuf_addch(out, '\n');
	}
	strbuf_addf(out, "\nverdict: %s\n", verdict(plan));
	return 0;
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
	    (json ? print_json(request->project, &assembly, &plan, &out, dg)
		  : print_text(request->project, &assembly, &plan, &out, dg)) !=
		0)
		return -1;
	(void)fputs(out.buf, stdout);
	return plan_check_verdict(&plan, dg);
}

/*
 * Connects the engine.  Its DOCKER_CONFIG is created in the stand-in directory,
 * if there is one.
 */
static int
find_engine(struct start *l, char *scratch, struct diag *dg)
{
	const char *const projects[] = { l->project.path, NULL };
	struct paths paths = *l->paths;

	if (scratch != NULL)
		paths.state_dir = scratch;
	return engine_ready(
	    l->engine, l->settings, &paths, projects, l->environ_, dg);
}

static int
show_plan(struct start *l, const struct plan_options *o, char *scratch,
    struct diag *dg)
{
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_context_files struct context_files *files = NULL;
	struct images_spec spec = {
		.engine = &engine,
		.recipe = { l->settings, &l->agent, &l->toolchains, l->paths },
		.project = l->settings->of_project ? l->project.path : NULL,
	};

	l->engine = &engine;
	l->mode = mode_resolve(o->mode, l->settings);
	memcpy(l->session.id, NO_SESSION, sizeof(NO_SESSION));
	l->session.dir =
	    xasprintf("%s/sessions/" NO_SESSION, l->paths->state_dir);
	/* A launch, too, checks what the user has written first. */
	if (agent_choose(&l->agent, l->settings, l->paths, dg) != 0 ||
	    start_load_hosts(l, dg) != 0 ||
	    reserved_check_passed(&l->settings->pass_env, l->paths, dg) != 0 ||
	    find_engine(l, scratch, dg) != 0 ||
	    listing_warn_images(l->paths, &engine, dg) != 0 ||
	    find_image(&spec, BUILD_AGENT, &files, &l->images.agent, dg) != 0 ||
	    (l->mode.mode == MODE_CONTAINED &&
		find_image(
		    &spec, BUILD_EGRESS, &files, &l->images.egress, dg) != 0) ||
	    images_find_lease(l->paths, &engine, &l->images, dg) != 0)
		return -1;
	l->record.history =
	    project_history(&l->project, l->paths, l->agent.name, l->mode.mode);
	/* What the agent's guardrails cannot refuse. */
	for (size_t i = 0; i < l->agent.limits.nr; i++)
		diag_note("agent %s: guardrails: %s", l->agent.name,
		    l->agent.limits.v[i]);
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
	cleanup_strbuf struct strbuf table = STRBUF_INIT;
	cleanup_json struct json *rows = NULL;

	if (policy_load(ctx->paths, POLICY_RULES, &policy, dg) != 0 ||
	    policy_rules(policy, &table, dg) != 0 ||
	    json_parse(table.buf, table.len, "the table of rules", &rows, dg) !=
		0)
		return -1;
	if (json)
		(void)printf("%s\n", table.buf);
	for (size_t i = 0; !json && i < json_len(rows); i++)
		(void)printf("%-20s%s\n",
		    json_string_or(json_get(json_at(rows, i), "rule"), ""),
		    json_string_or(json_get(json_at(rows, i), "text"), ""));
	return 0;
}

static int
run_plan(struct context *ctx, struct diag *dg)
{
	const struct plan_options *o = ctx->options;
	cleanup_start struct start l = START_INIT;
	cleanup_free char *scratch = NULL;
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
		failed = show_plan(&l, o, scratch, dg);
	if (scratch != NULL)
		remove_scratch(scratch);
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
