/* SPDX-License-Identifier: MIT */
/*
 * viewers: whether somebody looks at a session.
 *
 * A terminal on a session holds a shared lock on sessions/ID/viewers while it
 * is there.  The agent sees neither the file nor the lock.
 */
#ifndef DRYDOCK_VIEWERS_H
#define DRYDOCK_VIEWERS_H

#include <stdbool.h>

/* The lock, until it is closed; -1 when it cannot be had, which hurts nobody. */
int viewers_join(int session_fd);

/* Takes no lock, so that asking disturbs nobody. */
bool viewers_present(int session_fd);

/*
 * Whether there were viewers, and all have left; false where that is not
 * known.
 */
bool viewers_left(int session_fd);

/* From now on, and until another one joins, nobody is known to have left. */
void viewers_forget(int session_fd);
bool viewers_forgotten(int session_fd);

#endif /* DRYDOCK_VIEWERS_H */
