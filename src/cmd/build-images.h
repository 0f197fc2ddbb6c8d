/* SPDX-License-Identifier: MIT */
/*
 * build-images: builds both images and shows progress on stderr: one status
 * line that is rewritten on a terminal, one line per step elsewhere.
 */
#ifndef DRYDOCK_BUILD_IMAGES_H
#define DRYDOCK_BUILD_IMAGES_H

#include "engine/build.h"

struct diag;
struct engine;
struct paths;

struct built_images {
	struct build_outcome agent;
	struct build_outcome egress;
};

/*
 * Builds both images.  The progress fields of options are ignored and set here.
 * Fails as build_image() does.
 */
int build_images(const struct engine *engine, const struct build_recipe *recipe,
    const struct paths *paths, const struct build_options *options,
    struct built_images *ret_built, struct diag *dg);
void built_images_release(struct built_images *built);

#define BUILT_IMAGES_INIT        \
	{                        \
		{ NULL, "" },    \
		{                \
			NULL, "" \
		}                \
	}
#define cleanup_built_images __attribute__((cleanup(built_images_release)))

#endif /* DRYDOCK_BUILD_IMAGES_H */
