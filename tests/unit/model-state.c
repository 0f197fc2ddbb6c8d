/* SPDX-License-Identifier: MIT */
/* The model's states as the facts that session_status() is given. */
#include "model-state.h"

#include <string.h>

#include "engine/container.h"
#include "engine/engine.h"
#include "session/record.h"

static char ids[SESSIONS][9] = { "aaaaaaaa", "bbbbbbbb" };
#define A8 "aaaaaaaa"
#define B8 "bbbbbbbb"
static char agent_ids[SESSIONS][65] = {
	A8 A8 A8 A8 A8 A8 A8 A8,
	B8 B8 B8 B8 B8 B8 B8 B8,
};
static char state_id[] = "0123";
static char role[] = "agent";
static char image[] = "sha256:a";
static char engine_id[] = "engine";
static char other_id[] = "other";
static char data_root[] = "/data";
static char other_root[] = "/other";
static char socket_path[] = "/socket";
static char moment[] = "2026-01-01T00:00:00Z";
static char soon[] = "2026-01-01T00:00:09Z";
static char later[] = "2026-01-01T00:01:00Z";

bool
launcher_holds(const struct one *s)
{
	return s->launcher >= L_CLAIMED && s->launcher < L_OVER;
}

bool
has_container(const struct one *s)
{
	return s->container != W_NONE && s->container != W_REMOVED;
}

bool
person_holds(uint8_t person)
{
	return person >= P_LEASED && person < P_OVER;
}

static bool
collector_holds(const struct one *s)
{
	return s->collector >= C_LEASED && s->collector < C_OVER;
}

bool
is_leased(const struct one *s)
{
	return launcher_holds(s) || s->child == CH_WORKS ||
	    collector_holds(s) || person_holds(s->ender) ||
	    person_holds(s->starter);
}

void
set_container(struct one *s, enum world now)
{
	s->before = s->container;
	s->container = (uint8_t)now;
}

static void
fill_container(
    size_t i, const struct one *s, enum world seen, struct container *c)
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
	c->finished_at = s->by_stop != 0 ? soon : later;
}

static void
fill_record(size_t i, const struct one *s, struct record_container *agent,
    struct record *r)
{
	*agent = (struct record_container){ .role = role,
		.image = image,
		.id = s->record >= R_LISTED ? agent_ids[i] : NULL };
	*r = (struct record){ .id = ids[i],
		.engine_id = engine_id,
		.engine_data_root = data_root,
		.engine_socket = socket_path,
		.containers = agent,
		.ncontainers = 1 };
	if (s->record >= R_LAUNCHED)
		r->launched_at = moment;
	if (s->starting != 0)
		r->starting_at = moment;
	if (s->stopping != 0)
		r->stopping_at = moment;
	if (s->record == R_ENDED)
		r->ended_at = moment;
}

uint8_t
seen_in(const struct one *s, int kind)
{
	return kind == A_EMPTY ? (uint8_t)W_NONE
	    : kind == A_STALE  ? s->before
			       : s->container;
}

enum session_state
decide(const struct state *st, size_t i, uint8_t answer)
{
	const struct one *s = &st->s[i];
	struct container v[SESSIONS];
	struct container_list list = { v, 0 };
	struct record_container agent;
	struct record record;
	const struct engine engine = {
		.id = answer == A_FOREIGN ? other_id : engine_id,
		.data_root = answer == A_OTHER_ROOT ? other_root : data_root,
		.socket = socket_path,
	};
	const struct session_facts facts = {
		.record = s->record == R_NONE ? NULL : &record,
		.sealed = s->sealed != 0,
		.engine = &engine,
		.containers = &list,
		.state_id = state_id,
		.id = ids[i],
		.noted = s->noted != 0 || st->believes != 0,
		.client_left = s->client == CL_LEFT || st->deserts != 0,
	};

	fill_record(i, s, &agent, &record);
	record.ends_with_client = st->bound != 0 && s->client != CL_RESUMED;
	for (size_t n = 0; n < SESSIONS; n++) {
		enum world seen = (enum world)st->s[n].seen;

		if (seen != W_NONE && seen != W_REMOVED)
			fill_container(n, &st->s[n], seen, &v[list.nr++]);
	}
	return session_status(&facts);
}

enum session_state
decide_told(const struct state *st, size_t i)
{
	struct state own = *st;

	own.s[i].seen = st->s[i].told;
	return decide(&own, i, st->s[i].told_by);
}

bool
may_delete(const struct one *s)
{
	return !launcher_holds(s) && s->child != CH_WORKS &&
	    s->container != W_AGENT && s->owed == 0;
}
