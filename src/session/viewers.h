/* SPDX-License-Identifier: MIT */
/*
 * viewers: detects whether a viewer is attached to a session.
 *
 * An attached viewer holds a shared lock on sessions/ID/viewers.  The agent
 * sees neither the file nor the lock.
 */
#ifndef DRYDOCK_VIEWERS_H
#define DRYDOCK_VIEWERS_H

#include <stdbool.h>

/*
 * Returned: a descriptor that holds the lock until it is closed.  -1 on
 * failure, which callers may ignore.
 */
int viewers_join(int session_fd);

/*
 * Returns true if a viewer holds the lock.  Takes no lock, so no viewer is
 * disturbed.
 */
bool viewers_present(int session_fd);

/*
 * Returns true if there were viewers and all have left; false if that is
 * unknown.
 */
bool viewers_left(int session_fd);

/*
 * Removes the file: until another viewer joins, viewers_left() returns false
 * and viewers_forgotten() returns true.
 */
void viewers_forget(int session_fd);
bool viewers_forgotten(int session_fd);

#endif /* DRYDOCK_VIEWERS_H */
