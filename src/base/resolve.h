/* SPDX-License-Identifier: MIT */
/*
 * resolve: follows a path one component at a time, so that the caller can judge
 * each symbolic link, and whatever else is on the way, before it is followed.
 *
 * What the caller judges is held open: a name that is swapped afterwards has no
 * effect on where the path leads.
 */
#ifndef DRYDOCK_RESOLVE_H
#define DRYDOCK_RESOLVE_H

#include <sys/stat.h>

/* As many links as the kernel follows in one path; one more is ELOOP. */
#define RESOLVE_MAX_LINKS 40

struct resolve {
	/*
	 * Called for each component but "." and "..", in order, with the
	 * directory that holds it, and for a link before it is followed.  0
	 * goes on; a positive number ends the walk and is its result.
	 */
	int (*judge)(
	    void *arg, int dirfd, const char *name, const struct stat *st);
	void *arg;
	int links; /* followed so far */
};

/*
 * Opens path, O_PATH, from dirfd (or from "/" when it is absolute), following
 * links also at its end.  Returns 0 with *ret_fd, which the caller closes; the
 * judge's number; or -1 with errno.
 */
int resolve_open(struct resolve *r, int dirfd, const char *path, int *ret_fd);

#endif /* DRYDOCK_RESOLVE_H */
