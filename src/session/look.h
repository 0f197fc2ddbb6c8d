/* SPDX-License-Identifier: MIT */
/*
 * look: all facts about one session, read once.
 */
#ifndef DRYDOCK_LOOK_H
#define DRYDOCK_LOOK_H

#include "base/diag.h"
#include "base/lock.h"
#include "engine/container.h"
#include "session/record.h"
#include "session/status.h"

struct paths;
struct session;

struct session_look {
	struct record record; /* owned */
	struct diag unrecorded; /* owned; why there is no record, or empty */
	struct diag unnoted; /* owned; why the end note could not be read */
	/* owned; empty if the caller gave them */
	struct container_list containers;
	/* borrows from the fields above and from the spec */
	struct session_facts facts;
	enum session_state state;
};

struct look_spec {
	const struct paths *paths;
	const struct engine *engine; /* NULL: it does not answer */
	/* The engine's whole answer for this session, or NULL to ask it. */
	const struct container_list *containers;
	/*
	 * If true, record is used instead of the record file.  It must have
	 * been read before the engine answered.
	 */
	bool record_given;
	const struct record *record; /* NULL: the session had no record */
};

/*
 * Reads the facts of a session whose dir_fd is open: record, end note, sealed
 * plan, viewers, lease and containers.  If the caller holds the lease, the
 * engine must be asked after the lease was won; the state then cannot change.
 * An unreadable record makes the session SESSION_DAMAGED.  An unreadable note
 * counts as none.  A failure (only where the engine is asked) leaves *ret_look
 * released.
 */
int session_look(const struct look_spec *spec, const struct session *session,
    struct session_look *ret_look, struct diag *dg);

/* Reads the facts in the directory again, after the containers changed. */
void session_look_again(const struct look_spec *spec,
    const struct session *session, struct session_look *look);

/*
 * Takes the lease of a session and waits up to ten seconds for it.  DIAG_BUSY
 * when another process keeps it.  *ret_answer is LOCK_WON or LOCK_GONE.
 */
int session_take(const struct paths *paths, const char *id,
    enum lock_answer *ret_answer, struct session *ret_session, struct diag *dg);

/* Tests whether another process holds the lease, by taking it for a moment. */
int session_is_leased(const struct paths *paths, const char *id,
    bool *ret_leased, struct diag *dg);

/*
 * Asks the engine about the recorded containers whose labels it did not
 * confirm, and warns of each that exists.  Makes no query when there are none.
 */
int session_warn_strangers(const struct session_facts *facts, struct diag *dg);

void session_look_release(struct session_look *look);

#define cleanup_session_look __attribute__((cleanup(session_look_release)))
#define SESSION_LOOK_INIT                                               \
	{                                                               \
		.record = RECORD_INIT, .unrecorded = DIAG_INIT,         \
		.unnoted = DIAG_INIT, .containers = CONTAINER_LIST_INIT \
	}

#endif /* DRYDOCK_LOOK_H */
