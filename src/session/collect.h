/* SPDX-License-Identifier: MIT */
/*
 * collect: deletes the sessions that are certainly gone, and one that the user
 * ends.
 *
 * A collection deletes a session only if its lease was won without waiting, the
 * recorded engine gave one complete answer after that, and the session has ended
 * or never had a container.
 */
#ifndef DRYDOCK_COLLECT_H
#define DRYDOCK_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct engine;
struct paths;
struct session;
struct session_facts;
struct start;

struct collect_outcome {
	size_t removed;
	size_t kept; /* live, leased, or in an unknown state */
	size_t failed; /* each was a warning with its path */
};

struct collect_options {
	bool dry_run; /* report only, remove nothing */
	/* NULL, or called for each session that is (or would be) removed. */
	void (*on_removed)(void *arg, const char *id);
	void *arg;
};

/*
 * Makes one engine query for all candidates, after every available lease was
 * won.  Without a candidate there is no query.  Each lease takes one
 * descriptor: more candidates than descriptors are handled in batches, with one
 * query each.  When a query fails, returns -1 and deletes nothing of that
 * batch.
 *
 * A lost session is kept, and its remaining containers are removed.  With
 * options NULL, warnings about the trash are not repeated (see
 * collect_leftovers(), all false).
 */
int collect_sessions(const struct paths *paths, const struct engine *engine,
    const struct collect_options *options, struct collect_outcome *ret_outcome,
    struct diag *dg);

/*
 * Removes trash, scratch directories of killed processes and dangling links,
 * which needs no engine.  Returns how many could not be removed; each is a
 * warning.  With all, warnings that were given before are repeated, see
 * session_empty_trash().
 */
size_t collect_leftovers(const struct paths *paths, bool all);

/*
 * Removes the containers of a session whose lease is held, then the session.
 * The end is recorded first: otherwise an interrupted deletion would leave a
 * session without containers, which counts as lost.  The outcome (outcome.h) of
 * a command that ran is stored.
 */
int collect_delete(const struct paths *paths, const struct session_facts *facts,
    struct session *session, struct diag *dg);

/*
 * Removes a session whose launch failed before go, with the lease held: its
 * containers, then the session.  Asks the engine for containers only if there
 * may be some.  Does nothing if no session was claimed, or if Compose keeps the
 * lease.  A failure is a warning: the next collection tries again.
 */
void collect_launch(struct start *l);

/*
 * Takes the lease (DIAG_BUSY when another process keeps it), stops the agent's
 * container, and removes the containers and the session.  A stopped session
 * needs a confirmation or force.  A lost session needs force.  A session of
 * another engine, or with an unreadable record, is never changed.  The engine
 * is ready.
 */
int collect_end(const struct paths *paths, const struct engine *engine,
    const char *id, bool force, struct diag *dg);

#endif /* DRYDOCK_COLLECT_H */
