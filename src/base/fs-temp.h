/* SPDX-License-Identifier: MIT */
/*
 * fs-temp: what a file is filled under before it is renamed to its place.
 *
 * A process that is killed in between leaves such a file, whose name nobody
 * reads.  In a session's directory it goes with the session; whoever fills a
 * file of a directory that stays first removes what was left there.  Who fills
 * one holds its lock (flock(2)), which tells it from what was left.
 */
#ifndef DRYDOCK_FS_TEMP_H
#define DRYDOCK_FS_TEMP_H

#include <limits.h>

struct diag;

#define FS_TEMP_SIZE (NAME_MAX + 1)

/*
 * Makes an empty file of mode 0600 in dirfd, locked, whose name begins with
 * that of the file it is for.  *ret_fd is the caller's, for writing, and the
 * lock lasts until it is closed; the name is the caller's to rename or remove.
 */
int fs_temp_create(int dirfd, const char *name, char ret_temp[FS_TEMP_SIZE],
    int *ret_fd, struct diag *dg);

/*
 * Removes what killed processes left of such files for name in dirfd.  What it
 * cannot remove stays for the next time.
 */
void fs_temp_clean(int dirfd, const char *name);

#endif /* DRYDOCK_FS_TEMP_H */
