/* SPDX-License-Identifier: MIT */
/* collect: who may be deleted, by a table of what is known. */
#include "session/status.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "session/record.h"

#include "base/moment.h"
#include "check.h"

#define HEX16 "0123456789abcdef"
#define AGENT_ID HEX16 HEX16 HEX16 HEX16
#define EGRESS_ID "e" HEX16 HEX16 HEX16 "123456789abcdef"
#define OTHER_ID "f" HEX16 HEX16 HEX16 "123456789abcdef"

static char own_session[] = "abcd1234";
static char other_session[] = "zzzz9999";
static char own_state[] = "0123";
static char other_state[] = "4567";
static char agent_role[] = "agent";
static char egress_role[] = "egress";
static char agent_id[] = AGENT_ID;
static char egress_id[] = EGRESS_ID;
static char other_id[] = OTHER_ID;
static char agent_image[] = "sha256:a";
static char egress_image[] = "sha256:e";

enum recorded {
	NO_RECORD,
	CLAIMED, /* no ids, go was not sent */
	LISTED, /* ids, go was not sent */
	LAUNCHED,
	LAUNCHED_WITHOUT_ID,
};

struct row {
	const char *name;
	enum recorded recorded;
	bool ends_with_client;
	bool sealed;
	bool left; /* the client */
	bool noted; /* by the holder, that the command has ended */
	bool starting; /* by the record: it is started again */
	bool ended; /* by the record */
	bool stopping; /* by the record: stop began */
	const char *engine_id; /* NULL: the recorded one */
	const char *engine_root;
	const char *engine_socket;
	const char *record_id; /* NULL: the session's */
	struct container agent; /* id NULL: not listed */
	struct container other; /* another one in the list */
	enum session_state want;
};

#define AGENT(st, code)                                                        \
	{                                                                      \
		.id = agent_id, .session = own_session, .state_id = own_state, \
		.role = agent_role, .image_id = agent_image, .state = (st),    \
		.exit_code = (code)                                            \
	}

#define ENDED(code, at)                                                        \
	{                                                                      \
		.id = agent_id, .session = own_session, .state_id = own_state, \
		.role = agent_role, .image_id = agent_image,                   \
		.state = CONTAINER_EXITED, .exit_code = (code),                \
		.finished_at = (at)                                            \
	}

static char stop_began[] = "2026-01-01T13:00:00Z";
static char before_stop[] = "2026-01-01T12:59:59.9Z";
static char by_stop[] = "2026-01-01T13:00:00.1Z";
static char by_slow_stop[] = "2026-01-01T13:00:29.9Z";
static char after_stop[] = "2026-01-01T13:00:30Z";
static char not_said[] = "";
static char never[] = "0001-01-01T00:00:00Z";
static char made_agent[] = "/drydock-abcd1234-agent-1";
static char made_extra[] = "/drydock-abcd1234-extra-1";
static char made_other[] = "/agent";
static char before_claim[] = "2026-01-01T11:59:59.9Z";
static char after_claim[] = "2026-01-01T12:00:00.5Z";
static char project_label[] = "com.docker.compose.project=drydock-abcd1234";
static char *project_label_list[] = { project_label, NULL };
#define project_labels                           \
	{                                        \
		.v = project_label_list, .nr = 1 \
	}

/* By the Compose of the session's own launch, as far as it looks so. */
#define MADE(n, l, at)                                                         \
	{                                                                      \
		.id = other_id, .session = own_session, .state_id = own_state, \
		.role = agent_role, .image_id = egress_image, .name = (n),     \
		.labels = l, .created = (at), .state = CONTAINER_RUNNING       \
	}

static const struct row rows[] = {
	{ .name = "no record, nothing sealed, no container",
	    .recorded = NO_RECORD,
	    .want = SESSION_ENDED },
	{ .name = "no record but a sealed plan",
	    .recorded = NO_RECORD,
	    .sealed = true,
	    .want = SESSION_DAMAGED },
	{ .name = "no record but a container",
	    .recorded = NO_RECORD,
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_DAMAGED },
	{ .name = "claimed, no container",
	    .recorded = CLAIMED,
	    .want = SESSION_ENDED },
	{ .name = "claimed, its container waits and nobody holds the lease",
	    .recorded = CLAIMED,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .want = SESSION_ENDED },
	{ .name = "claimed, a container of another image has the labels",
	    .recorded = CLAIMED,
	    .agent = { .id = agent_id,
		.session = own_session,
		.state_id = own_state,
		.role = agent_role,
		.image_id = egress_image,
		.state = CONTAINER_EXITED },
	    .want = SESSION_DAMAGED },
	{ .name = "claimed, Compose made one of another image",
	    .recorded = CLAIMED,
	    .agent = MADE(made_agent, project_labels, after_claim),
	    .want = SESSION_ENDED },
	{ .name = "claimed, Compose made one that no plan has",
	    .recorded = CLAIMED,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .other = MADE(made_extra, project_labels, after_claim),
	    .want = SESSION_ENDED },
	{ .name = "claimed, one of another image is older than the claim",
	    .recorded = CLAIMED,
	    .agent = MADE(made_agent, project_labels, before_claim),
	    .want = SESSION_DAMAGED },
	{ .name = "claimed, one of another image is of no project",
	    .recorded = CLAIMED,
	    .agent = MADE(made_agent, STRVEC_INIT, after_claim),
	    .want = SESSION_DAMAGED },
	{ .name = "claimed, one of another image has another name",
	    .recorded = CLAIMED,
	    .agent = MADE(made_other, project_labels, after_claim),
	    .want = SESSION_DAMAGED },
	{ .name = "claimed, nobody says when one of another image was made",
	    .recorded = CLAIMED,
	    .agent = MADE(made_agent, project_labels, not_said),
	    .want = SESSION_DAMAGED },
	{ .name = "launched, one more is of the project",
	    .recorded = LAUNCHED,
	    .ended = true,
	    .other = MADE(made_extra, project_labels, after_claim),
	    .want = SESSION_LOST },
	{ .name = "claimed, a second container has the labels",
	    .recorded = CLAIMED,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .other = { .id = other_id,
		.session = own_session,
		.state_id = own_state,
		.role = agent_role,
		.image_id = agent_image,
		.state = CONTAINER_RUNNING },
	    .want = SESSION_DAMAGED },
	{ .name = "claimed on another engine",
	    .recorded = CLAIMED,
	    .engine_id = "other",
	    .want = SESSION_FOREIGN },
	{ .name = "listed, go was not sent",
	    .recorded = LISTED,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .want = SESSION_ENDED },
	{ .name = "launched and running",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .want = SESSION_DETACHED },
	{ .name = "launched and paused",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_PAUSED, 0),
	    .want = SESSION_DETACHED },
	{ .name = "launched and being removed",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_REMOVING, 0),
	    .want = SESSION_DETACHED },
	{ .name = "launched and created only",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_CREATED, 0),
	    .want = SESSION_DETACHED },
	{ .name = "ended with 0",
	    .recorded = LAUNCHED,
	    .noted = true,
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_ENDED },
	{ .name = "ended, and its container was killed then",
	    .recorded = LAUNCHED,
	    .noted = true,
	    .agent = AGENT(CONTAINER_EXITED, 137),
	    .want = SESSION_ENDED },
	{ .name = "ended, and the container is dead",
	    .recorded = LAUNCHED,
	    .noted = true,
	    .agent = AGENT(CONTAINER_DEAD, 255),
	    .want = SESSION_ENDED },
	{ .name = "exited with 0, and no end is noted",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_STOPPED },
	{ .name = "exited with 1, and no end is noted",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_EXITED, 1),
	    .want = SESSION_STOPPED },
	{ .name = "the holder got no command",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_EXITED, 75),
	    .want = SESSION_STOPPED },
	{ .name = "the holder crashed",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_EXITED, 134),
	    .want = SESSION_STOPPED },
	{ .name = "killed, perhaps by the engine's end",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_EXITED, 137),
	    .want = SESSION_STOPPED },
	{ .name = "255, which a reboot leaves",
	    .recorded = LAUNCHED,
	    .agent = AGENT(CONTAINER_EXITED, 255),
	    .want = SESSION_STOPPED },
	{ .name = "a viewer left",
	    .recorded = LAUNCHED,
	    .left = true,
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_STOPPED },
	{ .name = "an end is noted, and it runs",
	    .recorded = LAUNCHED,
	    .noted = true,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .want = SESSION_DETACHED },
	{ .name = "it was started again, and ended",
	    .recorded = LAUNCHED,
	    .starting = true,
	    .noted = true,
	    .agent = AGENT(CONTAINER_EXITED, 3),
	    .want = SESSION_ENDED },
	{ .name = "it was to be started again",
	    .recorded = LAUNCHED,
	    .starting = true,
	    .agent = AGENT(CONTAINER_EXITED, 3),
	    .want = SESSION_STOPPED },
	{ .name = "killed, one whose client has left",
	    .recorded = LAUNCHED,
	    .ends_with_client = true,
	    .left = true,
	    .agent = AGENT(CONTAINER_EXITED, 137),
	    .want = SESSION_ENDED },
	{ .name = "killed, one whose client is there",
	    .recorded = LAUNCHED,
	    .ends_with_client = true,
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_STOPPED },
	{ .name = "its client has left, and it runs",
	    .recorded = LAUNCHED,
	    .ends_with_client = true,
	    .left = true,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .want = SESSION_DETACHED },
	{ .name = "the engine does not know the container",
	    .recorded = LAUNCHED,
	    .want = SESSION_LOST },
	{ .name = "a deletion removed the container and ended there",
	    .recorded = LAUNCHED,
	    .ended = true,
	    .want = SESSION_ENDED },
	{ .name = "a stop began, and the engine does not know the container",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .want = SESSION_LOST },
	{ .name = "a stop ended it, and did not get to its end",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .agent = ENDED(143, by_stop),
	    .want = SESSION_ENDED },
	{ .name = "a stop ended it late, and did not get to its end",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .agent = ENDED(137, by_slow_stop),
	    .want = SESSION_ENDED },
	{ .name = "a stop was cut off, and later its engine ended it",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .agent = ENDED(143, after_stop),
	    .want = SESSION_STOPPED },
	{ .name = "its engine had ended it, and a stop began",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .agent = ENDED(143, before_stop),
	    .want = SESSION_STOPPED },
	{ .name = "a stop began, and when it exited is not known",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .agent = ENDED(255, never),
	    .want = SESSION_STOPPED },
	{ .name = "a stop began, and when it exited is not said",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .agent = ENDED(255, not_said),
	    .want = SESSION_STOPPED },
	{ .name = "a stop was cut off, and later it ended by itself",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .noted = true,
	    .agent = ENDED(0, after_stop),
	    .want = SESSION_ENDED },
	{ .name = "a stop began, and it runs",
	    .recorded = LAUNCHED,
	    .stopping = true,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .want = SESSION_DETACHED },
	{ .name = "its end is recorded, and its labels are on another",
	    .recorded = LAUNCHED,
	    .ended = true,
	    .other = { .id = other_id,
		.session = own_session,
		.state_id = own_state,
		.role = agent_role,
		.image_id = agent_image,
		.state = CONTAINER_EXITED },
	    .want = SESSION_LOST },
	{ .name = "its end is recorded, and it runs",
	    .recorded = LAUNCHED,
	    .ended = true,
	    .agent = AGENT(CONTAINER_RUNNING, 0),
	    .want = SESSION_DETACHED },
	{ .name = "another container took over the labels",
	    .recorded = LAUNCHED,
	    .other = { .id = other_id,
		.session = own_session,
		.state_id = own_state,
		.role = agent_role,
		.image_id = agent_image,
		.state = CONTAINER_EXITED },
	    .want = SESSION_LOST },
	{ .name = "the recorded id without our labels",
	    .recorded = LAUNCHED,
	    .agent = { .id = agent_id,
		.session = other_session,
		.state_id = own_state,
		.role = agent_role,
		.image_id = agent_image,
		.state = CONTAINER_EXITED },
	    .want = SESSION_LOST },
	{ .name = "the recorded id of another state directory",
	    .recorded = LAUNCHED,
	    .agent = { .id = agent_id,
		.session = own_session,
		.state_id = other_state,
		.role = agent_role,
		.image_id = agent_image,
		.state = CONTAINER_EXITED },
	    .want = SESSION_LOST },
	{ .name = "launched without an id",
	    .recorded = LAUNCHED_WITHOUT_ID,
	    .want = SESSION_DAMAGED },
	{ .name = "exited, another engine id",
	    .recorded = LAUNCHED,
	    .engine_id = "other",
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_FOREIGN },
	{ .name = "exited, another data root",
	    .recorded = LAUNCHED,
	    .engine_root = "/other",
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_FOREIGN },
	{ .name = "exited, another socket",
	    .recorded = LAUNCHED,
	    .engine_socket = "/other",
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_FOREIGN },
	{ .name = "exited, an engine without an id",
	    .recorded = LAUNCHED,
	    .engine_id = "",
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_FOREIGN },
	{ .name = "exited, a record of another session",
	    .recorded = LAUNCHED,
	    .record_id = "zzzz9999",
	    .agent = AGENT(CONTAINER_EXITED, 0),
	    .want = SESSION_DAMAGED },
};

static char *
dup_or(const char *s, const char *fallback)
{
	return xstrdup(s != NULL ? s : fallback);
}

static void
fill_record(const struct row *row, struct record *r)
{
	r->id = dup_or(row->record_id, own_session);
	r->engine_id = xstrdup("engine");
	r->created_at = xstrdup("2026-01-01T12:00:00Z");
	r->engine_data_root = xstrdup("/data");
	r->engine_socket = xstrdup("/socket");
	record_set(r, "agent", agent_image, NULL);
	record_set(r, "egress", egress_image, NULL);
	r->ends_with_client = row->ends_with_client;
	if (row->recorded == LISTED || row->recorded == LAUNCHED) {
		record_set(r, "agent", NULL, agent_id);
		record_set(r, "egress", NULL, egress_id);
	}
	if (row->recorded == LAUNCHED || row->recorded == LAUNCHED_WITHOUT_ID)
		r->launched_at = moment_now();
	if (row->starting)
		r->starting_at = moment_now();
	if (row->stopping)
		r->stopping_at = xstrdup(stop_began);
	if (row->ended)
		r->ended_at = moment_now();
}

static enum session_state
decide(const struct row *row)
{
	cleanup_record struct record record = RECORD_INIT;
	cleanup_free char *id = dup_or(row->engine_id, "engine");
	cleanup_free char *root = dup_or(row->engine_root, "/data");
	cleanup_free char *socket = dup_or(row->engine_socket, "/socket");
	struct engine engine = {
		.id = id,
		.data_root = root,
		.socket = socket,
	};
	struct container v[2];
	struct container_list list = { v, 0 };
	struct session_facts facts = {
		.record = row->recorded == NO_RECORD ? NULL : &record,
		.sealed = row->sealed,
		.noted = row->noted,
		.client_left = row->left,
		.engine = &engine,
		.containers = &list,
		.state_id = own_state,
		.id = own_session,
	};

	fill_record(row, &record);
	if (row->agent.id != NULL)
		v[list.nr++] = row->agent;
	if (row->other.id != NULL)
		v[list.nr++] = row->other;
	return session_status(&facts);
}

static void
test_decisions(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_int(__FILE__, __LINE__, rows[i].name, decide(&rows[i]),
		    rows[i].want);
}

/* Whatever is unknown about one fact, a running container is never deleted. */
static void
test_running_is_never_deleted(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = rows[i];

		if (row.recorded != LAUNCHED || row.agent.id == NULL)
			continue;
		row.agent.state = CONTAINER_RUNNING;
		check_true(__FILE__, __LINE__, row.name,
		    decide(&row) != SESSION_ENDED);
	}
}

static void
test_roles(void)
{
	cleanup_record struct record record = RECORD_INIT;
	const struct row row = { .recorded = LAUNCHED };
	struct container v[] = {
		AGENT(CONTAINER_RUNNING, 0),
		{ .id = egress_id,
		    .session = own_session,
		    .state_id = own_state,
		    .role = egress_role,
		    .image_id = egress_image },
	};
	struct container_list list = { v, ARRAY_SIZE(v) };
	struct engine engine = ENGINE_INIT;
	struct session_facts facts = {
		.record = &record,
		.engine = &engine,
		.containers = &list,
		.state_id = own_state,
		.id = own_session,
	};

	fill_record(&row, &record);
	CHECK(session_container(&facts, "agent") == &v[0]);
	CHECK(session_container(&facts, "egress") == &v[1]);
}

/* What is removed, and what is left, when the first of both is changed so. */
static void
test_removed(void)
{
	static const struct {
		const char *name;
		size_t member; /* of the agent's container */
		size_t own, unconfirmed;
	} cases[] = {
		{ "as recorded", 0, 2, 0 },
		{ "another session", offsetof(struct container, session), 1,
		    1 },
		{ "another state", offsetof(struct container, state_id), 1, 1 },
		{ "another role", offsetof(struct container, role), 1, 1 },
		{ "another id", offsetof(struct container, id), 1, 1 },
	};
	cleanup_record struct record record = RECORD_INIT;
	const struct row row = { .recorded = LAUNCHED };
	struct engine engine = ENGINE_INIT;

	fill_record(&row, &record);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_strvec struct strvec own = STRVEC_INIT;
		cleanup_strvec struct strvec unconfirmed = STRVEC_INIT;
		struct container v[] = {
			AGENT(CONTAINER_EXITED, 0),
			{ .id = egress_id,
			    .session = own_session,
			    .state_id = own_state,
			    .role = egress_role },
		};
		struct container_list list = { v, ARRAY_SIZE(v) };
		const struct session_facts facts = {
			.record = &record,
			.engine = &engine,
			.containers = &list,
			.state_id = own_state,
			.id = own_session,
		};

		if (i > 0)
			*(char **)(void *)((char *)v + cases[i].member) =
			    other_session;
		session_own_ids(&facts, &own);
		session_unconfirmed_ids(&facts, &unconfirmed);
		check_int(__FILE__, __LINE__, cases[i].name, (intmax_t)own.nr,
		    (intmax_t)cases[i].own);
		check_int(__FILE__, __LINE__, cases[i].name,
		    (intmax_t)unconfirmed.nr, (intmax_t)cases[i].unconfirmed);
		CHECK(strvec_has(&own, egress_id));
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "each state of a session has its verdict", test_decisions },
		{ "a launched container that runs is never deleted",
		    test_running_is_never_deleted },
		{ "containers are found by id, labels and role", test_roles },
		{ "what a record names is removed by its labels too",
		    test_removed },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
