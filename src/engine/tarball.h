/* SPDX-License-Identifier: MIT */
/*
 * tarball: makes reproducible tar streams (POSIX.1-2001 pax) in memory.  Owner
 * 0:0, no owner names, time 0, and the mode given by the caller.
 */
#ifndef DRYDOCK_TARBALL_H
#define DRYDOCK_TARBALL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct diag;
struct strbuf;
struct tarball;

/* out gets the bytes; it is borrowed until tarball_finish(). */
struct tarball *tarball_new(struct strbuf *out, bool gzip);
void tarball_add_dir(struct tarball *t, const char *path, mode_t mode);
void tarball_add_file(struct tarball *t, const char *path, mode_t mode,
    const void *data, size_t len);

/*
 * Frees t (given).  The first failure of libarchive, or to load it, is
 * reported here as DIAG_IO.
 */
int tarball_finish(struct tarball *t, struct diag *dg);

#endif /* DRYDOCK_TARBALL_H */
