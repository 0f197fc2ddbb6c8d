/* SPDX-License-Identifier: MIT */
/*
 * status: what state a session is in, by facts alone, and in which words.
 */
#ifndef DRYDOCK_STATUS_H
#define DRYDOCK_STATUS_H

#include <stdbool.h>

struct container;
struct container_list;
struct diag;
struct engine;
struct record;
struct strvec;

enum session_state {
	SESSION_RUNNING, /* and somebody looks at it */
	SESSION_DETACHED, /* runs, or may run */
	SESSION_STARTING, /* its launcher is at work */
	SESSION_STOPPED, /* its container exited, attach starts it again */
	SESSION_ENDED, /* the next collection removes it */
	SESSION_LOST, /* its engine does not know its container */
	SESSION_FOREIGN, /* another engine's */
	SESSION_SILENT, /* the engine gives no answer */
	SESSION_ORPHAN, /* a container with our labels and no directory */
	SESSION_DAMAGED, /* its record cannot be read, or says too little */
	/* Of strangers_list() alone: these have our labels and no record. */
	SESSION_UNKNOWN_CONTAINER,
	SESSION_UNKNOWN_IMAGE,
};

/* What is known of one session. */
struct session_facts {
	const struct record *record; /* NULL: there is none */
	const struct diag *damage; /* why it cannot be read, or NULL */
	bool sealed; /* plan.json is there */
	bool noted; /* the holder noted the command's end, */
	int noted_status; /* with this status */
	/* The client of a session that ends with it saw its end, or has left. */
	bool client_left;
	bool leased; /* somebody else holds the lease */
	bool viewed; /* somebody looks at it */
	const struct engine *engine; /* the one that answered */
	const struct container_list *containers; /* its whole answer */
	const char *state_id;
	const char *id;
};

/*
 * The state of a session, by the facts alone.  A container counts as the
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
 *
 * Only a session that is SESSION_ENDED while its lease is ours may be removed.
 */
enum session_state session_status(const struct session_facts *facts);

/* SESSION_RUNNING or SESSION_DETACHED. */
bool session_runs(enum session_state state);

/* "running", "foreign engine", ... */
const char *session_state_name(enum session_state state);

/*
 * Sets dg to why a command that needs the session in another state does
 * nothing, and what the user can do; returns -1.
 */
int session_refuse(const struct session_facts *facts, enum session_state state,
    struct diag *dg);

/*
 * NULL, or the session's container of this role ("agent", "egress", or a
 * extra service's name), found as session_status() does.
 */
const struct container *session_container(
    const struct session_facts *facts, const char *role);

/*
 * Whether the proxy of a session has given up: it crashed more often than it is
 * started again, or somebody ended it.
 */
bool session_proxy_gave_up(const struct session_facts *facts);

/*
 * Appends the id, once, of each container that deleting the session removes:
 * the engine confirmed its labels, session and role.
 */
void session_own_ids(const struct session_facts *facts, struct strvec *ret_ids);

/*
 * Appends the recorded ids that the engine did not confirm so: such a container
 * is gone, or somebody else's.
 */
void session_unconfirmed_ids(
    const struct session_facts *facts, struct strvec *ret_ids);

#endif /* DRYDOCK_STATUS_H */
