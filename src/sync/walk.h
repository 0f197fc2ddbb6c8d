/* SPDX-License-Identifier: MIT */
/*
 * walk: adds one tree or document of the host to a scan.
 *
 * scan.c chooses the trees and documents.  Failures are set in the walk's diag.
 * Exceeding a limit of the settings is DIAG_CONFIG.
 */
#ifndef DRYDOCK_WALK_H
#define DRYDOCK_WALK_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/fs-walk.h"
#include "sync/inodes.h"
#include "sync/scan.h"

struct agent;
struct agent_source;
struct knownprojects;
struct paths;
struct settings;

/* The position of a walk.  A symlink to a directory elsewhere gets its own. */
struct walk_place {
	const char *real; /* borrowed; real path of its root */
	size_t root; /* length of the path up to this root, with a slash */
	bool elsewhere; /* reached through a symlink that left the tree */
	bool followed; /* reached through a symlink: no symlink may leave it */
};

struct walk {
	struct fs_walk at; /* its path is below the session's home */
	struct scan *scan;
	const struct paths *paths;
	const struct settings *settings;
	const struct agent *agent;
	const struct knownprojects *known;
	const struct agent_source *tree;
	const char *home_name; /* path for messages: HOME/.tool */
	size_t prefix; /* length of the path up to the tree, with a slash */
	struct walk_place place;
	struct inodes credentials; /* owned */
};

/* The visit callback of walk->at. */
int walk_entry(struct fs_walk *at, int dirfd, const char *name);

/* Opens the current directory, adds it, and walks its contents. */
int walk_enter(
    struct walk *w, int dirfd, const char *name, const struct stat *st);

/* Adds the current entry.  NULL (diag set) if a limit is exceeded. */
struct scan_entry *walk_add(
    struct walk *w, enum scan_kind kind, const struct stat *st);
int walk_skip(struct walk *w, const struct stat *st, enum scan_why why);

/*
 * Opens a path with O_PATH and follows symlinks that belong to the caller or
 * root and are in no project.  *ret_links is the number of symlinks followed.
 * If the path cannot be opened or is not trusted, *ret_fd is -1 and the current
 * symlink has an entry with the reason.
 */
int walk_resolve(struct walk *w, int dirfd, const char *path,
    const struct stat *link, int *ret_fd, int *ret_links);

/*
 * Returns SCAN_FINE if the target of a symlink may be copied: it belongs to the
 * caller or root, and real is neither in a project nor in a protected place.
 */
enum scan_why walk_distrust(
    const struct walk *w, const struct stat *st, const char *real);

/*
 * *ret_real (returned) is the real path of fd.  It is NULL if the target is
 * skipped: a credential file, or a file without a path, such as a pipe behind
 * /dev/stdin.
 */
int walk_follow(
    struct walk *w, int fd, const struct stat *link, char **ret_real);

/*
 * Returns true if errnum means that this file cannot be read, while others may.
 */
bool walk_is_denied(int errnum);

#endif /* DRYDOCK_WALK_H */
