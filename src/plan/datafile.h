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
 * Opens compose/ of the data directory (O_PATH), which the caller closes, once
 * its parents and it are what they must be: else as datafile_read() fails.
 */
int datafile_open_dir(const struct paths *paths, int *ret_fd, struct diag *dg);

/*
 * Appends the file of this name there.  Absent is DIAG_CONFIG, somebody else's
 * DIAG_POLICY; over max bytes DIAG_DATA.
 */
int datafile_read(const struct paths *paths, int dir_fd, const char *name,
    size_t max, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_DATAFILE_H */
