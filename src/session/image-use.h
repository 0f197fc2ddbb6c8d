/* SPDX-License-Identifier: MIT */
/*
 * image-use: the recorded images, and the users of each of them.
 *
 * An image is needed by each session whose record names it, by the settings in
 * drydock.conf and in the environment, and by each project's own settings.  The
 * last base that --bootstrap made for a release is needed by later builds.
 */
#ifndef DRYDOCK_IMAGE_USE_H
#define DRYDOCK_IMAGE_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"
#include "engine/built.h"
#include "engine/image.h"

struct diag;
struct engine;
struct paths;
struct settings;
struct strbuf;

struct image_use {
	const struct built *entry; /* borrowed from struct image_uses */
	struct image image; /* id NULL: the engine does not have it */
	int64_t own_size; /* bytes that no other image has; -1: unknown */
	struct strvec users; /* "session ID", "drydock.conf", "projects/KEY" */
};

struct image_uses {
	struct built_list built;
	struct image_use *v; /* owned; of this engine only, newest last */
	size_t nr;
	/* Why not all uses are known; NULL if they are. */
	char *unknown; /* owned */
};

#define IMAGE_USES_INIT                        \
	{                                      \
		BUILT_LIST_INIT, NULL, 0, NULL \
	}

struct image_uses_spec {
	const struct paths *paths;
	const struct settings *settings; /* with environment and options */
	const struct engine *engine; /* probed */
};

/*
 * Reads the record, the sessions and the settings, and inspects each image.  A
 * session or a settings file that cannot be read is no failure, but sets
 * unknown.  A query that the engine does not answer is DIAG_ENGINE.
 */
int image_uses_read(const struct image_uses_spec *spec,
    struct image_uses *ret_uses, struct diag *dg);

/*
 * Keeps every image until *ret_fd is closed.  A launch calls this before it
 * chooses images, and closes the descriptor when it has a record.  If "gc
 * --images" runs, prints a note and waits for at most timeout_ms, then fails
 * with DIAG_BUSY.  A build does not delay this.
 */
int image_use_hold(
    const struct paths *paths, int timeout_ms, int *ret_fd, struct diag *dg);

/* Appends "agent codex; toolchains rust", "proxy" or "base bookworm". */
void image_use_describe(const struct image_use *use, struct strbuf *out);

struct image_removal {
	bool dry_run; /* removes nothing */
	/*
	 * Called for each image that is not needed.  why is NULL if the image
	 * is (or would be) removed, else the reason for which it stays.
	 */
	void (*on_image)(
	    void *arg, const struct image_use *use, const char *why);
	void *arg;
};

/*
 * Removes the images that nothing needs, by id, and their entries of the
 * record.  An image stays if its labels differ from the record, if it has a
 * name that drydock did not give it, or if the engine says that a container
 * uses it.  DIAG_BUSY, and nothing is removed: a build runs, a session is being
 * launched, or not all uses are known.
 */
int image_uses_remove(const struct image_uses_spec *spec,
    const struct image_removal *removal, struct diag *dg);

void image_uses_release(struct image_uses *uses);

#define cleanup_image_uses __attribute__((cleanup(image_uses_release)))

#endif /* DRYDOCK_IMAGE_USE_H */
