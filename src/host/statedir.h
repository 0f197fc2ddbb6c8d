/* SPDX-License-Identifier: MIT */
/* statedir: drydock's state directory and its id. */
#ifndef DRYDOCK_STATEDIR_H
#define DRYDOCK_STATEDIR_H

struct diag;
struct paths;

/*
 * Creates and opens the state directory (0700, owned by the caller) and its
 * fixed children (sessions/, agents/, tokens/, trash/), and reads or creates
 * the state id.  A file system without dependable flock and rename (9p, NFS,
 * SMB, FUSE) is an error that names it.  A damaged id file is DIAG_DATA; the
 * caller must then delete nothing.
 */
int statedir_open(struct paths *paths, struct diag *dg);

/*
 * Opens the state directory if it exists and creates nothing.  *ret_there is 0
 * when it does not exist.
 */
int statedir_open_readonly(
    struct paths *paths, int *ret_there, struct diag *dg);

#endif /* DRYDOCK_STATEDIR_H */
