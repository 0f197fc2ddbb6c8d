/* SPDX-License-Identifier: MIT */
/* Finds the images of a launch, or has them built. */
#include "session/images.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/build.h"
#include "engine/built.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/settings.h"
#include "session/prompt.h"

/* An unknown digest is only a warning: a recorded image is used. */
int
images_find(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image, bool *ret_older,
    struct diag *dg)
{
	cleanup_built_list struct built_list built = BUILT_LIST_INIT;
	cleanup_diag struct diag untold = DIAG_INIT;
	char digest[DIGEST_HEX_SIZE];
	const char *name = build_kind_name(kind);
	const struct image_user caller = image_user_of(spec->paths);
	cleanup_strbuf struct strbuf wanted = STRBUF_INIT;
	struct built_key key = { .kind = name,
		.user = kind == BUILD_AGENT ? &caller : NULL };
	bool told = (*filesp != NULL ||
			context_read(spec->paths, filesp, &untold) == 0) &&
	    build_context_digest(
		kind, &spec->recipe, *filesp, digest, &untold) == 0;

	*ret_image = (struct image)IMAGE_INIT;
	if (!told)
		diag_warn("%s", untold.message);
	if (built_read(spec->paths, &built, dg) != 0)
		return -1;
	key.context = digest;
	if (told &&
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
	*ret_older = told && ret_image->id != NULL &&
	    strcmp(ret_image->context, digest) != 0;
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

	if (built_read(spec->paths, &built, dg) != 0)
		return -1;
	add_command(spec, &command);
	if (built.recorded && kind == BUILD_AGENT &&
	    !build_recipe_is_plain(&spec->recipe)) {
		cleanup_strbuf struct strbuf wanted = STRBUF_INIT;

		build_recipe_text(&spec->recipe, &wanted);
		return diag_set(dg, DIAG_ENGINE,
		    "there is no image of this user's with %s: run \"%s\"",
		    wanted.buf, command.buf);
	}
	if (built.recorded)
		return diag_set(dg, DIAG_ENGINE,
		    "there is no %s image for this user: run \"%s\"",
		    build_kind_name(kind), command.buf);
	return diag_set(dg, DIAG_ENGINE,
	    "no %s image is recorded in %s/" BUILT_FILE ": run \"%s\" "
	    "(images of an older drydock have no record and are built "
	    "again once, mostly from the engine's cache)",
	    build_kind_name(kind), spec->paths->state_dir, command.buf);
}

static int
ask_to_build(const char *kind, struct diag *dg)
{
	cleanup_free char *question = xasprintf("there is no %s image yet.  "
						"Build it now, which takes "
						"minutes? [Y/n]",
	    kind);
	char answer[8];

	if (prompt_line(question, answer, sizeof(answer), dg) != 0)
		return -1;
	if (answer[0] == '\0' || strcmp(answer, "y") == 0 ||
	    strcmp(answer, "yes") == 0)
		return 0;
	return diag_set(dg, DIAG_CANCELLED, "no %s image", kind);
}

static int
build_missing(
    const struct images_spec *f, enum build_kind kind, struct diag *dg)
{
	if (f->build == NULL || !prompt_possible())
		return images_missing(f, kind, dg);
	if (ask_to_build(build_kind_name(kind), dg) != 0)
		return -1;
	return f->build(f->engine, &f->recipe, f->paths, f->environ_, dg);
}

static int
find_or_build(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image, bool *olderp,
    struct diag *dg)
{
	bool older;

	if (images_find(spec, kind, filesp, ret_image, &older, dg) != 0)
		return -1;
	if (ret_image->id == NULL &&
	    (build_missing(spec, kind, dg) != 0 ||
		images_find(spec, kind, filesp, ret_image, &older, dg) != 0))
		return -1;
	if (ret_image->id == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "the %s image that was built is not there",
		    build_kind_name(kind));
	*olderp = *olderp || older;
	return 0;
}

int
images_get(
    const struct images_spec *spec, struct images *ret_images, struct diag *dg)
{
	cleanup_context_files struct context_files *files = NULL;
	cleanup_images struct images images = IMAGES_INIT;
	bool older = false;

	if (find_or_build(
		spec, BUILD_AGENT, &files, &images.agent, &older, dg) != 0 ||
	    (spec->mode == MODE_CONTAINED &&
		find_or_build(spec, BUILD_EGRESS, &files, &images.egress,
		    &older, dg) != 0))
		return -1;
	if (older) {
		cleanup_strbuf struct strbuf command = STRBUF_INIT;

		add_command(spec, &command);
		diag_note("the images are older than what is installed: "
			  "run \"%s\"",
		    command.buf);
	}
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
