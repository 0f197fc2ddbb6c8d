/* SPDX-License-Identifier: MIT */
/*
 * links: short paths to the sessions' sockets, for other programs.
 *
 * sun_path holds 108 bytes and a state directory may be as deep as it likes,
 * so $XDG_RUNTIME_DIR/drydock/ID always leads to the session's run/.  drydock
 * itself goes through the opened directory and never by these.
 */
#ifndef DRYDOCK_LINKS_H
#define DRYDOCK_LINKS_H

#include <stddef.h>

struct diag;
struct paths;

/*
 * Makes the link of a session, run_fd being its run/.  The directory is made
 * 0700; one that is somebody else's, a link, or open to others is DIAG_IO.
 */
int links_make(
    const struct paths *paths, const char *id, int run_fd, struct diag *dg);

/* Removes the link of a session whose directory is gone. */
void links_remove(const struct paths *paths, const char *id);

/* Removes links of sessions that lead nowhere; nothing else.  Returns how many
 * could not be, or 1 when none was looked at, having warned. */
size_t links_sweep(const struct paths *paths);

#endif /* DRYDOCK_LINKS_H */
