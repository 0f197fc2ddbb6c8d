/* SPDX-License-Identifier: MIT */
/*
 * exec: one more command in a session that runs, by its holder.
 *
 * The engine is not asked.
 */
#ifndef DRYDOCK_SESSION_EXEC_H
#define DRYDOCK_SESSION_EXEC_H

#include "session/join.h"

struct diag;

/*
 * Runs argv, which ends with NULL, in the project's directory with the agent's
 * environment and without its secrets: on a terminal when stdin and stdout are
 * one of ours, else on three pipes.  It ends with us; *ret_status is its own,
 * 127 when it is not there and 126 when it cannot be executed.  A session that
 * does not run is DIAG_NO; a holder that is silent, too busy or too old is
 * DIAG_ENGINE.
 */
int exec_session(const struct join_spec *spec, const char *id,
    const char *const *argv, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_SESSION_EXEC_H */
