/* SPDX-License-Identifier: MIT */
/*
 * image: the properties of an image.  Labels do not prove that drydock built an
 * image; only the record does (engine/built.h).
 */
#ifndef DRYDOCK_IMAGE_H
#define DRYDOCK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strvec.h"

struct diag;
struct engine;
struct json;
struct paths;

/* The prefix of drydock's labels, and the label of a base that drydock made. */
#define IMAGE_LABEL_PREFIX "io.drydock."
#define IMAGE_BASE_LABEL IMAGE_LABEL_PREFIX "image=base"

struct image {
	char *id; /* owned; sha256:64 hex digits; NULL: none found */
	char *context; /* owned; label io.drydock.context */
	char *created; /* owned; RFC 3339 */
	int64_t size; /* bytes, with the layers that it shares; 0: unknown */
	struct strvec env; /* Config.Env */
	struct strvec entrypoint; /* Config.Entrypoint */
	struct strvec command; /* Config.Cmd */
	struct strvec labels; /* NAME=VALUE */
	struct strvec tags; /* NAME:TAG, for people */
	struct strvec volumes; /* paths of VOLUME instructions */
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

/* The user that an agent image was built for. */
struct image_user {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *home;
};

/* The caller; the strings are borrowed from paths. */
struct image_user image_user_of(const struct paths *paths);

/*
 * Appends the labels that a build sets on an image of this kind ("agent",
 * "egress", "base"), as NAME=VALUE.  context and user are NULL if the kind has
 * none.
 */
void image_make_labels(const char *kind, const struct image_user *user,
    const char *context, struct strvec *ret_labels);

/*
 * Gives the image a tag and takes the tag from another image.  The tag is for
 * people, and protects the image from `docker image prune`.
 */
int image_tag(const struct engine *engine, const char *image_id,
    const char *name, struct diag *dg);

bool image_carries(const struct image *image, const struct strvec *labels);

/*
 * DIAG_POLICY if the image has VOLUME, HEALTHCHECK, ONBUILD, or an io.drydock.*
 * label that no build sets.  The message names the image.
 */
int image_judge(const struct image *image, struct diag *dg);

/* Appends the ids of all images with the label io.drydock.image. */
int images_list_labelled(
    const struct engine *engine, struct strvec *ret_ids, struct diag *dg);

/* Inspects images by id.  Ids that the engine does not have are left out. */
int images_inspect(const struct engine *engine, const struct strvec *ids,
    struct image_list *ret_images, struct diag *dg);

/*
 * Inspects an image by reference or id.  ret_image->id is NULL if the engine
 * does not have the image.
 */
int image_inspect(const struct engine *engine, const char *reference,
    struct image *ret_image, struct diag *dg);

/*
 * Removes an image by id, and no other image.  If the engine refuses because of
 * a container, a name or a derived image, succeeds and stores its reason in
 * *ret_why (returned).  An image that does not exist is a success.
 */
int image_remove(const struct engine *engine, const char *image_id,
    char **ret_why, struct diag *dg);

/*
 * Stores for each image id the bytes of the layers that it shares with other
 * images, or -1 if the engine does not tell.
 */
int images_shared_sizes(const struct engine *engine, const struct strvec *ids,
    int64_t *ret_sizes, struct diag *dg);

/*
 * Returns the Dockerfile instruction that would change a session without being
 * in its plan: "VOLUME", "HEALTHCHECK", "ONBUILD", or NULL.
 */
const char *image_acts_by(const struct image *image);

/* Reads the engine's JSON object about one image.  For tests and fuzzing. */
int image_read(
    const struct json *object, struct image *ret_image, struct diag *dg);
void image_release(struct image *image);
void image_list_release(struct image_list *list);

#define cleanup_image __attribute__((cleanup(image_release)))
#define cleanup_image_list __attribute__((cleanup(image_list_release)))

#endif /* DRYDOCK_IMAGE_H */
