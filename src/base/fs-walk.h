/* SPDX-License-Identifier: MIT */
/*
 * fs-walk: reads a directory, and the tree below it, entry by entry.
 *
 * A walk uses directory descriptors and follows no symlink, so that it stays in
 * its tree during concurrent renames.  The order is the file system's.  The
 * visitor gets the directory's descriptor and the entry's name.  The visitor
 * determines the entry's type and decides whether to descend; walk->type is
 * only a hint.
 */
#ifndef DRYDOCK_FS_WALK_H
#define DRYDOCK_FS_WALK_H

#include "base/diag.h"
#include "base/strbuf.h"

struct strvec;

struct fs_walk {
	/*
	 * Called for each entry except "." and "..", with its directory
	 * (borrowed).  Returns 0 to continue, or -1 with *dg set to end the
	 * walk.
	 */
	int (*visit)(struct fs_walk *walk, int dirfd, const char *name);
	void *arg; /* borrowed; for the visitor */
	struct diag *dg; /* borrowed */
	const char *label; /* borrowed; precedes path in messages */
	struct strbuf path; /* owned; path of the current entry */
	/* DT_* of the entry, as its directory has it; DT_UNKNOWN is common */
	unsigned char type;
	int depth; /* of the directory to read; 0 or the start's depth */
	int max_depth; /* beyond this the walk fails with too_deep */
	enum diag_class too_deep;
};

/*
 * Opens a directory for fs_walk_read().  name is one component of dirfd or ".";
 * a symlink is not followed.  The caller closes the descriptor.  Returns -1
 * with errno.
 */
int fs_walk_open(int dirfd, const char *name);

/*
 * Reads the directory fd (given) and calls walk->visit for each entry.  A
 * visitor calls this function to descend.  Each name is appended to walk->path,
 * after a slash if the path is not empty.  path and depth are restored
 * afterwards.  Each level uses a descriptor and some stack.
 */
int fs_walk_read(struct fs_walk *walk, int fd);

/*
 * Lists the names in a directory, sorted, without "." and "..".  dirfd is
 * borrowed and its offset does not change.  The caller owns ret_names, which
 * must be empty.  A read error (DIAG_IO) or more than FS_LIST_MAX names
 * (DIAG_DATA) is a failure, never a shorter list.  Messages call the directory
 * what.
 */
#define FS_LIST_MAX 100000
int fs_list_names(
    int dirfd, const char *what, struct strvec *ret_names, struct diag *dg);

/* Sets DIAG_IO "DOING LABEL/PATH: strerror(errno)"; returns -1. */
int fs_walk_fail(struct fs_walk *walk, const char *doing);

/* Frees path.  A walk can be released at any time. */
void fs_walk_release(struct fs_walk *walk);

#define cleanup_fs_walk __attribute__((cleanup(fs_walk_release)))

#endif /* DRYDOCK_FS_WALK_H */
