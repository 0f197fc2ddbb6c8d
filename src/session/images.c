/* SPDX-License-Identifier: MIT */
/* Finding the images of a launch, or having them built. */
#include "session/images.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "engine/build.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "host/paths.h"

/* That the digest cannot be told now is no reason not to launch. */
int
images_find(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image, bool *ret_older,
    struct diag *dg)
{
	cleanup_diag struct diag untold = DIAG_INIT;
	char digest[DIGEST_HEX_SIZE];
	struct image_user user = {
		.name = spec->paths->user,
		.uid = spec->paths->uid,
		.gid = spec->paths->gid,
		.home = spec->paths->home,
	};
	bool told = (*filesp != NULL ||
			context_read(spec->paths, filesp, &untold) == 0) &&
	    build_context_digest(
		kind, spec->settings, *filesp, digest, &untold) == 0;

	if (!told)
		diag_warn("%s", untold.message);
	if (image_find(spec->engine, build_kind_name(kind),
		kind == BUILD_AGENT ? &user : NULL, told ? digest : NULL,
		ret_image, dg) != 0)
		return -1;
	*ret_older = told && ret_image->id != NULL &&
	    strcmp(ret_image->context, digest) != 0;
	return 0;
}

/* Reads the rest of the line too, so that it reaches no command. */
static int
ask_to_build(const char *kind, struct diag *dg)
{
	char answer[16];
	size_t len = 0;
	char c;

	(void)fprintf(stderr,
	    "drydock: there is no %s image yet.  "
	    "Build it now, which takes minutes? [Y/n] ",
	    kind);
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return diag_set(dg, DIAG_CANCELLED, "cancelled");
		if (c == '\n')
			break;
		if (len < sizeof(answer) - 1 && !isspace((unsigned char)c))
			answer[len++] = (char)tolower((unsigned char)c);
	}
	answer[len] = '\0';
	if (len == 0 || strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0)
		return 0;
	return diag_set(dg, DIAG_CANCELLED, "no %s image", kind);
}

static int
build_missing(
    const struct images_spec *f, enum build_kind kind, struct diag *dg)
{
	const char *name = build_kind_name(kind);

	if (f->build == NULL || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return diag_set(dg, DIAG_ENGINE,
		    "there is no %s image for this user: run drydock build",
		    name);
	if (ask_to_build(name, dg) != 0)
		return -1;
	return f->build(f->engine, f->settings, f->paths, f->environ_, dg);
}

static int
look_up(struct images_search *s, enum build_kind kind,
    struct context_files **filesp, struct image *image, struct diag *dg)
{
	bool older;

	if (images_find(s->spec, kind, filesp, image, &older, dg) != 0)
		return -1;
	s->older = s->older || older;
	return 0;
}

static bool
wants_egress(const struct images_search *s)
{
	return s->spec->mode == MODE_CONTAINED;
}

static int
look_up_both(void *arg, struct diag *dg)
{
	cleanup_context_files struct context_files *files = NULL;
	struct images_search *s = arg;

	if (look_up(s, BUILD_AGENT, &files, &s->images.agent, dg) != 0)
		return -1;
	return wants_egress(s)
	    ? look_up(s, BUILD_EGRESS, &files, &s->images.egress, dg)
	    : 0;
}

void
images_search_start(
    struct images_search *search, const struct images_spec *spec)
{
	*search = (struct images_search){ .spec = spec, .images = IMAGES_INIT };
	task_start(&search->task, look_up_both, search);
}

static int
build_one(struct images_search *s, enum build_kind kind, struct image *image,
    struct diag *dg)
{
	cleanup_context_files struct context_files *files = NULL;

	if (image->id != NULL)
		return 0;
	image_release(image);
	if (build_missing(s->spec, kind, dg) != 0 ||
	    look_up(s, kind, &files, image, dg) != 0)
		return -1;
	if (image->id == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "the %s image that was built is not there",
		    build_kind_name(kind));
	return 0;
}

static struct images
steal_images(struct images *images)
{
	struct images taken = *images;

	*images = (struct images)IMAGES_INIT;
	return taken;
}

int
images_search_finish(
    struct images_search *search, struct images *ret_images, struct diag *dg)
{
	cleanup_images struct images images = IMAGES_INIT;

	(void)task_join(&search->task, dg);
	images = steal_images(&search->images);
	if (dg->class != DIAG_NONE ||
	    build_one(search, BUILD_AGENT, &images.agent, dg) != 0 ||
	    (wants_egress(search) &&
		build_one(search, BUILD_EGRESS, &images.egress, dg) != 0))
		return -1;
	if (search->older)
		diag_note("the images are older than what is installed: "
			  "run drydock build");
	*ret_images = steal_images(&images);
	return 0;
}

void
images_release(struct images *images)
{
	image_release(&images->agent);
	image_release(&images->egress);
}
