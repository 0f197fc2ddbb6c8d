/* SPDX-License-Identifier: MIT */
/*
 * exec: an additional command in a running session, started by its holder.
 *
 * No engine query is made.
 */
#ifndef DRYDOCK_SESSION_EXEC_H
#define DRYDOCK_SESSION_EXEC_H

#include "session/join.h"

struct diag;

/*
 * Runs argv (ends with NULL) in the project's directory, with the agent's
 * environment but without its secrets.  The command runs on a pty when stdin
 * and stdout are a terminal in whose foreground drydock is, else on three
 * pipes.  The command ends when the client does.  *ret_status is the command's
 * exit status, 127 when not found and 126 when not executable.  A session that
 * does not run is DIAG_NO, one that is being started is DIAG_BUSY.  A holder
 * that does not answer, is too busy or too old is DIAG_ENGINE.
 */
int exec_session(const struct join_spec *spec, const char *id,
    const char *const *argv, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_SESSION_EXEC_H */
