/* SPDX-License-Identifier: MIT */
/*
 * datafile: reads files that are installed beside the overlays.
 *
 * Such a file decides what a session may do.  Therefore the file and its parent
 * directories must belong to root or to the caller, and nobody else may have
 * write permission.
 */
#ifndef DRYDOCK_DATAFILE_H
#define DRYDOCK_DATAFILE_H

#include <stddef.h>

struct diag;
struct paths;
struct strbuf;

/*
 * Appends the contents of the file "name" in compose/ of the data directory.
 * An absent file is DIAG_CONFIG, a file that others could change is
 * DIAG_POLICY, a file of more than max bytes is DIAG_DATA.
 */
int datafile_read(const struct paths *paths, const char *name, size_t max,
    struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_DATAFILE_H */
