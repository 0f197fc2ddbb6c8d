/* SPDX-License-Identifier: MIT */
/*
 * status: derives the state of a session from facts, and names each state.
 */
#ifndef DRYDOCK_STATUS_H
#define DRYDOCK_STATUS_H

#include <stdbool.h>

struct container;
struct container_list;
struct diag;
struct engine;
struct paths;
struct record;
struct strvec;

enum session_state {
	SESSION_RUNNING, /* runs, and a viewer is attached */
	SESSION_DETACHED, /* runs, or may run */
	SESSION_STARTING, /* a launcher is at work */
	SESSION_STOPPED, /* container exited; attach restarts it */
	SESSION_ENDED, /* the next collection removes it */
	SESSION_LOST, /* its engine does not have its container */
	SESSION_FOREIGN, /* belongs to another engine */
	SESSION_SILENT, /* the engine does not answer */
	SESSION_ORPHAN, /* container with our labels, no directory */
	SESSION_DAMAGED, /* record unreadable or incomplete */
	/* Only from listing_add_strangers(): drydock's labels, but no record. */
	SESSION_UNKNOWN_CONTAINER,
	SESSION_UNKNOWN_IMAGE,
};

/* The facts about one session; pointers are borrowed. */
struct session_facts {
	const struct record *record; /* NULL: no record */
	const struct diag *damage; /* why it is unreadable, or NULL */
	bool sealed; /* plan.json exists */
	bool noted; /* the holder noted the command's end */
	int noted_status; /* exit status in that note */
	/* ends_with_client: the client saw the end, or has left. */
	bool client_left;
	bool leased; /* another process holds the lease */
	bool viewed; /* a viewer is attached */
	const struct engine *engine; /* the engine that answered */
	const struct container_list *containers; /* the engine's whole answer */
	const char *state_id;
	const char *id;
};

/*
 * Returns the facts with which a session's containers are found.  record and
 * containers may be NULL, as in struct session_facts.
 */
struct session_facts session_facts_of(const char *id,
    const struct record *record, const struct paths *paths,
    const struct engine *engine, const struct container_list *containers);

/*
 * Derives the state of a session from the facts alone.
 *
 * A container belongs to the session if it has our labels and the recorded id.
 * Before the ids are recorded, it belongs to the session if it has our labels,
 * its role and the recorded image, or if it was made after the claim in our
 * Compose project.  The agent has never run then.
 *
 * An exit of the container is not the end of the session, whatever its status
 * is.  A holder that crashed, was killed or went down with its engine leaves a
 * session that can go on.  A session has ended if the holder noted the end; if
 * stop or a deletion recorded the end; if its container exited within 30
 * seconds of a recorded stop; or if the container of a session that ends with
 * its client exited and that client has left.
 *
 * A session may be removed only if it is SESSION_ENDED while the caller holds
 * its lease.
 */
enum session_state session_status(const struct session_facts *facts);

/* Returns true for SESSION_RUNNING and SESSION_DETACHED. */
bool session_runs(enum session_state state);

/* Returns the name for users: "running", "foreign engine", ... */
const char *session_state_name(enum session_state state);

/*
 * Sets dg to the reason why a command cannot act on a session in this state,
 * and to what the user can do.  Always returns -1.
 */
int session_refuse(const struct session_facts *facts, enum session_state state,
    struct diag *dg);

/*
 * Returns the session's container of this role ("agent", "egress", or the name
 * of an extra service), matched as in session_status(); NULL if there is none.
 */
const struct container *session_container(
    const struct session_facts *facts, const char *role);

/*
 * Returns true if the session's proxy has exited for good: it crashed more
 * often than the engine restarts it, or somebody stopped it.
 */
bool session_proxy_gave_up(const struct session_facts *facts);

/*
 * Appends the id, once, of each container that deleting the session removes.
 * The engine confirmed its labels, session and role.
 */
void session_own_ids(const struct session_facts *facts, struct strvec *ret_ids);

/*
 * Appends the recorded ids that the engine did not confirm this way.  Such a
 * container is gone or does not belong to the session.
 */
void session_unconfirmed_ids(
    const struct session_facts *facts, struct strvec *ret_ids);

#endif /* DRYDOCK_STATUS_H */
