/* SPDX-License-Identifier: MIT */
/*
 * images: the images of a launch.  Missing images are built after a
 * confirmation.
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
struct strbuf;

struct images {
	struct image agent;
	struct image egress; /* contained mode only; else without an id */
	bool lease; /* both images' holders support the sidecar's lease */
};

#define IMAGES_INIT                           \
	{                                     \
		IMAGE_INIT, IMAGE_INIT, false \
	}

/* Builds both images and prints progress. */
typedef int images_builder(const struct engine *engine,
    const struct build_recipe *recipe, const char *const *environ_,
    struct diag *dg);

struct images_spec {
	const struct engine *engine;
	struct build_recipe recipe;
	/*
	 * For messages: the project directory if it has its own settings, else
	 * NULL.
	 */
	const char *project;
	const char *const *environ_; /* the caller's environment, for a build */
	enum mode mode;
	images_builder *build;
};

/*
 * Finds the recorded image of this kind for this user.  An image of the
 * installed files and the current settings is preferred.  For another image,
 * the differences are appended to differs.  ret_image->id is NULL if there is
 * no image.  Reads only engine and recipe of spec.  If *filesp is NULL,
 * reads the installed files into it; the caller frees them.
 */
int images_find(const struct images_spec *spec, enum build_kind kind,
    struct context_files **filesp, struct image *ret_image,
    struct strbuf *differs, struct diag *dg);

/* Sets DIAG_ENGINE: the image is missing, with the command that builds it. */
int images_missing(
    const struct images_spec *spec, enum build_kind kind, struct diag *dg);

/*
 * Returns the recorded images for a launch.  The engine is probed.  If one is
 * missing, asks on a terminal and builds both; a no is DIAG_CANCELLED.  Without
 * a terminal a missing image is DIAG_ENGINE with the command that builds it.
 * Images of other files or settings are used, with a note of what differs.
 */
int images_get(
    const struct images_spec *spec, struct images *ret_images, struct diag *dg);
void images_release(struct images *images);

/* Sets images->lease, from the record of the builds of both images. */
int images_find_lease(const struct paths *paths, const struct engine *engine,
    struct images *images, struct diag *dg);

#define cleanup_images __attribute__((cleanup(images_release)))

#endif /* DRYDOCK_IMAGES_H */
