/* SPDX-License-Identifier: MIT */
/*
 * crate: the package file of a crate, NAME-VERSION.crate.
 *
 * A crate is a gzip'ed tar whose entries lie below NAME-VERSION/.  Sources are
 * the host user's own cache and slots that sessions wrote: all are hostile
 * input.  The bytes are read once; the checksum is computed from the bytes that
 * are unpacked.
 */
#ifndef DRYDOCK_CRATE_H
#define DRYDOCK_CRATE_H

#include <stddef.h>

#include "base/digest.h"

struct diag;
struct package_sources;
struct strbuf;

/*
 * Reads the crate that has this checksum and appends its bytes.  A file of that
 * name with other bytes is a warning, and the next source is tried.  If no
 * source has the crate, the failure is DIAG_NO; the message says how to get it
 * in a session.
 */
int crate_find(const struct package_sources *sources, const char *name,
    const char *version, const struct digest *checksum, struct strbuf *out,
    struct diag *dg);

/*
 * Unpacks a crate's files, all below NAME-VERSION/, into dir_fd as
 * packagetar_unpack() does.
 */
int crate_unpack(const char *bytes, size_t len, const char *name,
    const char *version, int dir_fd, struct diag *dg);

#endif /* DRYDOCK_CRATE_H */
