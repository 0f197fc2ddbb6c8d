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
#include "engine/engine.h"
#include "host/paths.h"

static int
find_one(const struct images_spec *f, enum build_kind kind,
    struct image *ret_image, struct diag *dg)
{
	struct image_user user = {
		.name = f->paths->user,
		.uid = f->paths->uid,
		.gid = f->paths->gid,
		.home = f->paths->home,
	};

	return image_find(f->engine, build_kind_name(kind),
	    kind == BUILD_AGENT ? &user : NULL, ret_image, dg);
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

/* That the digest cannot be told now is no reason not to launch. */
static bool
is_older(const struct images_spec *f, enum build_kind kind,
    const struct image *image)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	char digest[DIGEST_HEX_SIZE];

	if (build_context_digest(kind, f->settings, f->paths, digest, &dg) !=
	    0) {
		diag_warn("%s", dg.message);
		return false;
	}
	return strcmp(image->context, digest) != 0;
}

static int
look_up(void *arg, struct diag *dg)
{
	struct image_lookup *l = arg;

	if (find_one(l->spec, l->kind, &l->image, dg) != 0)
		return -1;
	l->older = l->image.id != NULL && is_older(l->spec, l->kind, &l->image);
	return 0;
}

static void
start_one(struct image_lookup *l, const struct images_spec *spec,
    enum build_kind kind)
{
	l->spec = spec;
	l->kind = kind;
	l->image = (struct image)IMAGE_INIT;
	l->older = false;
	task_start(&l->task, look_up, l);
}

void
images_search_start(
    struct images_search *search, const struct images_spec *spec)
{
	start_one(&search->agent, spec, BUILD_AGENT);
	if (spec->mode == MODE_CONTAINED)
		start_one(&search->egress, spec, BUILD_EGRESS);
}

/* Builds when it is missing, and hands it over. */
static int
take_one(struct image_lookup *l, struct image *ret_image, struct diag *dg)
{
	if (l->image.id == NULL) {
		image_release(&l->image);
		if (build_missing(l->spec, l->kind, dg) != 0 ||
		    look_up(l, dg) != 0)
			return -1;
		if (l->image.id == NULL)
			return diag_set(dg, DIAG_ENGINE,
			    "the %s image that was built is not there",
			    build_kind_name(l->kind));
	}
	*ret_image = l->image;
	l->image = (struct image)IMAGE_INIT;
	return 0;
}

int
images_search_finish(
    struct images_search *search, struct images *ret_images, struct diag *dg)
{
	struct image_lookup *lookups[] = { &search->agent, &search->egress };
	struct image *images[] = { &ret_images->agent, &ret_images->egress };
	size_t n = search->agent.spec->mode == MODE_CONTAINED ? 2 : 1;
	bool older = false;

	for (size_t i = 0; i < n; i++)
		(void)task_join(&lookups[i]->task, dg);
	for (size_t i = 0; i < n; i++) {
		if (dg->class == DIAG_NONE &&
		    take_one(lookups[i], images[i], dg) == 0)
			older = older || lookups[i]->older;
		image_release(&lookups[i]->image);
	}
	if (dg->class != DIAG_NONE)
		return -1;
	if (older)
		diag_note("the images are older than what is installed: "
			  "run drydock build");
	return 0;
}

void
images_release(struct images *images)
{
	image_release(&images->agent);
	image_release(&images->egress);
}
