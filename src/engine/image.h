/* SPDX-License-Identifier: MIT */
/*
 * image: what an image carries.  Which images are drydock's own, the record
 * says (engine/built.h), never a label.
 */
#ifndef DRYDOCK_IMAGE_H
#define DRYDOCK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strvec.h"

struct diag;
struct engine;
struct json;
struct paths;

/* The labels that are drydock's own, and a base that drydock bootstrapped. */
#define IMAGE_LABEL_PREFIX "io.drydock."
#define IMAGE_BASE_LABEL IMAGE_LABEL_PREFIX "image=base"

struct image {
	char *id; /* owned; sha256:64 hex digits; NULL: none found */
	char *context; /* owned; label io.drydock.context */
	char *created; /* owned; RFC 3339 */
	struct strvec env; /* Config.Env */
	struct strvec entrypoint; /* Config.Entrypoint */
	struct strvec command; /* Config.Cmd */
	struct strvec labels; /* NAME=VALUE */
	struct strvec tags; /* NAME:TAG, for people */
	struct strvec volumes; /* paths that VOLUME declares */
	bool has_volumes;
	bool has_healthcheck;
	bool has_onbuild;
};

#define IMAGE_INIT                                             \
	{                                                      \
		.env = STRVEC_INIT, .entrypoint = STRVEC_INIT, \
		.command = STRVEC_INIT, .labels = STRVEC_INIT, \
		.tags = STRVEC_INIT, .volumes = STRVEC_INIT    \
	}

struct image_list {
	struct image *v; /* owned */
	size_t nr;
};

#define IMAGE_LIST_INIT \
	{               \
		NULL, 0 \
	}

/* What an agent image was made for. */
struct image_user {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *home;
};

/* The caller; borrowed from paths. */
struct image_user image_user_of(const struct paths *paths);

/*
 * Appends the labels that a build puts on an image of this kind ("agent",
 * "egress", "base"), as NAME=VALUE.  context and user are NULL where the kind
 * has none.
 */
void image_make_labels(const char *kind, const struct image_user *user,
    const char *context, struct strvec *ret_labels);

bool image_carries(const struct image *image, const struct strvec *labels);

/*
 * An image with VOLUME, HEALTHCHECK, ONBUILD, or io.drydock.* labels other than
 * a build's is DIAG_POLICY, naming it.
 */
int image_judge(const struct image *image, struct diag *dg);

/* Appends the ids of the images that have a label of a build's. */
int images_list_labelled(
    const struct engine *engine, struct strvec *ret_ids, struct diag *dg);

/* By ids, without those that the engine does not know. */
int images_inspect(const struct engine *engine, const struct strvec *ids,
    struct image_list *ret_images, struct diag *dg);

/* By reference or id; ret->id is NULL when the engine does not know it. */
int image_inspect(const struct engine *engine, const char *reference,
    struct image *ret_image, struct diag *dg);

/*
 * What of a Dockerfile would make the image act by itself, which no plan shows:
 * "VOLUME", "HEALTHCHECK", "ONBUILD", or NULL.
 */
const char *image_acts_by(const struct image *image);

/* From what the engine answers of one; for tests and fuzzing. */
int image_parse(
    const char *text, size_t len, struct image *ret_image, struct diag *dg);
void image_release(struct image *image);
void image_list_release(struct image_list *list);

#define cleanup_image __attribute__((cleanup(image_release)))
#define cleanup_image_list __attribute__((cleanup(image_list_release)))

#endif /* DRYDOCK_IMAGE_H */
