/* SPDX-License-Identifier: MIT */
/*
 * compose-version: picks the first program that is a Compose new enough.
 */
#ifndef DRYDOCK_COMPOSE_VERSION_H
#define DRYDOCK_COMPOSE_VERSION_H

struct diag;
struct engine;
struct proc;

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

#endif /* DRYDOCK_COMPOSE_VERSION_H */
