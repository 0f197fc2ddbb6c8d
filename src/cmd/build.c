/* SPDX-License-Identifier: MIT */
/* build: builds the agent image and the egress image. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "cmd/build-images.h"
#include "cmd/build-list.h"
#include "cmd/cmd.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/inimage.h"
#include "host/agent.h"
#include "host/project.h"
#include "host/statedir.h"
#include "host/toolchain.h"
#include "host/trusted.h"
#include "session/images.h"

struct build_cmd_options {
	const char *base;
	bool bootstrap;
	bool pull;
	bool no_cache;
	bool list;
	bool update;
	bool json;
};

static void
add_outcome(
    struct jsonw *w, const char *key, const struct build_outcome *outcome)
{
	jsonw_key_object(w, key);
	jsonw_key_str(w, "id", outcome->image_id);
	jsonw_key_str(w, "context", outcome->context);
	jsonw_close_object(w);
}

static int
print_json(const struct built_images *built, struct diag *dg)
{
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	add_outcome(w, "agent", &built->agent);
	add_outcome(w, "egress", &built->egress);
	jsonw_close_object(w);
	return jsonw_print(w, dg);
}

static int
check_update(const struct agent *agent, struct diag *dg)
{
	const char *version = agent_package_version(agent);

	if (version == NULL)
		return diag_set(dg, DIAG_USAGE,
		    "build: agent %s has no npm package that --update could "
		    "update",
		    agent->name);
	if (strcmp(version, AGENT_LATEST) == 0)
		return 0;
	return diag_set(dg, DIAG_USAGE,
	    "build: agent %s has the fixed version %s; to update it, run "
	    "\"drydock config set agent_version %s@latest\"",
	    agent->name, version, agent->name);
}

/*
 * Returned: the client's version in the newest recorded image, or in the newest
 * one at the fixed version if there is none, or NULL.  A failure is a warning.
 */
static char *
current_version(const struct context *ctx, const struct build_recipe *recipe)
{
	cleanup_context_files struct context_files *files = NULL;
	cleanup_image struct image image = IMAGE_INIT;
	cleanup_free char *package = agent_package(recipe->agent);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf differs = STRBUF_INIT;
	struct agent fixed = *recipe->agent;
	const struct agent *const agents[] = { recipe->agent, &fixed };
	struct images_spec spec = {
		.engine = ctx->engine,
		.recipe = *recipe,
		.paths = ctx->paths,
	};
	char *version = NULL;
	int rc = 0;

	fixed.version = NULL;
	for (size_t i = 0;
	     rc == 0 && image.id == NULL && i < ARRAY_SIZE(agents); i++) {
		spec.recipe.agent = agents[i];
		rc = images_find(
		    &spec, BUILD_AGENT, &files, &image, &differs, &dg);
	}
	if (rc == 0 && image.id != NULL)
		rc = inimage_client_version(
		    ctx->engine, image.id, package, &version, &dg);
	if (rc != 0)
		diag_warn("the old version is unknown: %s", dg.message);
	return version;
}

static int
tell_versions(const struct context *ctx, const struct agent *agent,
    const char *image_id, const char *from, struct diag *dg)
{
	cleanup_free char *package = agent_package(agent);
	cleanup_free char *to = NULL;

	if (inimage_client_version(ctx->engine, image_id, package, &to, dg) !=
	    0)
		return -1;
	diag_note("%s: %s -> %s", package, from != NULL ? from : "none",
	    to != NULL ? to : "none");
	return 0;
}

static int
build_run(struct context *ctx, struct diag *dg)
{
	const struct build_cmd_options *o = ctx->options;
	cleanup_built_images struct built_images built = BUILT_IMAGES_INIT;
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	const struct build_recipe recipe = { ctx->settings, &agent, &toolchains,
		ctx->paths };
	const struct build_options build = {
		.base = o->base,
		.bootstrap = o->bootstrap,
		.pull = o->pull,
		.no_cache = o->no_cache,
		.update = o->update,
		.environ_ = ctx->environ_,
	};
	cleanup_free char *from = NULL;

	if (ctx->argc > 1 || ctx->dashdash < ctx->argc)
		return diag_set(dg, DIAG_USAGE, "build takes one directory");
	if (o->list &&
	    (ctx->argc > 0 || o->base != NULL || o->bootstrap || o->pull ||
		o->no_cache || o->update))
		return diag_set(
		    dg, DIAG_USAGE, "build: --list accepts only --json");
	if (o->list)
		return build_list(ctx, o->json, dg);
	if (o->bootstrap && o->base != NULL)
		return diag_set(dg, DIAG_USAGE,
		    "build: --base and --bootstrap exclude each other");
	if (o->base != NULL && (*o->base == '\0' || *o->base == '-'))
		return diag_set(dg, DIAG_USAGE,
		    "build: --base \"%s\" is not an image", o->base);
	if (ctx->argc > 0 &&
	    (project_open(&project, ctx->argv[0], ctx->paths, dg) != 0 ||
		settings_load_project(
		    ctx->settings, ctx->paths, &project, dg) != 0))
		return -1;
	/*
	 * trusted_check() must run first: settings such as base_image and
	 * packages decide the content of every session's image.
	 */
	if (agent_choose(&agent, ctx->settings, ctx->paths, dg) != 0 ||
	    toolchains_load(
		&toolchains, &ctx->settings->toolchains, ctx->paths, dg) != 0 ||
	    statedir_open(ctx->paths, dg) != 0 ||
	    trusted_check(ctx->paths, project.path, dg) != 0 ||
	    (o->update && check_update(&agent, dg) != 0) ||
	    engine_ready(ctx->engine, ctx->settings, ctx->paths, NULL,
		ctx->environ_, dg) != 0)
		return -1;
	if (o->update)
		from = current_version(ctx, &recipe);
	if (build_images(
		ctx->engine, &recipe, ctx->paths, &build, &built, dg) != 0 ||
	    (o->update &&
		tell_versions(ctx, &agent, built.agent.image_id, from, dg) !=
		    0))
		return -1;
	if (o->json)
		return print_json(&built, dg);
	(void)printf("agent  %s\negress %s\n", built.agent.image_id,
	    built.egress.image_id);
	return 0;
}

static const struct optdef build_optdefs[] = {
	{ "base", 0, OPT_STRING, offsetof(struct build_cmd_options, base),
	    "IMAGE", "build on IMAGE instead of the setting base_image" },
	{ "bootstrap", 0, OPT_FLAG,
	    offsetof(struct build_cmd_options, bootstrap), NULL,
	    "make the base from Debian's package sources, without a registry" },
	{ "pull", 0, OPT_FLAG, offsetof(struct build_cmd_options, pull), NULL,
	    "download or make the base again" },
	{ "no-cache", 0, OPT_FLAG, offsetof(struct build_cmd_options, no_cache),
	    NULL, "run every step again" },
	{ "list", 0, OPT_FLAG, offsetof(struct build_cmd_options, list), NULL,
	    "build nothing; list the images and what needs each" },
	{ "update", 0, OPT_FLAG, offsetof(struct build_cmd_options, update),
	    NULL,
	    "install the agent's newest version (agent_version = latest) and "
	    "print the old and the new version" },
	{ "json", 'j', OPT_FLAG, offsetof(struct build_cmd_options, json), NULL,
	    "print JSON" },
	{ .name = NULL },
};

const struct cmd cmd_build = {
	.name = "build",
	.args = "[DIR]",
	.summary = "make the agent's and the egress image",
	.description =
	    "With DIR, builds the images that the project needs: its settings "
	    "file names\ntoolchains, packages, agent and base image.  "
	    "Projects with equal needs share\ntheir images.\n\n"
	    "Build steps use this host's package sources, proxy variables and "
	    "npm settings;\nthe images keep none of them.  The agent's image "
	    "is made for the caller: name,\nuid, gid and home.  A new image is "
	    "checked in a container like a session's\nbefore it counts.",
	.needs = CMD_NEED_SETTINGS | CMD_NEED_SETUID,
	.options = build_optdefs,
	.options_size = sizeof(struct build_cmd_options),
	.run = build_run,
};
