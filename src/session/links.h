/* SPDX-License-Identifier: MIT */
/*
 * links: short paths to the sessions' sockets, for other programs.
 *
 * sun_path holds 108 bytes, and the path of the state directory may be longer.
 * So $XDG_RUNTIME_DIR/drydock/ID is a symlink to the session's run/.  drydock
 * itself uses the open directory and never these links.
 */
#ifndef DRYDOCK_LINKS_H
#define DRYDOCK_LINKS_H

#include <stddef.h>

struct diag;
struct paths;
struct session;

/*
 * Makes the link of a session; run_fd is its run/.  Makes the directory with
 * mode 0700.  A directory that belongs to another user, is a symlink, or is
 * accessible to others is DIAG_IO.
 */
int links_make(
    const struct paths *paths, const char *id, int run_fd, struct diag *dg);

/* The same; a failure is a warning, because the link is for other programs. */
void links_renew(const struct paths *paths, const struct session *session);

/* Returned: the path of a session's socket through its link. */
char *links_socket(const struct paths *paths, const char *id);

/* Removes the link of a session whose directory is gone. */
void links_remove(const struct paths *paths, const char *id);

/*
 * Removes dangling links of sessions and nothing else.  Returns how many could
 * not be removed, or 1 when the directory could not be read.  Each failure is a
 * warning.
 */
size_t links_sweep(const struct paths *paths);

#endif /* DRYDOCK_LINKS_H */
