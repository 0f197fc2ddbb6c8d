/* SPDX-License-Identifier: MIT */
/*
 * model: every order in which two launchers, two sessions and a collector can
 * take their steps, with a crash after each, over session_status() itself; one
 * session with stop and attach beside them; and one that ends with its client.
 * The engine stops containers and holders die at any time.  In no state is a
 * session deleted whose agent runs, could go on, or is still to be started.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

#include "check.h"
#include "model-state.h"

enum {
	RUNS = 2, /* of the collector */
	TABLE = 1 << 22,
	WANTED_STATES = 10000,
};

struct kind {
	size_t sessions;
	bool persons;
	bool asks_early; /* planted: the engine is asked before the lease */
	bool bound; /* it ends with its client */
	bool believes; /* planted: an exit is an end, noted or not */
	bool deserts; /* planted: a client counts as gone while it is there */
	bool ends_early; /* planted: ended_at is there before the end */
};

struct search {
	struct kind kind;
	uint32_t *table; /* owned; by hash; places in queue, from 1 */
	struct state *queue; /* owned; each state */
	size_t head, tail;
	size_t nstates, ndeleted;
	bool one_order; /* of two sessions */
	bool broken;
};

static size_t
hash(const struct state *st)
{
	const unsigned char *p = (const unsigned char *)st;
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof(*st); i += sizeof(h)) {
		size_t left = sizeof(*st) - i;
		uint64_t word = 0;

		memcpy(&word, p + i, left < sizeof(word) ? left : sizeof(word));
		h = (h ^ word) * UINT64_C(1099511628211);
		h ^= h >> 32;
	}
	return (size_t)(h ^ h >> 29) % TABLE;
}

/*
 * The sessions are alike: which one is first makes no other state, unless all
 * cases are asked for.
 */
static void
order(const struct search *f, struct state *st)
{
	struct one first = st->s[0];

	if (!f->one_order || memcmp(&st->s[0], &st->s[1], sizeof(first)) <= 0)
		return;
	st->s[0] = st->s[1];
	st->s[1] = first;
}

static void
visit(struct search *f, const struct state *given)
{
	struct state ordered = *given;
	const struct state *st = &ordered;
	size_t at;

	order(f, &ordered);
	at = hash(st);

	while (f->table[at] != 0) {
		if (memcmp(&f->queue[f->table[at] - 1], st, sizeof(*st)) == 0)
			return;
		at = (at + 1) % TABLE;
	}
	if (f->nstates == TABLE / 2) {
		f->broken = true;
		return;
	}
	f->queue[f->tail++] = *st;
	f->table[at] = (uint32_t)f->tail;
	f->nstates++;
}

/* Of a client that is gone nothing is owed to anybody. */
static void
leave(const struct state *st, struct one *s)
{
	if (st->bound == 0)
		return;
	s->client = CL_LEFT;
	s->owed = 0;
}

static void
step_launcher(struct search *f, const struct state *st, size_t i)
{
	struct state next = *st;
	struct one *s = &next.s[i];

	switch ((enum launcher)s->launcher) {
	case L_IDLE:
		s->dir = 1;
		s->launcher = L_MADE;
		break;
	case L_MADE:
		/* Busy or gone: another id, which is another session. */
		s->launcher = s->dir == 1 && !is_leased(s) ? L_CLAIMED : L_OVER;
		if (s->launcher == L_CLAIMED)
			s->record = R_CLAIMED;
		break;
	case L_CLAIMED:
		s->sealed = 1;
		s->child = CH_WORKS;
		s->launcher = L_COMPOSING;
		break;
	case L_COMPOSING:
		if (s->child != CH_OVER || s->container != W_WAITS)
			return;
		s->record = R_LISTED;
		s->launcher = L_LISTED;
		break;
	case L_LISTED:
		s->record = R_LAUNCHED;
		s->launcher = L_LAUNCHED;
		break;
	case L_LAUNCHED:
		if (s->container == W_WAITS)
			set_container(s, W_AGENT);
		s->launcher = L_OVER;
		break;
	case L_OVER:
		return;
	}
	visit(f, &next);
	/* The crash: what was done stays, the descriptor is closed. */
	s->launcher = L_OVER;
	leave(&next, s);
	visit(f, &next);
}

/*
 * The client of a session that ends with it.  One that lost the connection
 * waits for what the session is, so that it can be started again.
 */
static void
step_client(struct search *f, const struct state *st, size_t i)
{
	struct state next = *st;
	struct one *s = &next.s[i];

	if (st->bound == 0 || s->client != CL_THERE || s->launcher != L_OVER)
		return;
	leave(&next, s);
	visit(f, &next);
	next = *st;
	if (s->container == W_STOPPED || s->container == W_CRASHED) {
		s->client = CL_LOST;
		visit(f, &next);
	}
}

/* Compose, the daemon behind it, the agent, and the engine's own end. */
static void
step_world(struct search *f, const struct state *st, size_t i)
{
	static const struct {
		enum world from, to;
		bool noted;
	} ends[] = {
		{ W_WAITS, W_ENDED, false },
		{ W_WAITS, W_STOPPED, false },
		{ W_WAITS, W_CRASHED, false },
		{ W_AGENT, W_ENDED, true },
		/* Nothing could be written. */
		{ W_AGENT, W_ENDED, false },
		{ W_AGENT, W_STOPPED, false },
		{ W_AGENT, W_CRASHED, false },
	};
	const struct one *s = &st->s[i];
	struct state next = *st;

	if (s->child == CH_WORKS || s->child == CH_PENDING) {
		set_container(&next.s[i], W_WAITS);
		next.s[i].child = CH_OVER;
		visit(f, &next);
	}
	if (s->child == CH_WORKS) {
		/* Killed, and the daemon finishes what it was asked to. */
		next = *st;
		next.s[i].child = CH_PENDING;
		visit(f, &next);
		next.s[i].child = CH_OVER;
		visit(f, &next);
	}
	for (size_t n = 0; n < ARRAY_SIZE(ends); n++) {
		next = *st;
		if ((enum world)s->container != ends[n].from)
			continue;
		set_container(&next.s[i], ends[n].to);
		next.s[i].noted = next.s[i].noted || ends[n].noted;
		if (ends[n].from == W_AGENT)
			next.s[i].owed = ends[n].to != W_ENDED &&
			    (st->bound == 0 || s->client != CL_LEFT);
		visit(f, &next);
	}
}

static bool
any_collector(const struct state *st, enum collector at)
{
	for (size_t i = 0; i < SESSIONS; i++)
		if ((enum collector)st->s[i].collector == at)
			return true;
	return false;
}

/* One question for all whose lease was won, in one of the ways of answering. */
static void
step_ask(struct search *f, const struct state *st)
{
	if (!any_collector(st, f->kind.asks_early ? C_IDLE : C_LEASED))
		return;
	for (int kind = 0; kind < A_KINDS; kind++) {
		struct state next = *st;

		next.answer = (uint8_t)kind;
		for (size_t i = 0; i < SESSIONS; i++) {
			struct one *s = &next.s[i];

			s->seen = seen_in(s, kind);
			if (s->collector == C_LEASED)
				s->collector = C_ANSWERED;
			else if (f->kind.asks_early && s->collector == C_IDLE)
				s->collector = C_ASKED;
		}
		visit(f, &next);
	}
}

static void
step_collector(struct search *f, const struct state *st, size_t i)
{
	struct state next = *st;
	struct one *s = &next.s[i];

	switch ((enum collector)s->collector) {
	case C_IDLE:
		if (s->dir != 1 || is_leased(s) || f->kind.asks_early ||
		    any_collector(st, C_ANSWERED))
			return;
		s->there = has_container(s);
		s->collector = C_LEASED;
		break;
	case C_ASKED:
		if (s->dir != 1 || is_leased(s))
			return;
		s->there = has_container(s);
		s->collector = C_ANSWERED;
		break;
	case C_ANSWERED:
		if (decide(st, i, st->answer) != SESSION_ENDED) {
			s->collector = C_OVER;
			break;
		}
		f->ndeleted++;
		if (!may_delete(&st->s[i]))
			f->broken = true;
		if (s->record >= R_LAUNCHED)
			s->record = R_ENDED;
		if (s->seen != W_NONE && s->container != W_NONE)
			set_container(s, W_REMOVED);
		s->there = s->there && st->answer == A_COMPLETE;
		s->collector = C_REMOVED;
		break;
	case C_REMOVED:
		/* Nobody would find a container that it leaves. */
		if (s->there && has_container(s))
			f->broken = true;
		s->dir = 2;
		s->collector = C_OVER;
		break;
	case C_LEASED:
	case C_OVER:
		return;
	}
	visit(f, &next);
}

/* One of these takes the lease, then asks: in one of the ways of answering. */
static bool
step_to_answer(struct search *f, const struct state *st, size_t i, size_t at)
{
	struct state next = *st;
	uint8_t *person = (uint8_t *)&next.s[i] + at;

	if (*person == P_IDLE) {
		if (st->s[i].dir != 1 || is_leased(&st->s[i]))
			return true;
		*person = P_LEASED;
		visit(f, &next);
		return true;
	}
	if (*person != P_LEASED)
		return *person == P_OVER;
	*person = P_ANSWERED;
	for (int kind = 0; kind < A_KINDS; kind++) {
		next.s[i].told = seen_in(&st->s[i], kind);
		next.s[i].told_by = (uint8_t)kind;
		visit(f, &next);
	}
	*person = P_OVER; /* no answer, or a crash */
	visit(f, &next);
	return true;
}

/* stop, after it wrote what it is about to do. */
static void
step_end(struct search *f, struct one *s)
{
	if (launcher_holds(s) || s->child == CH_WORKS)
		f->broken = true;
	if (s->ender == P_WRITTEN &&
	    (s->container == W_AGENT || s->container == W_WAITS)) {
		set_container(s, W_STOPPED);
		s->by_stop = 1;
		s->owed = 0; /* its user's will, and done */
	}
	if (s->ender == P_DONE && s->record >= R_LAUNCHED) {
		s->record = R_ENDED;
		s->owed = 0; /* its user's will, and on record */
	}
	if (s->ender == P_LAUNCHED && s->container != W_NONE)
		set_container(s, W_REMOVED);
	if (s->ender == P_WENT)
		s->dir = 2;
	s->ender++;
}

/* stop: what it may end is its user's will; whose launch goes on is not. */
static void
step_ender(struct search *f, const struct state *st, size_t i)
{
	struct state next = *st;
	struct one *s = &next.s[i];
	enum session_state verdict = SESSION_DETACHED;

	if (step_to_answer(f, st, i, offsetof(struct one, ender)))
		return;
	if (s->ender == P_ANSWERED)
		verdict = decide_told(st, i);
	if (verdict != SESSION_DETACHED && verdict != SESSION_ENDED &&
	    verdict != SESSION_STOPPED) {
		s->ender = P_OVER;
	} else if (s->ender == P_ANSWERED) {
		if (s->record >= R_LAUNCHED &&
		    (s->told == W_AGENT || s->told == W_WAITS)) {
			s->stopping = 1;
			s->by_stop = 0;
		}
		if (s->record >= R_LAUNCHED && f->kind.ends_early)
			s->record = R_ENDED;
		s->ender = P_WRITTEN;
	} else {
		step_end(f, s);
	}
	visit(f, &next);
	s->ender = P_OVER;
	visit(f, &next);
}

/* attach: as resume_session() and launch_go() do it. */
static void
step_starter(struct search *f, const struct state *st, size_t i)
{
	struct state next = *st;
	struct one *s = &next.s[i];
	enum session_state verdict;

	if (step_to_answer(f, st, i, offsetof(struct one, starter)))
		return;
	s->starter++;
	switch ((enum person)st->s[i].starter) {
	case P_ANSWERED:
		verdict = decide_told(st, i);
		if (verdict == SESSION_ENDED && !may_delete(&st->s[i]))
			f->broken = true;
		/* A holder that waits is begun anew, one that works is not. */
		if (verdict == SESSION_STOPPED || verdict == SESSION_DETACHED)
			s->stopping = 0;
		/* One that ends with its client is that client's, unless lost. */
		if (st->bound != 0 && s->client != CL_LOST &&
		    s->client != CL_RESUMED) {
			s->starter = P_OVER;
			break;
		}
		if (verdict == SESSION_STOPPED ||
		    (verdict == SESSION_DETACHED && s->starting != 0 &&
			s->container == W_WAITS))
			s->starting = 1;
		else
			s->starter = P_OVER;
		if (s->starting != 0 && st->bound != 0)
			s->client = CL_RESUMED;
		break;
	case P_WRITTEN:
		if (s->container == W_AGENT)
			s->starter = P_OVER;
		else if (s->container == W_REMOVED || s->container == W_NONE)
			s->starter = P_OVER;
		else
			set_container(s, W_WAITS);
		/* The holder that starts removes an earlier one's. */
		if (s->container == W_WAITS)
			s->noted = 0;
		break;
	case P_DONE:
		break;
	case P_LAUNCHED:
		if (s->container == W_WAITS)
			set_container(s, W_AGENT);
		else
			s->starter = P_OVER;
		break;
	case P_WENT:
		s->starting = 0;
		break;
	case P_IDLE:
	case P_LEASED:
	case P_OVER:
		return;
	}
	visit(f, &next);
	s->starter = P_OVER;
	visit(f, &next);
}

/* The query failed, the collector died, or it is done and another one comes. */
static void
step_again(struct search *f, const struct state *st)
{
	struct state next = *st;

	if (st->runs == RUNS)
		return;
	next.runs++;
	next.answer = A_COMPLETE;
	for (size_t i = 0; i < SESSIONS; i++) {
		next.s[i].collector = C_IDLE;
		next.s[i].seen = W_NONE;
	}
	visit(f, &next);
}

static void
search(struct search *f)
{
	struct state first;

	f->one_order = f->kind.sessions == SESSIONS && !check_all_cases();
	f->table = xcalloc(TABLE, sizeof(*f->table));
	f->queue = xcalloc(TABLE / 2 + 1, sizeof(*f->queue));
	memset(&first, 0, sizeof(first));
	first.bound = f->kind.bound;
	first.believes = f->kind.believes;
	first.deserts = f->kind.deserts;
	visit(f, &first);
	while (f->head < f->tail && !f->broken) {
		const struct state st = f->queue[f->head++];

		for (size_t i = 0; i < f->kind.sessions; i++) {
			step_launcher(f, &st, i);
			step_world(f, &st, i);
			step_collector(f, &st, i);
			step_client(f, &st, i);
			if (f->kind.persons) {
				step_ender(f, &st, i);
				step_starter(f, &st, i);
			}
		}
		step_ask(f, &st);
		step_again(f, &st);
	}
	(void)printf("# %zu states, %zu deletions\n", f->nstates, f->ndeleted);
	free(f->table);
	free(f->queue);
}

static void
test_interleavings(void)
{
	static const struct kind kinds[] = {
		{ .sessions = SESSIONS },
		{ .sessions = 1, .persons = true },
		{ .sessions = 1, .persons = true, .bound = true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct search f = { .kind = kinds[i] };

		search(&f);
		CHECK(!f.broken);
		CHECK(f.nstates > WANTED_STATES);
		CHECK(f.ndeleted > 0);
	}
}

static void
test_planted(void)
{
	static const struct kind kinds[] = {
		{ .sessions = SESSIONS, .asks_early = true },
		{ .sessions = 1, .persons = true, .believes = true },
		{ .sessions = SESSIONS, .believes = true },
		{ .sessions = 1,
		    .persons = true,
		    .bound = true,
		    .deserts = true },
		{ .sessions = 1, .persons = true, .ends_early = true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct search f = { .kind = kinds[i] };

		search(&f);
		CHECK(f.broken && f.nstates < TABLE / 2);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "in no order of steps is a live session deleted",
		    test_interleavings },
		{ "a planted bug deletes one", test_planted },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
