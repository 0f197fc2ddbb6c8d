/* SPDX-License-Identifier: MIT */
/*
 * images: the images that a launch uses, built first when they are missing
 * and somebody says yes.
 */
#ifndef DRYDOCK_IMAGES_H
#define DRYDOCK_IMAGES_H

#include <stdbool.h>

#include "engine/build.h"
#include "engine/image.h"
#include "host/mode.h"

struct context_files;
struct diag;
struct engine;
struct paths;

struct images {
	struct image agent;
	struct image egress; /* contained only; else without an id */
};

#define IMAGES_INIT                    \
	{                              \
		IMAGE_INIT, IMAGE_INIT \
	}

/* Makes both images, with progress for people. */
typedef int images_builder(const struct engine *engine,
    const struct build_recipe *recipe, const struct paths *paths,
    const char *const *environ_, struct diag *dg);

struct images_spec {
	const struct engine *engine;
	struct build_recipe recipe;
	const struct paths *paths;
	/* For messages: the directory, when it has settings of its own. */
	const char *project;
	const char *const *environ_; /* the caller's, for a build */
	enum mode mode;
	images_builder *build;
};

/*
 * The recorded image of this kind for this user, best one made of what is
 * installed; *ret_older when it was made of something else.  ret_image->id is
 * NULL when there is none.  Of spec no more than engine, recipe and paths is read.
 * What is installed is read into *filesp, the caller's, when that is NULL.
 */
int images_find(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image, bool *ret_older,
    struct diag *dg);

/* Sets DIAG_ENGINE: there is no such image, and how to make it. */
int images_missing(
    const struct images_spec *spec, enum build_kind kind, struct diag *dg);

/*
 * The images of a launch, by the record; the engine is probed.  When one is
 * missing both are built after asking at a terminal (DIAG_CANCELLED for a no);
 * without one it is DIAG_ENGINE with the command.  Images older than what is
 * installed are used, with a note.
 */
int images_get(
    const struct images_spec *spec, struct images *ret_images, struct diag *dg);
void images_release(struct images *images);

#define cleanup_images __attribute__((cleanup(images_release)))

#endif /* DRYDOCK_IMAGES_H */
