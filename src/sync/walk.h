/* SPDX-License-Identifier: MIT */
/*
 * walk: one of the host's trees or documents, on its way into a scan.
 *
 * For scan.c, which says what the trees are.  Failures are set in
 * the walk's diag; a limit of the settings that is met is DIAG_CONFIG.
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

/* Where a walk is; a link to a directory elsewhere starts one of its own. */
struct walk_place {
	const char *real; /* borrowed; where it is */
	size_t root; /* of the path: this walk's own root and a slash */
	bool elsewhere; /* behind a link that left the tree */
	bool followed; /* reached through a link: no other may leave it */
};

struct walk {
	struct fs_walk at; /* its path is below the session's home */
	struct scan *scan;
	const struct paths *paths;
	const struct settings *settings;
	const struct agent *agent;
	const struct knownprojects *known;
	const struct agent_source *tree;
	const char *home_name; /* where people see it: HOME/.claude */
	size_t prefix; /* of the path: the tree itself and a slash */
	struct walk_place place;
	struct inodes credentials; /* owned */
};

/* What walk->at.visit is. */
int walk_entry(struct fs_walk *at, int dirfd, const char *name);

/* Opens the directory at hand, adds it, and goes in. */
int walk_enter(
    struct walk *w, int dirfd, const char *name, const struct stat *st);

/* Adds the entry at hand; NULL when there is no room for it. */
struct scan_entry *walk_add(
    struct walk *w, enum scan_kind kind, const struct stat *st);
int walk_skip(struct walk *w, const struct stat *st, enum scan_why why);

/*
 * Opens a path, O_PATH, through links that are the caller's or root's and lie
 * in no project; *ret_links is how many.  *ret_fd is -1 when there is nothing to
 * go on with; the link at hand is an entry then, by whose name it says why.
 */
int walk_resolve(struct walk *w, int dirfd, const char *path,
    const struct stat *link, int *ret_fd, int *ret_links);

/*
 * SCAN_FINE when what a link leads to may go along: fd is the caller's or
 * root's, and lies, at real, neither in a project nor in a protected place.
 */
enum scan_why walk_distrust(
    const struct walk *w, const struct stat *st, const char *real);

/*
 * *ret_real, returned, is where fd is, or NULL for what is skipped: a
 * credential file, and what has no path, as a pipe behind /dev/stdin.
 */
int walk_follow(
    struct walk *w, int fd, const struct stat *link, char **ret_real);

/* Whether errnum says that this one cannot be read, as others can. */
bool walk_is_denied(int errnum);

#endif /* DRYDOCK_WALK_H */
