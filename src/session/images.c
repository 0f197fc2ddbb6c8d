/* SPDX-License-Identifier: MIT */
/* Finds the images of a launch, or has them built. */
#include "session/images.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "engine/build.h"
#include "engine/built.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"
#include "terminal/prompt.h"

/* An unknown digest is only a warning: a recorded image is used. */
int
images_find(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image,
    struct strbuf *differs, struct diag *dg)
{
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;
	cleanup_diag struct diag digest_dg = DIAG_INIT;
	char digest[DIGEST_HEX_SIZE];
	const char *name = build_kind_name(kind);
	const struct image_user caller = image_user_of(spec->recipe.paths);
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT;
	cleanup_strbuf struct strbuf parts = STRBUF_INIT;
	struct built_key key = { .kind = name,
		.user = kind == BUILD_AGENT ? &caller : NULL };
	bool have_digest =
	    (*filesp != NULL ||
		context_read(spec->recipe.paths, filesp, &digest_dg) == 0) &&
	    build_context_digest(
		kind, &spec->recipe, *filesp, digest, &parts, &digest_dg) == 0;

	*ret_image = (struct image)IMAGE_INIT;
	if (!have_digest)
		diag_warn("%s", digest_dg.message);
	if (built_read(spec->recipe.paths, &built, dg) != 0)
		return -1;
	key.context = digest;
	if (have_digest &&
	    built_find_image(&built, spec->engine, &key, ret_image, dg) != 0)
		return -1;
	key.context = NULL;
	if (kind == BUILD_AGENT) {
		build_recipe_text(&spec->recipe, &wanted);
		key.recipe = wanted.buf;
		key.plain = build_recipe_is_plain(&spec->recipe);
	}
	if (ret_image->id == NULL &&
	    built_find_image(&built, spec->engine, &key, ret_image, dg) != 0)
		return -1;
	if (have_digest && ret_image->id != NULL &&
	    strcmp(ret_image->context, digest) != 0) {
		const struct built *entry =
		    built_find(&built, spec->engine, ret_image->id);

		if (entry != NULL && entry->parts != NULL)
			build_parts_compare(entry->parts, parts.buf, differs);
		if (differs->len == 0)
			strbuf_addstr(
			    differs, "the installed files or the settings");
	}
	return 0;
}

/* Appends the command that builds this project's images. */
static void
add_command(const struct images_spec *spec, struct strbuf *out)
{
	cleanup_free char *line =
	    agent_command_line(spec->recipe.agent, "build");

	strbuf_addstr(out, line);
	if (spec->project == NULL)
		return;
	strbuf_addch(out, ' ');
	strbuf_add_shell_quoted(out, spec->project);
}

int
images_missing(
    const struct images_spec *spec, enum build_kind kind, struct diag *dg)
{
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;

	cleanup_strbuf struct strbuf command = STRBUF_INIT;

	if (built_read(spec->recipe.paths, &built, dg) != 0)
		return -1;
	add_command(spec, &command);
	if (built.recorded && kind == BUILD_AGENT &&
	    (!build_recipe_is_plain(&spec->recipe) ||
		spec->recipe.settings->packages.nr > 0)) {
		cleanup_strbuf struct strbuf wanted = STRBUF_INIT;

		build_recipe_text(&spec->recipe, &wanted);
		return diag_set(dg, DIAG_ENGINE,
		    "this user has no image with %s: run \"%s\"", wanted.buf,
		    command.buf);
	}
	if (built.recorded)
		return diag_set(dg, DIAG_ENGINE,
		    "there is no %s image for this user: run \"%s\"",
		    build_kind_name(kind), command.buf);
	return diag_set(dg, DIAG_ENGINE,
	    "no %s image is recorded in %s/" BUILT_FILE ": run \"%s\" "
	    "(images of an older drydock have no record and are built "
	    "again once, mostly from the engine's cache)",
	    build_kind_name(kind), spec->recipe.paths->state_dir, command.buf);
}

/* Asks with the size and the time that the last image of this kind took. */
static int
ask_to_build(
    const struct images_spec *spec, enum build_kind kind, struct diag *dg)
{
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;
	cleanup_strbuf struct strbuf question = STRBUF_INIT;
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT;
	const char *name = build_kind_name(kind);
	const struct built *last;
	char answer[8];

	if (built_read(spec->recipe.paths, &built, dg) != 0)
		return -1;
	if (kind == BUILD_AGENT)
		build_recipe_text(&spec->recipe, &wanted);
	strbuf_addf(&question, "there is no image for %s yet.  ",
	    kind == BUILD_AGENT ? wanted.buf : "the proxy");
	last = built_find_last(&built, spec->engine, name);
	if (last != NULL && last->size > 0) {
		strbuf_addf(&question, "The last %s image took ", name);
		if (last->seconds < 120)
			strbuf_addf(
			    &question, "%lld s", (long long)last->seconds);
		else
			strbuf_addf(&question, "%lld min",
			    (long long)(last->seconds + 30) / 60);
		strbuf_addf(&question, " and has %lld MB.  Build it now? [Y/n]",
		    (long long)last->size / 1000000);
	} else {
		strbuf_addstr(
		    &question, "Build it now, which takes minutes? [Y/n]");
	}
	if (prompt_line(question.buf, answer, sizeof(answer), dg) != 0)
		return -1;
	if (answer[0] == '\0' || strcmp(answer, "y") == 0 ||
	    strcmp(answer, "yes") == 0)
		return 0;
	return diag_set(dg, DIAG_CANCELLED, "no %s image", name);
}

static int
find_or_build(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image,
    struct strbuf *differs, struct diag *dg)
{
	if (images_find(spec, kind, filesp, ret_image, differs, dg) != 0)
		return -1;
	if (ret_image->id != NULL)
		return 0;
	if (spec->build == NULL || !prompt_possible())
		return images_missing(spec, kind, dg);
	if (ask_to_build(spec, kind, dg) != 0 ||
	    spec->build(spec->engine, &spec->recipe, spec->environ_, dg) != 0 ||
	    images_find(spec, kind, filesp, ret_image, differs, dg) != 0)
		return -1;
	if (ret_image->id == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "the %s image was built, but the engine does not have it",
		    build_kind_name(kind));
	return 0;
}

static bool
supports(const struct built_list *built, const struct engine *engine,
    const struct image *image, int64_t what)
{
	const struct built *entry =
	    image->id != NULL ? built_find(built, engine, image->id) : NULL;

	return entry != NULL && entry->holder >= what;
}

static void
find_lease(const struct built_list *built, const struct engine *engine,
    struct images *images)
{
	images->lease =
	    supports(built, engine, &images->agent, BUILT_HOLDER_LEASE) &&
	    supports(built, engine, &images->egress, BUILT_HOLDER_LEASE);
}

int
images_find_lease(const struct paths *paths, const struct engine *engine,
    struct images *images, struct diag *dg)
{
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;

	if (built_read(paths, &built, dg) != 0)
		return -1;
	find_lease(&built, engine, images);
	return 0;
}

int
images_get(
    const struct images_spec *spec, struct images *ret_images, struct diag *dg)
{
	cleanup_context_files struct context_files *files = NULL;
	cleanup_images struct images images = IMAGES_INIT;
	cleanup_strbuf struct strbuf agent = STRBUF_INIT;
	cleanup_strbuf struct strbuf egress = STRBUF_INIT;
	cleanup_strbuf struct strbuf command = STRBUF_INIT;
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;

	if (find_or_build(
		spec, BUILD_AGENT, &files, &images.agent, &agent, dg) != 0 ||
	    (spec->mode == MODE_CONTAINED &&
		find_or_build(spec, BUILD_EGRESS, &files, &images.egress,
		    &egress, dg) != 0))
		return -1;
	add_command(spec, &command);
	if (agent.len > 0 || egress.len > 0)
		/* What differs in the proxy's image mostly differs in both. */
		diag_note("%s changed since the images were built: run \"%s\"",
		    agent.len > 0 ? agent.buf : egress.buf, command.buf);
	if (built_read(spec->recipe.paths, &built, dg) != 0)
		return -1;
	/* An older proxy does not understand the list that a launch writes. */
	if (images.egress.id != NULL &&
	    !supports(&built, spec->engine, &images.egress, BUILT_HOLDER_PROXY))
		return diag_set(dg, DIAG_ENGINE,
		    "an older drydock built the image of the proxy: run \"%s\"",
		    command.buf);
	find_lease(&built, spec->engine, &images);
	*ret_images = images;
	images = (struct images)IMAGES_INIT;
	return 0;
}

void
images_release(struct images *images)
{
	image_release(&images->agent);
	image_release(&images->egress);
}
