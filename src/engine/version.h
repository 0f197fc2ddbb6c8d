/* SPDX-License-Identifier: MIT */
/* version: parses version numbers, and selects a Compose that is new enough. */
#ifndef DRYDOCK_VERSION_H
#define DRYDOCK_VERSION_H

#include <stdbool.h>

struct diag;
struct engine;
struct proc;

struct version {
	int major;
	int minor;
};

/*
 * Parses "MAJOR.MINOR" with an optional "v" before it and any text after it
 * ("26.1.5+dfsg1", "v2.20.0", "2.26.1-4").  Returns false for anything else.
 */
bool version_parse(const char *text, struct version *ret_version);

/* Returns true if a is older than b. */
bool version_before(struct version a, struct version b);

/* Asks engine->compose, the first of engine->composes, for its version. */
int compose_version_start(
    const struct engine *engine, struct proc **ret_proc, struct diag *dg);

/*
 * Reads and checks the answer, and frees proc (given).  After a bad answer
 * (version 1, too old, malformed), asks the next of engine->composes.  The
 * first good one becomes engine->compose.  If all fail, the failure of the
 * first is reported.  A Compose that misses the deadline ends the search.
 */
int compose_version_finish(
    struct engine *engine, struct proc *proc, struct diag *dg);

#endif /* DRYDOCK_VERSION_H */
