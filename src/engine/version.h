/* SPDX-License-Identifier: MIT */
/*
 * version: the version numbers that programs print, in as far as they count, and
 * which Compose is new enough.
 */
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
 * Reads "MAJOR.MINOR", after an optional "v" and before whatever else follows
 * ("26.1.5+dfsg1", "v2.20.0", "2.26.1-4").  False for anything else.
 */
bool version_parse(const char *text, struct version *ret_version);

/* Whether a is older than b. */
bool version_before(struct version a, struct version b);

/* Asks engine->compose, the first of engine->composes, for its version. */
int compose_version_start(
    const struct engine *engine, struct proc **ret_proc, struct diag *dg);

/*
 * Judges the answer and frees proc (given).  A bad one (version 1, too old,
 * broken) makes the next of engine->composes be asked, and the first that is
 * good becomes engine->compose; without any, the failure is the first one's.
 * One that does not answer within the deadline ends the search.
 */
int compose_version_finish(
    struct engine *engine, struct proc *proc, struct diag *dg);

#endif /* DRYDOCK_VERSION_H */
