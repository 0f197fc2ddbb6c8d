/* SPDX-License-Identifier: MIT */
/*
 * model-state: a session, everybody who acts on it, and what session_status()
 * makes of what they can know.
 */
#ifndef DRYDOCK_TESTS_MODEL_STATE_H
#define DRYDOCK_TESTS_MODEL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/status.h"

enum {
	SESSIONS = 2
};

enum launcher {
	L_IDLE,
	L_MADE, /* the directory, not the lease */
	L_CLAIMED, /* lease and record */
	L_COMPOSING,
	L_LISTED, /* ids are recorded */
	L_LAUNCHED, /* launched_at is recorded, go is next */
	L_OVER, /* went, gave up, or is dead */
};

enum child {
	CH_NONE,
	CH_WORKS,
	CH_PENDING,
	CH_OVER
};
enum world {
	W_NONE,
	W_WAITS,
	W_AGENT,
	W_ENDED,
	W_STOPPED,
	W_CRASHED, /* its holder, by itself, with any status */
	W_REMOVED
};
enum note {
	R_NONE,
	R_CLAIMED,
	R_LISTED,
	R_LAUNCHED,
	R_ENDED
};
enum collector {
	C_IDLE,
	C_ASKED, /* before it has the lease: a planted bug */
	C_LEASED,
	C_ANSWERED,
	C_REMOVED,
	C_OVER
};
/* Who ends the session, or starts it again, under its lease. */
enum person {
	P_IDLE,
	P_LEASED,
	P_ANSWERED,
	P_WRITTEN, /* stop: stopping_at; attach: starting_at */
	P_DONE, /* stop: it is stopped; attach: one waits */
	P_LAUNCHED, /* stop: ended_at; attach: go is next */
	P_WENT, /* stop: it is removed; attach: starting_at goes next */
	P_OVER,
};
/* Of a session that ends with its client: the launcher, once go was sent. */
enum client {
	CL_THERE,
	CL_LEFT, /* it saw the end, left, or was killed */
	CL_LOST, /* the connection, and nobody noted an end */
	CL_RESUMED, /* nobody: it was started again, and ends by itself */
};
enum answer {
	A_COMPLETE,
	A_EMPTY,
	A_STALE,
	A_FOREIGN,
	A_OTHER_ROOT,
	A_KINDS
};

/* One session and its launcher; small, since many are kept. */
struct one {
	uint8_t dir; /* 0 none, 1 there, 2 deleted */
	uint8_t launcher;
	uint8_t child;
	uint8_t container;
	uint8_t before; /* what container was, for a stale answer */
	uint8_t record;
	uint8_t sealed;
	uint8_t collector;
	uint8_t seen; /* the container in the answer */
	uint8_t ender;
	uint8_t starter;
	uint8_t told, told_by; /* the same, to one of these, and by whom */
	uint8_t starting; /* starting_at is recorded */
	uint8_t stopping; /* stopping_at is */
	uint8_t by_stop; /* the container exited since stopping_at, by stop */
	uint8_t owed; /* its agent was stopped, or its holder died */
	uint8_t noted; /* the holder's word that the command has ended */
	uint8_t client;
	uint8_t there; /* a container was, when the collector had the lease */
};

struct state {
	struct one s[SESSIONS];
	uint8_t answer;
	uint8_t runs;
	/* What the search is of, the same in all of its states. */
	uint8_t bound; /* sessions end with their client */
	uint8_t believes; /* planted: an exit is an end, noted or not */
	uint8_t deserts; /* planted: a client is never there */
};

bool launcher_holds(const struct one *s);
bool person_holds(uint8_t person);
bool has_container(const struct one *s);

/* The child inherited the descriptor: a killed launcher does not free it. */
bool is_leased(const struct one *s);

void set_container(struct one *s, enum world now);

/* The session's container in an answer of this kind. */
uint8_t seen_in(const struct one *s, int kind);

/* The verdict of session i by what was seen, in an answer of this kind. */
enum session_state decide(const struct state *st, size_t i, uint8_t answer);

/* The same by the answer that one who holds its lease was given. */
enum session_state decide_told(const struct state *st, size_t i);

/*
 * What must hold where something is removed: no agent runs, or may go on.
 */
bool may_delete(const struct one *s);

#endif /* DRYDOCK_TESTS_MODEL_STATE_H */
