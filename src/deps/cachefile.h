/* SPDX-License-Identifier: MIT */
/*
 * cachefile: a file below a dependency cache.  Whoever wrote the cache may have
 * put links or other files there.
 */
#ifndef DRYDOCK_CACHEFILE_H
#define DRYDOCK_CACHEFILE_H

#include "deps/modzip.h"

struct stat;

#define CACHEFILE_MAX MODZIP_MAX_SIZE /* bytes of a package */

/* Follows no link and does not leave dirfd.  Returns -1 with errno. */
int cachefile_open_beneath(int dirfd, const char *path, int flags);

/*
 * Opens a regular file for reading.  Returns -1 with static text in *ret_why if
 * what is there is none, or its mode keeps it from being read.  Returns -1 with
 * errno and without a text if nothing is there (ENOENT), or if it cannot be
 * told.
 */
int cachefile_open(
    int dirfd, const char *path, struct stat *ret_st, const char **ret_why);

#endif /* DRYDOCK_CACHEFILE_H */
