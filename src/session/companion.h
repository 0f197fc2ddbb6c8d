/* SPDX-License-Identifier: MIT */
/*
 * companion: a detached host process, one for each contained session.  It does
 * the work that must continue while no client is attached.
 *
 * It keeps the list of the host's addresses, which the proxy refuses, up to
 * date, and serves the session's ports on the host (session/ports.h) and its
 * ssh agent (session/sshagent.h).  It exits when the agent's container does.
 * It holds no lease, makes no engine query and deletes nothing.
 *
 * Its socket lies in the session's directory, which no container sees.  A
 * connection carries one request, a line, and its answer.
 */
#ifndef DRYDOCK_COMPANION_H
#define DRYDOCK_COMPANION_H

#include <stdbool.h>
#include <sys/types.h>

struct diag;
struct strbuf;

/*
 * Returns the pid and start time of a process, "4711 123456"; the caller frees
 * it.  The start time detects a reused pid.  Returns NULL when there is no such
 * process.
 */
char *companion_process(pid_t pid);

/*
 * Starts the companion of the session whose directory is session_fd.  process
 * identifies the container's process, see companion_process().  Returns as soon
 * as the program runs.  If the session has a companion already, the new one
 * exits by itself.
 */
int companion_start(
    int session_fd, const char *id, const char *process, struct diag *dg);

/* Returns true if the session has a companion.  Takes no lock. */
bool companion_present(int session_fd);

/* The main function of the companion: returns when the process has ended. */
int companion_run(int session_fd, const char *process, struct diag *dg);

/*
 * Sends a request (ports_request()) and appends the answer.  Waits until the
 * companion listens.  No answer within timeout_ms is DIAG_ENGINE; errnum is
 * then ENOENT or ECONNREFUSED if nothing listened.
 */
int companion_ask(int session_fd, const char *line, int timeout_ms,
    struct strbuf *answer, struct diag *dg);

#endif /* DRYDOCK_COMPANION_H */
