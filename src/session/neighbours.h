/* SPDX-License-Identifier: MIT */
/*
 * neighbours: other sessions that can write where this one mounts something.
 *
 * A bind whose target lies in the project, or in another bind of the user's,
 * needs a mount point there.  drydock makes it as the caller.  Whoever can
 * write there may replace it, or a directory above it, before the engine
 * mounts: the engine then makes another one, as root.  The session's own agent
 * does not run yet; another session's may.
 */
#ifndef DRYDOCK_NEIGHBOURS_H
#define DRYDOCK_NEIGHBOURS_H

struct diag;
struct engine;
struct plan;
struct paths;
struct session;

/*
 * Refuses (DIAG_POLICY) a plan that mounts into what a live session can write,
 * and (DIAG_BUSY) one that can write where a session that is being started
 * mounts something.  The lease is held.  What the session writes and mounts
 * into stands in its directory before others are looked at, so that of two
 * sessions that start at once at least one sees the other.
 */
int neighbours_check(const struct paths *paths, const struct engine *engine,
    const struct plan *plan, const struct session *session, struct diag *dg);

#endif /* DRYDOCK_NEIGHBOURS_H */
