/* SPDX-License-Identifier: MIT */
/*
 * end: ends a session at the user's request.
 */
#ifndef DRYDOCK_END_H
#define DRYDOCK_END_H

#include <stdbool.h>

struct diag;
struct engine;
struct paths;

struct end_spec {
	const struct paths *paths;
	const struct engine *engine; /* probed */
	bool force; /* ask nothing, and end lost sessions too */
	int grace; /* seconds from TERM to KILL */
};

/*
 * Takes the lease (DIAG_BUSY when another process keeps it), stops the agent's
 * container, and removes the containers and the session.  A stopped session
 * needs a confirmation or force.  A lost session needs force.  A session of
 * another engine, or with an unreadable record, is never changed.
 */
int end_session(const struct end_spec *spec, const char *id, struct diag *dg);

#endif /* DRYDOCK_END_H */
