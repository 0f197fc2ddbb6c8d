/* SPDX-License-Identifier: MIT */
/*
 * image: the images that drydock built, found by label and used by id.
 */
#ifndef DRYDOCK_IMAGE_H
#define DRYDOCK_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "base/strvec.h"

struct diag;
struct engine;
struct json;

/* The labels that are drydock's own, and a base that drydock bootstrapped. */
#define IMAGE_LABEL_PREFIX "io.drydock."
#define IMAGE_BASE_LABEL IMAGE_LABEL_PREFIX "image=base"

struct image {
	char *id; /* owned; sha256:64 hex digits; NULL: none found */
	char *context; /* owned; label io.drydock.context */
	char *created; /* owned; RFC 3339 */
	struct timespec built; /* created, or tagged since: see image_find() */
	struct strvec env; /* Config.Env */
	struct strvec entrypoint; /* Config.Entrypoint */
	struct strvec command; /* Config.Cmd */
	struct strvec labels; /* NAME=VALUE */
	bool has_volumes;
	bool has_healthcheck;
	bool has_onbuild;
};

#define IMAGE_INIT                                             \
	{                                                      \
		.env = STRVEC_INIT, .entrypoint = STRVEC_INIT, \
		.command = STRVEC_INIT, .labels = STRVEC_INIT  \
	}

/* What an agent image was made for. */
struct image_user {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *home;
};

/*
 * The image with io.drydock.image=kind ("agent" or "egress"); for the agent
 * also with this user's labels.  Of several it is one that was made of
 * context, and of these the one that was built last: two installations on one
 * engine have images of their own.  context may be NULL: any.  A build that
 * finds all of it in the cache makes nothing new, so being tagged counts as
 * being built.  ret->id is NULL when there is none.
 * One with VOLUME, HEALTHCHECK, ONBUILD, or io.drydock.* labels other than the
 * build's is DIAG_POLICY, naming it.
 */
int image_find(const struct engine *engine, const char *kind,
    const struct image_user *user, const char *context, struct image *ret_image,
    struct diag *dg);

/* By reference or id; ret->id is NULL when the engine does not know it. */
int image_inspect(const struct engine *engine, const char *reference,
    struct image *ret_image, struct diag *dg);

/*
 * What of a Dockerfile would make the image act by itself, which no plan shows:
 * "VOLUME", "HEALTHCHECK", "ONBUILD", or NULL.
 */
const char *image_acts_by(const struct image *image);

/* The array that `docker image inspect` prints; for fuzzing too. */
int image_parse(
    const char *text, size_t len, struct image *ret_image, struct diag *dg);
void image_release(struct image *image);

#define cleanup_image __attribute__((cleanup(image_release)))

#endif /* DRYDOCK_IMAGE_H */
