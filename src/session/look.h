/* SPDX-License-Identifier: MIT */
/*
 * look: all that can be known of one session, read once.
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
	struct diag unrecorded; /* owned; why there is no record, or none */
	struct diag unnoted; /* owned; why the end note could not be read */
	struct container_list containers; /* owned; unless they were given */
	struct session_facts facts; /* of what is above */
	enum session_state state;
};

struct look_spec {
	const struct paths *paths;
	const struct engine *engine; /* NULL: it does not answer */
	/* Its whole answer for this session, or NULL: it is asked. */
	const struct container_list *containers;
	/* Whether record is what was read before the engine answered. */
	bool record_given;
	const struct record *record; /* or NULL: there was none */
};

/*
 * Looks at a session whose dir_fd is open: record, end note, sealed plan,
 * viewers, lease and containers.  Where its lease is held the engine is asked
 * after that was won, and the state is what it stays.  A record that cannot be
 * read makes the session SESSION_DAMAGED, a note that cannot be read counts as
 * none.  A failure (only where the engine is asked) leaves *ret_look released.
 */
int session_look(const struct look_spec *spec, const struct session *session,
    struct session_look *ret_look, struct diag *dg);

/* Looks again at what the directory shows, after the containers changed. */
void session_look_again(const struct look_spec *spec,
    const struct session *session, struct session_look *look);

/*
 * Wins the lease of a session, waiting up to ten seconds for it; a lease that
 * somebody keeps is DIAG_BUSY.  *ret_answer is LOCK_WON or LOCK_GONE.
 */
int session_take(const struct paths *paths, const char *id,
    enum lock_answer *ret_answer, struct session *ret_session, struct diag *dg);

/* Whether somebody holds the lease; takes it for a moment to find out. */
int session_is_leased(const struct paths *paths, const char *id,
    bool *ret_leased, struct diag *dg);

/*
 * Asks the engine about the recorded containers that it did not confirm, and
 * warns of each that it has; no question when there are none.
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
