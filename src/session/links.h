/* SPDX-License-Identifier: MIT */
/*
 * links: short paths to the sessions' sockets, for other programs.
 *
 * sun_path holds 108 bytes, and the path of the state directory may be longer.
 * So /tmp/drydock-UID has two symlinks for each session: ID leads to its run/,
 * and ID.services to the directory of its services' sockets.
 * $XDG_RUNTIME_DIR/drydock has the same, but vanishes at log-out.  drydock
 * itself uses the open directory and never these links.
 */
#ifndef DRYDOCK_LINKS_H
#define DRYDOCK_LINKS_H

#include <stddef.h>

struct paths;
struct session;

/* Longest name of a socket in such a directory: "mongodb-27017.sock" has 18. */
#define LINKS_NAME_MAX 32

/* Suffix of the link to a session's services. */
#define LINKS_SERVICES ".services"

/*
 * Makes a session's links where they are not right; dir_fd of the session is
 * open.  Compares device and inode; three system calls if they are right.  A
 * failure is a warning, because the links are for other programs.
 */
void links_ensure(const struct paths *paths, const struct session *session);

/* Returned: the short path of a session's socket. */
char *links_socket(const struct paths *paths, const char *id);

/* Returned: the short path of the directory of its services' sockets. */
char *links_services(const struct paths *paths, const char *id);

/* Removes the links of a session whose directory is gone. */
void links_remove(const struct paths *paths, const char *id);

/*
 * Removes dangling links of sessions and of engines, and nothing else.  Returns
 * how many could not be removed, or 1 when the directory could not be read.
 * Each failure is a warning.
 */
size_t links_sweep(const struct paths *paths);

#endif /* DRYDOCK_LINKS_H */
