/* SPDX-License-Identifier: MIT */
/*
 * fs-temp: temporary files, filled and then renamed to their final name.
 *
 * A killed process leaves its temporary file behind.  No reader uses the name
 * of a temporary file.  In a session's directory the file is removed with the
 * session.  In a directory that outlives sessions, a writer calls
 * fs_temp_clean() first.  The writer holds an exclusive flock(2) on its
 * temporary file; an unlocked file is a leftover.
 */
#ifndef DRYDOCK_FS_TEMP_H
#define DRYDOCK_FS_TEMP_H

#include <limits.h>

struct diag;

#define FS_TEMP_SIZE (NAME_MAX + 1)

/*
 * Creates an empty, locked file of mode 0600 in dirfd, called ".NAME.RANDOM".
 * The caller closes *ret_fd, open for reading and writing; that releases the
 * lock.  The caller renames or removes the file.
 */
int fs_temp_create(int dirfd, const char *name, char ret_temp[FS_TEMP_SIZE],
    int *ret_fd, struct diag *dg);

/*
 * Removes the temporary files for name that killed processes left in dirfd.  A
 * file that cannot be removed stays for the next call.
 */
void fs_temp_clean(int dirfd, const char *name);

#endif /* DRYDOCK_FS_TEMP_H */
