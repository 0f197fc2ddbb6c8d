/* SPDX-License-Identifier: MIT */
/*
 * companion: a detached host process of drydock's, one for a session, for what
 * must go on while nobody is attached.
 *
 * It keeps the list of the host's addresses that the proxy refuses up to date.
 * It ends when the agent's container does.  It has no other power: it holds no
 * lease, asks no engine and deletes nothing.
 */
#ifndef DRYDOCK_COMPANION_H
#define DRYDOCK_COMPANION_H

#include <stdbool.h>
#include <sys/types.h>

struct diag;

/*
 * Returned: pid and start time of a process, "4711 123456", by which it is
 * known although its number may be used again; NULL when there is none.
 */
char *companion_process(pid_t pid);

/*
 * Starts the companion of the session whose directory is session_fd; process
 * is the container's, as above.  Returns as soon as the program runs.  Where
 * the session has one already, the new one ends by itself.
 */
int companion_start(
    int session_fd, const char *id, const char *process, struct diag *dg);

/* Whether the session has a companion.  Takes no lock. */
bool companion_present(int session_fd);

/* What the started program does: returns when the process has ended. */
int companion_run(int session_fd, const char *process, struct diag *dg);

#endif /* DRYDOCK_COMPANION_H */
