/* SPDX-License-Identifier: MIT */
/*
 * collect: deletes the sessions that are reliably gone (the lease won
 * without waiting, the recorded engine, one complete answer asked after it,
 * and the session ended or never had a container).
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

struct collect_outcome {
	size_t removed;
	size_t kept; /* live, leased, or not known */
	size_t failed; /* each was a warning with its path */
};

struct collect_options {
	bool dry_run; /* tells, removes nothing */
	/* NULL, or told of each session that is (or would be) removed. */
	void (*on_removed)(void *arg, const char *id);
	void *arg;
};

/*
 * One engine query for all candidates (as many as there may be descriptors,
 * one a session), asked after every lease that could be
 * won was won, and none when there is no candidate.  A query that fails is -1
 * and nothing was deleted.  What a lost session still has goes, the session
 * stays.
 * options may be NULL: then what was told before of the trash is not told again.
 */
int collect_sessions(const struct paths *paths, const struct engine *engine,
    const struct collect_options *options, struct collect_outcome *ret_outcome,
    struct diag *dg);

/*
 * What collection does without an engine: trash and links that lead nowhere.
 * Returns how many of them could not be removed; each is a warning.  all: also
 * what was told before, see session_empty_trash().
 */
size_t collect_leftovers(const struct paths *paths, bool all);

/*
 * Removes the containers of a session whose lease we hold, then the session.
 * That it has ended is recorded first: one whose containers are gone, and
 * which nobody got to delete, is else lost.  How it ended is kept (outcome.h)
 * when its command ran.
 */
int collect_delete(const struct paths *paths, const struct session_facts *facts,
    struct session *session, struct diag *dg);

#endif /* DRYDOCK_COLLECT_H */
