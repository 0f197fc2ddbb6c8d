/* SPDX-License-Identifier: MIT */
/*
 * shortlinks: a directory of symlinks that give files with long paths a short
 * one, for sockets.
 *
 * The directory may lie in /tmp, where another user can make it first.  So it
 * must be a real directory of the caller, and it is closed to all others.
 * Nothing in it but a symlink is ever replaced or removed.
 */
#ifndef DRYDOCK_SHORTLINKS_H
#define DRYDOCK_SHORTLINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct diag;

/* The literal path, so that all processes of the user agree on it. */
#define SHORTLINKS_DIR "/tmp/drydock-"

enum {
	/* macOS has 104 bytes in sun_path with the NUL, Linux 108. */
	SHORTLINKS_PATH_MAX = 104 - 1
};

/*
 * Returns true if dir is the caller's, closed to others, and dir/name leads to
 * the file of *want.  Two system calls.
 */
bool shortlinks_are_right(
    const char *dir, uid_t uid, const char *name, const struct stat *want);

/*
 * Opens dir, and makes it first if make is true.  Mode 0700 is set again if it
 * has another.  Another user's directory, a symlink or another file is DIAG_IO.
 * Without make, a missing directory is DIAG_IO with ENOENT.
 */
int shortlinks_open(
    const char *dir, uid_t uid, bool make, int *ret_fd, struct diag *dg);

/*
 * Makes dir/name lead to target, unless it leads to the file of *want already.
 * Makes dir.  Other processes may do the same, and may remove links or dir.
 * Anything else than a symlink at name is DIAG_IO and stays.
 */
int shortlinks_put(const char *dir, uid_t uid, const char *name,
    const char *target, const struct stat *want, struct diag *dg);

/*
 * Removes a symlink that leads nowhere, and nothing else.  Returns 0, or -1
 * with errno if one may remain.
 */
int shortlinks_remove_dangling(int fd, const char *name);

/*
 * Removes the dangling links for which is_own() is true, and what a killed
 * shortlinks_put() left of one.  Returns the number of failures; each is a
 * warning.  A missing directory is no failure.
 */
size_t shortlinks_sweep(
    const char *dir, uid_t uid, bool (*is_own)(const char *name));

#endif /* DRYDOCK_SHORTLINKS_H */
