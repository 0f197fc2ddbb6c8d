/* SPDX-License-Identifier: MIT */
/*
 * built: the record of images that `drydock build` made (images.json in the
 * state directory).
 *
 * Labels and tags do not prove who made an image.  An image built FROM one of
 * drydock's images inherits its labels, and a tag can be moved.  drydock runs
 * an image, or builds on it, only if its id is in this record.
 */
#ifndef DRYDOCK_BUILT_H
#define DRYDOCK_BUILT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/image.h"

struct diag;
struct engine;
struct paths;
struct strvec;

#define BUILT_FILE "images.json"

/* What the holder of the installed files supports; each includes the lower. */
#define BUILT_HOLDER_LEASE 1 /* the lease of guest/lease.h */
#define BUILT_HOLDER_PROXY 2 /* it is the sidecar's proxy itself */
#define BUILT_HOLDER BUILT_HOLDER_PROXY

/*
 * The kind of a Debian base made by --bootstrap.  Its context is the Debian
 * release.
 */
#define BUILT_BASE "base"

/* The field base of an image that was built on such a base. */
#define BUILT_BOOTSTRAP "bootstrap"

/* All strings are owned.  user and home are NULL unless kind is "agent". */
struct built {
	char *kind; /* "agent", "egress" or BUILT_BASE */
	char *image; /* sha256:... */
	char *context; /* build_context_digest() */
	/*
	 * build_recipe_text(), or NULL for an image recorded by an older
	 * drydock, which supported one agent and no toolchains.
	 */
	char *recipe;
	char *engine_id;
	char *engine_data_root;
	char *user;
	char *home;
	uid_t uid;
	gid_t gid;
	char *built_at; /* RFC 3339 UTC */
	char *base; /* BUILT_BOOTSTRAP or a reference; NULL: not recorded */
	char *parts; /* parts of the context; NULL: not recorded */
	int64_t seconds; /* time that the build took; 0: not recorded */
	int64_t size; /* bytes of the image; 0: not recorded */
	int64_t holder; /* BUILT_HOLDER of the build; 0: not recorded */
};

struct built_list {
	struct built *v; /* owned; in build order, the newest last */
	size_t nr;
	bool recorded; /* the file exists */
};

#define BUILT_LIST_INIT        \
	{                      \
		NULL, 0, false \
	}

/*
 * Reads the record from the open state directory.  A missing file is an empty
 * list.  A file that is unreadable (DIAG_IO), damaged or written by a newer
 * version (DIAG_DATA) is an error; the message names the file and what to do.
 */
int built_read(
    const struct paths *paths, struct built_list *ret_list, struct diag *dg);

/* Parses the text of the record.  Failures are DIAG_DATA.  Also for fuzzing. */
int built_parse(
    const char *text, size_t len, struct built_list *ret_list, struct diag *dg);

/*
 * Takes the lock that all builds of one state directory share.  If another
 * build holds the lock, prints a note and waits for at most timeout_ms (0: does
 * neither), then fails with DIAG_BUSY.  The lock is held until *ret_fd is
 * closed.
 */
int built_lock(
    const struct paths *paths, int timeout_ms, int *ret_fd, struct diag *dg);

/* Identifies an image: its purpose and its contents. */
struct built_key {
	const char *kind;
	const struct image_user *user; /* NULL unless kind is "agent" */
	const char *recipe; /* NULL unless kind is "agent" */
	const char *context; /* NULL in a search: any context */
	bool plain; /* in a search: also match an entry without a recipe */
};

/* Facts about a build, for messages and later builds.  May be unset. */
struct built_facts {
	const char *base;
	const char *parts;
	int64_t seconds;
	int64_t size;
	int64_t holder;
};

/*
 * Adds an image of this engine to the record and replaces the file.  The caller
 * holds built_lock() and has verified the image.  The oldest entries are
 * dropped beyond 64 for one kind, engine and user, and beyond 512 in total.
 */
int built_add(const struct paths *paths, const struct engine *engine,
    const struct built_key *key, const struct built_facts *facts,
    const char *image, struct diag *dg);

/*
 * Finds the newest image with this key on this engine.  Entries whose image the
 * engine no longer has are skipped.  ret_image->id is NULL if there is none.
 * An image whose labels differ from its entry is DIAG_DATA.  image_judge() also
 * checks the image.
 */
int built_find_image(const struct built_list *list, const struct engine *engine,
    const struct built_key *key, struct image *ret_image, struct diag *dg);

bool built_is_of(const struct built *entry, const struct engine *engine);

/* Returns true if the image has the labels that its build set. */
bool built_labels_match(const struct built *entry, const struct image *image);

/*
 * Removes all entries of these images of this engine from the record.  The
 * caller holds built_lock().
 */
int built_forget(const struct paths *paths, const struct engine *engine,
    const struct strvec *images, struct diag *dg);

/* Returns the newest entry of this image on this engine, or NULL. */
const struct built *built_find(const struct built_list *list,
    const struct engine *engine, const char *image);

/* Returns the newest entry of a kind on this engine, or NULL. */
const struct built *built_find_last(const struct built_list *list,
    const struct engine *engine, const char *kind);

/*
 * Finds the images on the engine that carry drydock's label but are not in the
 * record: made by somebody else, or before the record existed.
 */
int built_find_unknown(const struct built_list *list,
    const struct engine *engine, struct image_list *ret_images,
    struct diag *dg);

void built_list_release(struct built_list *list);

#define cleanup_built_list __attribute__((cleanup(built_list_release)))

#endif /* DRYDOCK_BUILT_H */
