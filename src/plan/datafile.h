/* SPDX-License-Identifier: MIT */
/*
 * datafile: what is installed beside the overlays, read with suspicion.
 *
 * A file that decides what a session may do is the administrator's or the
 * caller's: it and its parent directories belong to root or to the caller,
 * and nobody else may write there.
 */
#ifndef DRYDOCK_DATAFILE_H
#define DRYDOCK_DATAFILE_H

#include <stddef.h>

struct diag;
struct paths;
struct strbuf;

/*
 * Appends the file of this name in compose/ of the data directory.  Absent is
 * DIAG_CONFIG, one that others could change DIAG_POLICY; over max bytes
 * DIAG_DATA.
 */
int datafile_read(const struct paths *paths, const char *name, size_t max,
    struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_DATAFILE_H */
