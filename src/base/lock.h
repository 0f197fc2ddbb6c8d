/* SPDX-License-Identifier: MIT */
/*
 * lock: flock(2) on a file that stands at a name.
 *
 * Whoever wins also checks that the name still leads to the inode that it
 * locked; otherwise the file was renamed or removed meanwhile and the lock
 * means nothing.
 */
#ifndef DRYDOCK_LOCK_H
#define DRYDOCK_LOCK_H

#include <stdbool.h>

struct diag;

enum lock_answer {
	LOCK_WON,
	LOCK_BUSY, /* somebody else holds it */
	LOCK_GONE, /* the name does not lead to a file, or not any more */
};

/*
 * Takes the exclusive lock on name beneath dirfd without waiting; with create
 * the file is made (0600) when absent.  *ret_fd is set for LOCK_WON alone and
 * holds the lock until the last copy of it is closed; it is close-on-exec.
 */
int lock_try(int dirfd, const char *name, bool create,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg);

/* The same, but waits at most timeout_ms; LOCK_BUSY when that has passed. */
int lock_wait(int dirfd, const char *name, bool create, int timeout_ms,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg);

#endif /* DRYDOCK_LOCK_H */
