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

struct container;
struct container_list;
struct diag;
struct engine;
struct paths;
struct record;
struct session;
struct strvec;

enum collect_verdict {
	COLLECT_DELETE,
	COLLECT_LIVE, /* runs, or may run */
	COLLECT_STOPPED, /* its container exited, its command may go on */
	COLLECT_LOST, /* the engine does not know its recorded container */
	COLLECT_FOREIGN, /* another engine's */
	COLLECT_UNKNOWN, /* a record that says too little */
};

/* What is known of one session whose lease we hold. */
struct collect_facts {
	const struct record *record; /* NULL: there is none */
	bool sealed; /* plan.json is there */
	bool noted; /* the holder noted the command's end, */
	int noted_status; /* with this status */
	/* The client of a session that ends with it saw its end, or has left. */
	bool client_left;
	const struct engine *engine; /* the one that answered */
	const struct container_list *containers; /* its whole answer */
	const char *state_id;
	const char *id;
};

/*
 * Fills in what the session's directory shows of its end: the holder's note and
 * whether its client has left.
 */
int collect_read_end(
    int session_fd, struct collect_facts *facts, struct diag *dg);

/*
 * Whether the session is over, by the facts alone.  A container counts as the
 * session's when it has the recorded id and our labels; before its ids were
 * recorded, when it has our labels, its role and the recorded image, or was
 * made after the claim in our Compose project, and then the agent has never
 * run.
 *
 * An exited container is no end, whatever its status is: a holder that crashed,
 * was killed or went down with its engine leaves a session that can go on.  An
 * end is what the holder noted; what stop or a deletion put on record, an exit
 * within 30 seconds of a stop included; and an exit of a session that ends with
 * its client when that has left.
 */
enum collect_verdict collect_decide(const struct collect_facts *facts);

/*
 * NULL, or the session's container of this role ("agent", "egress", or a
 * further service's name), found as collect_decide() does.
 */
const struct container *collect_container(
    const struct collect_facts *facts, const char *role);

/*
 * Appends the id, once, of each container that deleting it removes: the engine
 * confirmed its labels, session and role.
 */
void collect_own_ids(const struct collect_facts *facts, struct strvec *ret_ids);

/*
 * Appends the recorded ids that the engine did not confirm so: such a container
 * is gone, or somebody else's.
 */
void collect_unconfirmed_ids(
    const struct collect_facts *facts, struct strvec *ret_ids);

/*
 * Asks the engine about those, and warns of each that it has; no question when
 * there are none.
 */
int collect_warn_strangers(const struct collect_facts *facts, struct diag *dg);

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
 * which nobody got to delete, is else lost.
 * Which these are, collect_own_ids() says.
 */
int collect_delete(const struct paths *paths, const struct collect_facts *facts,
    struct session *session, struct diag *dg);

#endif /* DRYDOCK_COLLECT_H */
