/* SPDX-License-Identifier: MIT */
/*
 * resolve: follows a path one component at a time, so that the caller can check
 * each symlink, and each other component, before it is followed.
 *
 * The component is held open during the check: replacing its name afterwards
 * has no effect on the result.
 */
#ifndef DRYDOCK_RESOLVE_H
#define DRYDOCK_RESOLVE_H

#include <sys/stat.h>

/* The kernel's limit on symlinks in one path; one more is ELOOP. */
#define RESOLVE_MAX_LINKS 40

struct resolve {
	/*
	 * Called in order for each component except "." and "..", with the
	 * directory that holds it; for a symlink, before it is followed.
	 * Returns 0 to continue.  A positive number ends the walk and becomes
	 * its result.
	 */
	int (*judge)(
	    void *arg, int dirfd, const char *name, const struct stat *st);
	void *arg;
	int links; /* followed so far */
};

/*
 * Opens path with O_PATH, relative to dirfd, or from "/" if absolute.  A
 * symlink as the last component is followed too.  Returns 0 with *ret_fd, which
 * the caller closes; the judge's positive number; or -1 with errno.
 */
int resolve_open(struct resolve *r, int dirfd, const char *path, int *ret_fd);

#endif /* DRYDOCK_RESOLVE_H */
