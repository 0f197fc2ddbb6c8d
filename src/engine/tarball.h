/* SPDX-License-Identifier: MIT */
/*
 * tarball: tar streams (POSIX.1-2001 pax) made in memory, the same bytes for
 * the same files: owner 0:0, no names, time 0, and the mode that is given.
 */
#ifndef DRYDOCK_TARBALL_H
#define DRYDOCK_TARBALL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct diag;
struct strbuf;
struct tarball;

/* out is borrowed until tarball_finish() and gets the bytes. */
struct tarball *tarball_new(struct strbuf *out, bool gzip);
void tarball_add_dir(struct tarball *t, const char *path, mode_t mode);
void tarball_add_file(struct tarball *t, const char *path, mode_t mode,
    const void *data, size_t len);

/* Frees t (given).  What libarchive refused on the way is DIAG_IO here. */
int tarball_finish(struct tarball *t, struct diag *dg);

#endif /* DRYDOCK_TARBALL_H */
