/* SPDX-License-Identifier: MIT */
/*
 * built: the record of the images that `drydock build` made, images.json in
 * the state directory.
 *
 * A label or a tag says nothing about who made an image: whoever builds FROM
 * one of ours inherits its labels, and a tag can be moved.  Only an image whose
 * id stands in this record is run or built on.
 */
#ifndef DRYDOCK_BUILT_H
#define DRYDOCK_BUILT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine/image.h"

struct diag;
struct engine;
struct paths;

#define BUILT_FILE "images.json"

/* The Debian base that --bootstrap made; its context is Debian's release. */
#define BUILT_BASE "base"

/* All strings are owned; user and home are NULL unless kind is "agent". */
struct built {
	char *kind; /* "agent", "egress" or BUILT_BASE */
	char *image; /* sha256:... */
	char *context; /* the digest of what it was made of */
	/* What it was asked to have (build_recipe_text()); NULL: an older
	 * drydock's, which knew of one agent and of no toolchain. */
	char *recipe;
	char *engine_id;
	char *engine_data_root;
	char *user;
	char *home;
	uid_t uid;
	gid_t gid;
	char *built_at; /* RFC 3339 UTC */
};

struct built_list {
	struct built *v; /* owned; the one that was built last is the last */
	size_t nr;
	bool recorded; /* the file exists */
};

#define BUILT_LIST_INIT        \
	{                      \
		NULL, 0, false \
	}

/*
 * Reads the record in the open state directory.  No file is an empty list.  A
 * file that cannot be read, is damaged, or was written by a newer version is an
 * error (DIAG_DATA, or DIAG_IO) that names the file and what to do.
 */
int built_read(
    const struct paths *paths, struct built_list *ret_list, struct diag *dg);

/* The same from text, DIAG_DATA; for fuzzing too. */
int built_parse(
    const char *text, size_t len, struct built_list *ret_list, struct diag *dg);

/*
 * Takes the lock that builds of one state directory share, and waits for
 * another build for at most timeout_ms (DIAG_BUSY), with a note.  The lock is
 * held until *ret_fd is closed.
 */
int built_lock(
    const struct paths *paths, int timeout_ms, int *ret_fd, struct diag *dg);

/* What an image is for and made of. */
struct built_key {
	const char *kind;
	const struct image_user *user; /* NULL unless kind is "agent" */
	const char *recipe; /* NULL unless kind is "agent" */
	const char *context; /* to find: NULL is any */
	bool plain; /* to find: one without a recipe will do */
};

/*
 * Appends an image of this engine to the record and replaces the file.  The
 * caller holds built_lock() and has verified the image.  The oldest entries
 * beyond 64 of one kind, engine and user, and beyond 512 in all, are dropped.
 */
int built_add(const struct paths *paths, const struct engine *engine,
    const struct built_key *key, const char *image, struct diag *dg);

/*
 * The image with this key that was built last on this engine, and that the
 * engine still has.  ret_image->id is NULL when there is none.  One whose labels
 * are not those of its entry is DIAG_DATA; image_judge() is asked too.
 */
int built_find_image(const struct built_list *list, const struct engine *engine,
    const struct built_key *key, struct image *ret_image, struct diag *dg);

/* Whether the record has this image of this engine. */
bool built_has(const struct built_list *list, const struct engine *engine,
    const char *image);

/*
 * The images on the engine that carry drydock's label and are not recorded:
 * somebody else's, or made before there was a record.
 */
int built_find_unknown(const struct built_list *list,
    const struct engine *engine, struct image_list *ret_images,
    struct diag *dg);

void built_list_release(struct built_list *list);

#define cleanup_built_list __attribute__((cleanup(built_list_release)))

#endif /* DRYDOCK_BUILT_H */
