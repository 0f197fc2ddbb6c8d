/* SPDX-License-Identifier: MIT */
/*
 * end: ending a session because somebody wants it to.
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
	bool force; /* no questions, and lost ones too */
	int grace; /* seconds from TERM to KILL */
};

/*
 * Takes the lease (DIAG_BUSY when somebody keeps it), stops the agent's
 * container, and removes containers and session.  A stopped session is asked
 * about first, or needs force; so does a lost one.  One of another engine, or
 * whose record cannot be read, is never touched.
 */
int end_session(const struct end_spec *spec, const char *id, struct diag *dg);

#endif /* DRYDOCK_END_H */
