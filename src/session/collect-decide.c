/* SPDX-License-Identifier: MIT */
/* Whether a session is over: a pure function of typed facts. */
#include "session/collect.h"

#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/moment.h"
#include "session/record.h"

enum {
	STOP_S = 30, /* its grace, and what an engine needs besides */
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

/*
 * Made by the Compose that this session's launcher started, whatever its image
 * is and though no plan has it: after the claim, which drew the id, in the
 * project of that id and by a name that Compose gives there.
 */
static bool
is_of_launch(const struct collect_facts *facts, const struct container *c)
{
	cleanup_free char *label =
	    xasprintf("com.docker.compose.project=drydock-%s", facts->id);
	cleanup_free char *prefix = xasprintf("/drydock-%s-", facts->id);
	struct timespec claimed;
	struct timespec created;

	return facts->record->launched_at == NULL && is_labelled(facts, c) &&
	    c->name != NULL && c->created != NULL &&
	    strncmp(c->name, prefix, strlen(prefix)) == 0 &&
	    strvec_has(&c->labels, label) &&
	    moment_parse(facts->record->created_at, &claimed) &&
	    moment_parse(c->created, &created) &&
	    !moment_before(created, claimed);
}

static bool
matches(const struct collect_facts *facts, const struct container *c,
    const struct record_container *part)
{
	if (!is_labelled(facts, c) || strcmp(c->role, part->role) != 0)
		return false;
	if (part->id != NULL)
		return strcmp(c->id, part->id) == 0;
	if (facts->record->launched_at != NULL)
		return false;
	return (part->image != NULL && strcmp(c->image_id, part->image) == 0) ||
	    is_of_launch(facts, c);
}

static const struct container *
find_part(
    const struct collect_facts *facts, const struct record_container *part)
{
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (matches(facts, c, part))
			return c;
	}
	return NULL;
}

const struct container *
collect_container(const struct collect_facts *facts, const char *role)
{
	const struct record_container *part =
	    facts->record != NULL ? record_find(facts->record, role) : NULL;

	return part != NULL ? find_part(facts, part) : NULL;
}

static bool
is_ours(const struct collect_facts *facts, const struct container *c)
{
	for (size_t i = 0; i < facts->record->ncontainers; i++)
		if (find_part(facts, &facts->record->containers[i]) == c)
			return true;
	return is_of_launch(facts, c);
}

void
collect_own_ids(const struct collect_facts *facts, struct strvec *ret_ids)
{
	if (facts->record == NULL)
		return;
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (is_ours(facts, c) && !strvec_has(ret_ids, c->id))
			strvec_push(ret_ids, c->id);
	}
}

void
collect_unconfirmed_ids(
    const struct collect_facts *facts, struct strvec *ret_ids)
{
	if (facts->record == NULL)
		return;
	for (size_t i = 0; i < facts->record->ncontainers; i++) {
		const struct record_container *part =
		    &facts->record->containers[i];

		if (part->id != NULL && find_part(facts, part) == NULL)
			strvec_push(ret_ids, part->id);
	}
}

/*
 * What exits while stop is at work does so by that.  Later it was something
 * else: stop was cut off before the engine heard of it, and somebody may have
 * come back since.
 */
static bool
is_of_stop(const struct collect_facts *facts, const struct container *c)
{
	struct timespec began;
	struct timespec ended;
	struct timespec late;

	if (facts->record->stopping_at == NULL ||
	    !moment_parse(facts->record->stopping_at, &began) ||
	    !moment_parse(c->finished_at, &ended))
		return false;
	late = began;
	late.tv_sec += STOP_S;
	return !moment_before(ended, began) && moment_before(ended, late);
}

/*
 * The holder removes the note of an earlier start: one that is there is of the
 * last one, also while that start is still on record (starting_at).
 */
static bool
has_ended(const struct collect_facts *facts, const struct container *c)
{
	return facts->noted || facts->record->ended_at != NULL ||
	    is_of_stop(facts, c) ||
	    (facts->record->ends_with_client && facts->client_left);
}

/* Every container with our labels is one that we would remove. */
static bool
all_labelled_are_ours(const struct collect_facts *facts)
{
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (is_labelled(facts, c) && !is_ours(facts, c))
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
	if (record_container_id(r, "agent") == NULL)
		return COLLECT_UNKNOWN;
	agent = collect_container(facts, "agent");
	if (agent == NULL)
		/* Removed by a deletion that did not get to its end? */
		return r->ended_at != NULL && all_labelled_are_ours(facts)
		    ? COLLECT_DELETE
		    : COLLECT_LOST;
	if (agent->state != CONTAINER_EXITED && agent->state != CONTAINER_DEAD)
		return COLLECT_LIVE;
	return has_ended(facts, agent) ? COLLECT_DELETE : COLLECT_STOPPED;
}
