/* SPDX-License-Identifier: MIT */
/*
 * lock: flock(2) on a file that has a name.
 *
 * After locking, the name is resolved again and compared with the locked inode.
 * If they differ, the file was renamed or removed meanwhile, and the lock is
 * worthless.
 */
#ifndef DRYDOCK_LOCK_H
#define DRYDOCK_LOCK_H

#include <stdbool.h>

struct diag;

enum lock_answer {
	LOCK_WON,
	LOCK_BUSY, /* another process holds it */
	LOCK_GONE, /* the name leads to no file, or to another */
};

/*
 * Takes the exclusive lock on name beneath dirfd without waiting.  If create is
 * true, a missing file is created with mode 0600.  *ret_fd is set for LOCK_WON
 * only, is close-on-exec, and holds the lock until its last copy is closed.
 */
int lock_try(int dirfd, const char *name, bool create,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg);

/* The same, but waits at most timeout_ms; LOCK_BUSY after that time. */
int lock_wait(int dirfd, const char *name, bool create, int timeout_ms,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg);

/*
 * The same for a lock that several callers can hold at once, while nobody holds
 * it exclusively.  Creates a missing file.
 */
int lock_wait_shared(int dirfd, const char *name, int timeout_ms,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg);

#endif /* DRYDOCK_LOCK_H */
