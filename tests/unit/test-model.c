/* SPDX-License-Identifier: MIT */
/*
 * model: every order in which two launchers, two sessions and a collector can
 * take their steps, with a crash after each, over collect_decide() itself.  In
 * no state is a session deleted whose agent runs, could go on, or is still to
 * be started.
 */
#include "session/collect.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "session/record.h"

#include "check.h"

enum {
	SESSIONS = 2,
	RUNS = 2, /* of the collector */
	TABLE = 1 << 22,
	WANTED_STATES = 10000,
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
	C_LEASED,
	C_ANSWERED,
	C_REMOVED,
	C_OVER
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
};

struct state {
	struct one s[SESSIONS];
	uint8_t answer;
	uint8_t runs;
};

struct search {
	struct state *table; /* owned; by hash */
	uint8_t *used; /* owned */
	struct state *queue; /* owned */
	size_t head, tail;
	size_t nstates, ndeleted;
	bool broken;
};

static char ids[SESSIONS][9] = { "aaaaaaaa", "bbbbbbbb" };
static char agent_ids[SESSIONS][65];
static char state_id[] = "0123";
static char role[] = "agent";
static char image[] = "sha256:a";
static char engine_id[] = "engine";
static char other_id[] = "other";
static char data_root[] = "/data";
static char other_root[] = "/other";
static char socket_path[] = "/socket";
static char moment[] = "2026-01-01T00:00:00Z";

static size_t
hash(const struct state *st)
{
	const unsigned char *p = (const unsigned char *)st;
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof(*st); i++)
		h = (h ^ p[i]) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 29) % TABLE;
}

static void
visit(struct search *f, const struct state *st)
{
	size_t at = hash(st);

	while (f->used[at] != 0) {
		if (memcmp(&f->table[at], st, sizeof(*st)) == 0)
			return;
		at = (at + 1) % TABLE;
	}
	if (f->nstates == TABLE / 2) {
		f->broken = true;
		return;
	}
	f->used[at] = 1;
	f->table[at] = *st;
	f->queue[f->tail++] = *st;
	f->nstates++;
}

static bool
launcher_holds(const struct one *s)
{
	return s->launcher >= L_CLAIMED && s->launcher < L_OVER;
}

static bool
collector_holds(const struct one *s)
{
	return s->collector >= C_LEASED && s->collector < C_OVER;
}

/* The child inherited the descriptor: a killed launcher does not free it. */
static bool
is_leased(const struct one *s)
{
	return launcher_holds(s) || s->child == CH_WORKS || collector_holds(s);
}

static void
set_container(struct one *s, enum world now)
{
	s->before = s->container;
	s->container = (uint8_t)now;
}

static void
fill_container(size_t i, enum world seen, struct container *c)
{
	memset(c, 0, sizeof(*c));
	c->id = agent_ids[i];
	c->session = ids[i];
	c->state_id = state_id;
	c->role = role;
	c->image_id = image;
	c->state = seen == W_WAITS || seen == W_AGENT ? CONTAINER_RUNNING
						      : CONTAINER_EXITED;
	c->exit_code = seen == W_STOPPED ? 143 : 0;
}

static void
fill_record(size_t i, const struct one *s, struct record *r)
{
	*r = (struct record){ .id = ids[i],
		.engine_id = engine_id,
		.engine_data_root = data_root,
		.engine_socket = socket_path,
		.agent_image = image };
	if (s->record >= R_LISTED)
		r->agent_container = agent_ids[i];
	if (s->record >= R_LAUNCHED)
		r->launched_at = moment;
	if (s->record == R_ENDED)
		r->ended_at = moment;
}

static enum collect_verdict
decide(const struct state *st, size_t i)
{
	const struct one *s = &st->s[i];
	struct container v[SESSIONS];
	struct container_list list = { v, 0 };
	struct record record;
	const struct engine engine = {
		.id = st->answer == A_FOREIGN ? other_id : engine_id,
		.data_root =
		    st->answer == A_OTHER_ROOT ? other_root : data_root,
		.socket = socket_path,
	};
	const struct collect_facts facts = {
		.record = s->record == R_NONE ? NULL : &record,
		.sealed = s->sealed != 0,
		.engine = &engine,
		.containers = &list,
		.state_id = state_id,
		.id = ids[i],
	};

	fill_record(i, s, &record);
	for (size_t n = 0; n < SESSIONS; n++) {
		enum world seen = (enum world)st->s[n].seen;

		if (seen != W_NONE && seen != W_REMOVED)
			fill_container(n, seen, &v[list.nr++]);
	}
	return collect_decide(&facts);
}

/* What must hold where the collector is about to remove something. */
static bool
may_delete(const struct one *s)
{
	return !launcher_holds(s) && s->child != CH_WORKS &&
	    s->container != W_AGENT &&
	    (s->container != W_STOPPED || s->record == R_ENDED);
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
	visit(f, &next);
}

/* Compose, the daemon behind it, the agent, and the engine's own end. */
static void
step_world(struct search *f, const struct state *st, size_t i)
{
	static const enum world from[] = { W_WAITS, W_AGENT, W_AGENT };
	static const enum world to[] = { W_ENDED, W_ENDED, W_STOPPED };
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
	for (size_t n = 0; n < ARRAY_SIZE(from); n++) {
		next = *st;
		if ((enum world)s->container != from[n])
			continue;
		set_container(&next.s[i], to[n]);
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
	if (!any_collector(st, C_LEASED))
		return;
	for (int kind = 0; kind < A_KINDS; kind++) {
		struct state next = *st;

		next.answer = (uint8_t)kind;
		for (size_t i = 0; i < SESSIONS; i++) {
			struct one *s = &next.s[i];

			s->seen = kind == A_EMPTY ? (uint8_t)W_NONE
			    : kind == A_STALE     ? s->before
						  : s->container;
			if (s->collector == C_LEASED)
				s->collector = C_ANSWERED;
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
		if (s->dir != 1 || is_leased(s) ||
		    any_collector(st, C_ANSWERED))
			return;
		s->collector = C_LEASED;
		break;
	case C_ANSWERED:
		if (decide(st, i) != COLLECT_DELETE) {
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
		s->collector = C_REMOVED;
		break;
	case C_REMOVED:
		s->dir = 2;
		s->collector = C_OVER;
		break;
	case C_LEASED:
	case C_OVER:
		return;
	}
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
test_interleavings(void)
{
	struct search f = { .table = xcalloc(TABLE, sizeof(*f.table)),
		.used = xcalloc(TABLE, 1),
		.queue = xcalloc(TABLE / 2 + 1, sizeof(*f.queue)) };
	struct state first;

	memset(&first, 0, sizeof(first));
	for (size_t i = 0; i < SESSIONS; i++)
		memset(agent_ids[i], i == 0 ? 'a' : 'b', 64);
	visit(&f, &first);
	while (f.head < f.tail && !f.broken) {
		const struct state st = f.queue[f.head++];

		for (size_t i = 0; i < SESSIONS; i++) {
			step_launcher(&f, &st, i);
			step_world(&f, &st, i);
			step_collector(&f, &st, i);
		}
		step_ask(&f, &st);
		step_again(&f, &st);
	}
	(void)printf("# %zu states, %zu deletions\n", f.nstates, f.ndeleted);
	CHECK(!f.broken);
	CHECK(f.nstates > WANTED_STATES);
	CHECK(f.ndeleted > 0);
	free(f.table);
	free(f.used);
	free(f.queue);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "in no order of steps is a live session deleted",
		    test_interleavings },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
