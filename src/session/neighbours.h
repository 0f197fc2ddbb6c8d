/* SPDX-License-Identifier: MIT */
/*
 * neighbours: conflicts between the directories that one session can write and
 * those in which another session mounts something.
 *
 * A bind whose target lies in the project, or in another bind of the user's,
 * needs a mount point there.  drydock makes the mount point as the calling
 * user.  A process that can write there can replace the mount point, or a
 * directory above it, before the engine mounts.  The engine then makes another
 * mount point, as root.  The session's own agent does not run yet, but another
 * session's agent may run.
 */
#ifndef DRYDOCK_NEIGHBOURS_H
#define DRYDOCK_NEIGHBOURS_H

struct diag;
struct engine;
struct plan;
struct paths;
struct session;

/*
 * Fails with DIAG_POLICY if the plan mounts into a directory that a live
 * session can write.  Fails with DIAG_BUSY if the plan can write a directory
 * into which a session that is being started mounts something.  The caller
 * holds the lease.  The directories that this session writes and mounts into
 * are published in its directory before the other sessions are read.  Of two
 * sessions that start at the same time, at least one therefore sees the other.
 */
int neighbours_check(const struct paths *paths, const struct engine *engine,
    const struct plan *plan, const struct session *session, struct diag *dg);

#endif /* DRYDOCK_NEIGHBOURS_H */
