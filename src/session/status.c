/* SPDX-License-Identifier: MIT */
/* Derives the state from typed facts without I/O; has the table of states. */
#include "session/status.h"

#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "session/record.h"

enum {
	STOP_S = 30, /* grace period of stop, and time for the engine */
};

struct session_facts
session_facts_of(const char *id, const struct record *record,
    const struct paths *paths, const struct engine *engine,
    const struct container_list *containers)
{
	return (struct session_facts){ .record = record,
		.engine = engine,
		.containers = containers,
		.state_id = paths->state_id,
		.id = id };
}

/* An engine's id alone is not unique: two engines on one host can share it. */
static bool
engine_is_recorded(const struct session_facts *facts)
{
	const struct record *r = facts->record;
	const struct engine *e = facts->engine;

	return e->id != NULL && e->data_root != NULL && e->socket != NULL &&
	    e->id[0] != '\0' && strcmp(r->engine_id, e->id) == 0 &&
	    strcmp(r->engine_data_root, e->data_root) == 0 &&
	    strcmp(r->engine_socket, e->socket) == 0;
}

static bool
is_labelled(const struct session_facts *facts, const struct container *c)
{
	return strcmp(c->session, facts->id) == 0 &&
	    strcmp(c->state_id, facts->state_id) == 0;
}

static bool
any_labelled(const struct session_facts *facts)
{
	for (size_t i = 0; i < facts->containers->nr; i++) {
		if (is_labelled(facts, &facts->containers->v[i]))
			return true;
	}
	return false;
}

/*
 * Returns true for a container that was made by the Compose of this session's
 * launcher.  Its image is not compared, and the plan need not have it.  It was
 * made after the claim, which drew the id, in the Compose project of that id,
 * and has a name that Compose gives there.
 */
static bool
is_of_launch(const struct session_facts *facts, const struct container *c)
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
matches(const struct session_facts *facts, const struct container *c,
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
    const struct session_facts *facts, const struct record_container *part)
{
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (matches(facts, c, part))
			return c;
	}
	return NULL;
}

const struct container *
session_container(const struct session_facts *facts, const char *role)
{
	const struct record_container *part =
	    facts->record != NULL ? record_find(facts->record, role) : NULL;

	return part != NULL ? find_part(facts, part) : NULL;
}

static bool
is_ours(const struct session_facts *facts, const struct container *c)
{
	for (size_t i = 0; i < facts->record->ncontainers; i++)
		if (find_part(facts, &facts->record->containers[i]) == c)
			return true;
	return is_of_launch(facts, c);
}

void
session_own_ids(const struct session_facts *facts, struct strvec *ret_ids)
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
session_unconfirmed_ids(
    const struct session_facts *facts, struct strvec *ret_ids)
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
 * An exit while stop is at work is caused by stop.  A later exit has another
 * cause: stop was interrupted before the engine received the request, and the
 * session may have been attached since.
 */
static bool
is_of_stop(const struct session_facts *facts, const struct container *c)
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
 * The holder removes the note of an earlier start.  A note that exists is of
 * the last start, even while that start is still recorded (starting_at).
 */
static bool
has_ended(const struct session_facts *facts, const struct container *c)
{
	return facts->noted || facts->record->ended_at != NULL ||
	    is_of_stop(facts, c) ||
	    (facts->record->ends_with_client && facts->client_left);
}

/*
 * Returns true if deleting the session would remove every container with our
 * labels.
 */
static bool
all_labelled_are_ours(const struct session_facts *facts)
{
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (is_labelled(facts, c) && !is_ours(facts, c))
			return false;
	}
	return true;
}

/* The state if no other process holds the lease. */
static enum session_state
judge(const struct session_facts *facts)
{
	const struct record *r = facts->record;
	const struct container *agent;

	if (facts->damage != NULL)
		return SESSION_DAMAGED;
	if (r == NULL)
		return facts->sealed || any_labelled(facts) ? SESSION_DAMAGED
							    : SESSION_ENDED;
	if (strcmp(r->id, facts->id) != 0)
		return SESSION_DAMAGED;
	if (!engine_is_recorded(facts))
		return SESSION_FOREIGN;
	if (r->launched_at == NULL)
		/* The lease is free and go was never sent: no agent ran. */
		return all_labelled_are_ours(facts) ? SESSION_ENDED
						    : SESSION_DAMAGED;
	if (record_container_id(r, "agent") == NULL)
		return SESSION_DAMAGED;
	agent = session_container(facts, "agent");
	if (agent == NULL)
		/* A deletion that was interrupted may have removed it. */
		return r->ended_at != NULL && all_labelled_are_ours(facts)
		    ? SESSION_ENDED
		    : SESSION_LOST;
	if (agent->state != CONTAINER_EXITED && agent->state != CONTAINER_DEAD)
		return facts->viewed ? SESSION_RUNNING : SESSION_DETACHED;
	return has_ended(facts, agent) ? SESSION_ENDED : SESSION_STOPPED;
}

enum session_state
session_status(const struct session_facts *facts)
{
	bool launched =
	    facts->record != NULL && facts->record->launched_at != NULL;
	enum session_state state = judge(facts);

	if (!facts->leased || facts->damage != NULL)
		return state;
	if (state == SESSION_STOPPED ||
	    (!launched && (state == SESSION_ENDED || state == SESSION_DAMAGED)))
		return SESSION_STARTING;
	return state;
}

bool
session_runs(enum session_state state)
{
	return state == SESSION_RUNNING || state == SESSION_DETACHED;
}

/* ID and SOCKET stand for the session's id and its engine's socket. */
static const struct {
	const char *name;
	enum diag_class class;
	const char *words; /* follows "session ID" */
} states[] = {
	[SESSION_RUNNING] = { "running", DIAG_NO, "runs" },
	[SESSION_DETACHED] = { "detached", DIAG_NO, "runs" },
	[SESSION_STARTING] = { "starting", DIAG_BUSY,
	    "is being started: try again when it runs" },
	[SESSION_STOPPED] = { "stopped", DIAG_NO,
	    "is stopped: \"drydock attach ID\" starts it again" },
	[SESSION_ENDED] = { "ended", DIAG_NO, "has ended" },
	[SESSION_LOST] = { "lost", DIAG_ENGINE,
	    "is lost: the engine does not know its container; \"drydock stop "
	    "--force ID\" removes what is left" },
	[SESSION_FOREIGN] = { "foreign engine", DIAG_ENGINE,
	    "was started on another engine (SOCKET): start that engine, or "
	    "see \"drydock gc --adopt\"" },
	[SESSION_SILENT] = { "engine silent", DIAG_ENGINE,
	    "has an unknown state: its engine does not answer" },
	[SESSION_ORPHAN] = { "orphan container", DIAG_NO, "has no directory" },
	[SESSION_DAMAGED] = { "damaged", DIAG_DATA,
	    "is damaged: its record is incomplete" },
	[SESSION_UNKNOWN_CONTAINER] = { "unknown container", DIAG_NO,
	    "is not recorded" },
	[SESSION_UNKNOWN_IMAGE] = { "unknown image", DIAG_NO,
	    "is not recorded" },
};

const char *
session_state_name(enum session_state state)
{
	return states[state].name;
}

int
session_refuse(const struct session_facts *facts, enum session_state state,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf with_id = STRBUF_INIT;
	cleanup_strbuf struct strbuf words = STRBUF_INIT;

	if (state == SESSION_DAMAGED && facts->damage != NULL)
		return diag_set(dg, facts->damage->class,
		    "session %s is damaged: %s", facts->id,
		    facts->damage->message);
	/* An id has no capital letters, and a socket's path may have some. */
	strbuf_add_replaced(&with_id, states[state].words, "ID", facts->id);
	strbuf_add_replaced(&words, with_id.buf, "SOCKET",
	    facts->record != NULL ? facts->record->engine_socket : "");
	return diag_set(
	    dg, states[state].class, "session %s %s", facts->id, words.buf);
}

bool
session_proxy_gave_up(const struct session_facts *facts)
{
	const struct container *proxy = session_container(facts, "egress");

	return proxy != NULL &&
	    (proxy->state == CONTAINER_EXITED ||
		proxy->state == CONTAINER_DEAD);
}
