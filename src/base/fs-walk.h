/* SPDX-License-Identifier: MIT */
/*
 * fs-walk: what is in a directory, and below it, one entry after another.
 *
 * A walk goes by descriptors and follows no symbolic link, so that it stays in
 * the tree that it began in, whatever is renamed there meanwhile.  The order is
 * the file system's.  What an entry is and whether to go into it is the
 * visitor's to find out: it has the directory's descriptor and the name.
 */
#ifndef DRYDOCK_FS_WALK_H
#define DRYDOCK_FS_WALK_H

#include "base/diag.h"
#include "base/strbuf.h"

struct strvec;

struct fs_walk {
	/*
	 * Called for each entry but "." and "..", with its directory
	 * (borrowed).  0 goes on; -1, with *dg set, ends the walk.
	 */
	int (*visit)(struct fs_walk *walk, int dirfd, const char *name);
	void *arg; /* the visitor's, borrowed */
	struct diag *dg; /* borrowed */
	const char *label; /* in front of path in messages; borrowed */
	struct strbuf path; /* owned; of the entry at hand */
	int depth; /* of the directory to read; 0, or where a walk starts */
	int max_depth; /* a deeper directory is too_deep */
	enum diag_class too_deep;
};

/*
 * Opens a directory that a walk is about to read: a real one, by one component
 * or "." of dirfd.  The caller closes; -1 with errno.
 */
int fs_walk_open(int dirfd, const char *name);

/*
 * Reads fd (given), for the top as for each directory that a visitor goes
 * into, and calls walk->visit.  Each name is added to walk->path, behind a
 * slash where something stands there; path and depth are afterwards as they
 * were.  Takes a descriptor and some stack for each level.
 */
int fs_walk_read(struct fs_walk *walk, int fd);

/*
 * The sorted names in a directory (borrowed; its offset stays), without "." and
 * ".."; ret_names is empty before, and the caller's.  A reading that fails
 * midway (DIAG_IO) and more than FS_LIST_MAX names (DIAG_DATA) are failures,
 * never a shorter list.  Messages call the directory what.
 */
#define FS_LIST_MAX 100000
int fs_list_names(
    int dirfd, const char *what, struct strvec *ret_names, struct diag *dg);

/* "DOING LABEL/PATH: strerror(errno)", DIAG_IO; returns -1. */
int fs_walk_fail(struct fs_walk *walk, const char *doing);

/* Frees path; a walk can be released at any time. */
void fs_walk_release(struct fs_walk *walk);

#define cleanup_fs_walk __attribute__((cleanup(fs_walk_release)))

#endif /* DRYDOCK_FS_WALK_H */
