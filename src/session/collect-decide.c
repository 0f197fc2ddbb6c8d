/* SPDX-License-Identifier: MIT */
/* Whether a session is over: a pure function of typed facts. */
#include "session/collect.h"

#include <string.h>

#include "engine/container.h"
#include "engine/engine.h"
#include "session/record.h"

enum {
	EXIT_KILLED = 137,
	EXIT_TERMINATED = 143,
	EXIT_HOST_WENT_DOWN = 255, /* what dockerd writes after a reboot */
};

/* Two engines on one host can share an id. */
static bool
engine_is_recorded(const struct collect_facts *facts)
{
	const struct record *r = facts->record;
	const struct engine *e = facts->engine;

	return e->id != NULL && e->data_root != NULL && e->socket != NULL &&
	    e->id[0] != '\0' && strcmp(r->engine_id, e->id) == 0 &&
	    strcmp(r->engine_data_root, e->data_root) == 0 &&
	    strcmp(r->engine_socket, e->socket) == 0;
}

static bool
is_labelled(const struct collect_facts *facts, const struct container *c)
{
	return strcmp(c->session, facts->id) == 0 &&
	    strcmp(c->state_id, facts->state_id) == 0;
}

static bool
any_labelled(const struct collect_facts *facts)
{
	for (size_t i = 0; i < facts->containers->nr; i++) {
		if (is_labelled(facts, &facts->containers->v[i]))
			return true;
	}
	return false;
}

static bool
matches(const struct collect_facts *facts, const struct container *c,
    const char *role, const char *id, const char *image)
{
	if (!is_labelled(facts, c) || strcmp(c->role, role) != 0)
		return false;
	if (id != NULL)
		return strcmp(c->id, id) == 0;
	return facts->record->launched_at == NULL && image != NULL &&
	    strcmp(c->image_id, image) == 0;
}

const struct container *
collect_container(const struct collect_facts *facts, const char *role)
{
	const struct record *r = facts->record;
	bool agent = strcmp(role, "agent") == 0;
	const char *id;
	const char *image;

	if (r == NULL)
		return NULL;
	id = agent ? r->agent_container : r->egress_container;
	image = agent ? r->agent_image : r->egress_image;
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (matches(facts, c, role, id, image))
			return c;
	}
	return NULL;
}

static bool
ended_by_itself(const struct collect_facts *facts, const struct container *c)
{
	if (c->state != CONTAINER_EXITED && c->state != CONTAINER_DEAD)
		return false;
	if (facts->record->ends_with_client || facts->seen_end ||
	    facts->record->ended_at != NULL)
		return true;
	/* The holder waited and gave up; the agent did not run this time. */
	if (facts->record->starting_at != NULL)
		return false;
	return c->exit_code != EXIT_KILLED && c->exit_code != EXIT_TERMINATED &&
	    c->exit_code != EXIT_HOST_WENT_DOWN;
}

/* Every container with our labels is one of the two that we would remove. */
static bool
all_labelled_are_ours(const struct collect_facts *facts)
{
	const struct container *agent = collect_container(facts, "agent");
	const struct container *egress = collect_container(facts, "egress");

	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (is_labelled(facts, c) && c != agent && c != egress)
			return false;
	}
	return true;
}

enum collect_verdict
collect_decide(const struct collect_facts *facts)
{
	const struct record *r = facts->record;
	const struct container *agent;

	if (r == NULL)
		return facts->sealed || any_labelled(facts) ? COLLECT_UNKNOWN
							    : COLLECT_DELETE;
	if (strcmp(r->id, facts->id) != 0)
		return COLLECT_UNKNOWN;
	if (!engine_is_recorded(facts))
		return COLLECT_FOREIGN;
	if (r->launched_at == NULL)
		/* The lease is free and go was never sent: no agent ran. */
		return all_labelled_are_ours(facts) ? COLLECT_DELETE
						    : COLLECT_UNKNOWN;
	if (r->agent_container == NULL)
		return COLLECT_UNKNOWN;
	agent = collect_container(facts, "agent");
	if (agent == NULL)
		/* Removed by a deletion that did not get to its end? */
		return r->ended_at != NULL && all_labelled_are_ours(facts)
		    ? COLLECT_DELETE
		    : COLLECT_LOST;
	if (agent->state != CONTAINER_EXITED && agent->state != CONTAINER_DEAD)
		return COLLECT_LIVE;
	return ended_by_itself(facts, agent) ? COLLECT_DELETE : COLLECT_STOPPED;
}
