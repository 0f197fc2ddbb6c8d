/* SPDX-License-Identifier: MIT */
/* Removes a session that was not launched or whose command has ended. */
#include "session/teardown.h"

#include <poll.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "base/strvec.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/logs.h"
#include "host/paths.h"
#include "plan/plan.h"
#include "session/changes.h"
#include "session/collect.h"
#include "session/look.h"
#include "session/outcome.h"
#include "session/patchguard.h"
#include "session/record.h"
#include "session/session.h"
#include "session/start.h"

enum {
	END_WAIT_MS = 15000, /* the holder kills after ten seconds */
	END_STEP_MS = 10,
	SETTLE_MS = 2000, /* time for the engine to make a container */
	SETTLE_STEP_MS = 50,
	STATUS_ENDED = 143, /* 128 + SIGTERM, which stop sends */
};

/*
 * A container has our labels but is not the plan's.  The directory stays,
 * because it leads to that container.  Our own containers are removed.
 */
static int
keep_directory(const struct session_facts *facts, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	session_own_ids(facts, &ids);
	for (size_t i = 0; i < ids.nr; i++)
		if (container_remove(facts->engine, ids.v[i], dg) != 0)
			return -1;
	return diag_set(dg, DIAG_ENGINE,
	    "a container has the label io.drydock.session=%s but is not in "
	    "its plan",
	    facts->id);
}

/*
 * If one container fails, Compose exits while the engine may still make
 * another.  Wait for that one: removing the session now would orphan it.
 */
static int
find_settled(const struct session_facts *facts,
    struct container_list *containers, struct diag *dg)
{
	int64_t deadline = monotime_ms() + SETTLE_MS;

	for (;;) {
		cleanup_strvec struct strvec ids = STRVEC_INIT;

		container_list_release(containers);
		if (containers_find(
			facts->engine, facts->state_id, containers, dg) != 0)
			return -1;
		session_own_ids(facts, &ids);
		if (ids.nr >= facts->record->ncontainers ||
		    monotime_left_ms(deadline) == 0)
			return 0;
		(void)poll(NULL, 0, SETTLE_STEP_MS);
	}
}

static int
remove_launch(struct start *l, struct diag *dg)
{
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;
	const struct look_spec at = { .paths = l->paths,
		.engine = l->engine,
		.containers = &containers,
		.record_given = true,
		.record = &l->record };
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;

	if (session_look(&at, &l->session, &look, dg) != 0 ||
	    (l->composed && find_settled(&look.facts, &containers, dg) != 0))
		return -1;
	if (session_status(&look.facts) != SESSION_ENDED)
		return keep_directory(&look.facts, dg);
	return collect_delete(l->paths, &look.facts, &l->session, dg);
}

void
teardown_launch(struct start *l)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (l->left || l->session.dir_fd < 0)
		return;
	/*
	 * The agent never ran: containers may be matched by image and labels.
	 */
	free(l->record.launched_at);
	l->record.launched_at = NULL;
	if (remove_launch(l, &dg) != 0)
		diag_warn("session %s is not removed: %s; "
			  "the next launch tries again",
		    l->session.id, dg.message);
}

static void
recorded_ids(const struct record *record, struct strvec *ret_ids)
{
	for (size_t i = 0; i < record->ncontainers; i++)
		if (record->containers[i].id != NULL)
			strvec_push(ret_ids, record->containers[i].id);
}

/* The engine reports the end some milliseconds after the command ended. */
static int
wait_end(const struct session_facts *facts, int agent_pidfd,
    struct container_list *containers, struct diag *dg)
{
	struct pollfd ended = { .fd = agent_pidfd, .events = POLLIN };
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	int64_t deadline = monotime_ms() + END_WAIT_MS;

	recorded_ids(facts->record, &ids);
	if (agent_pidfd >= 0)
		(void)poll(&ended, 1, END_WAIT_MS);
	for (;;) {
		const struct container *agent;

		container_list_release(containers);
		if (containers_inspect(facts->engine,
			(const char *const *)ids.v, containers, dg) != 0)
			return -1;
		agent = session_container(facts, "agent");
		if (agent == NULL || agent->state == CONTAINER_EXITED ||
		    agent->state == CONTAINER_DEAD ||
		    monotime_left_ms(deadline) == 0)
			return 0;
		(void)poll(NULL, 0, END_STEP_MS);
	}
}

/*
 * Kills a command that its holder did not end.  The client is gone and cannot
 * attach again, so the session must not stay.
 */
static int
kill_overdue(const struct session_facts *facts,
    struct container_list *containers, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	recorded_ids(facts->record, &ids);
	diag_warn("session %s: its command did not end with its client within "
		  "%d seconds and is killed",
	    facts->id, END_WAIT_MS / 1000);
	/* The container was matched by its id and its labels. */
	if (container_stop(facts->engine,
		record_container_id(facts->record, "agent"), 0, dg) != 0)
		return -1;
	container_list_release(containers);
	return containers_inspect(
	    facts->engine, (const char *const *)ids.v, containers, dg);
}

/* Waits for the end, then reads the state of the session again. */
static int
look_at_end(const struct look_spec *at, const struct session *session,
    struct container_list *containers, bool client_left, int agent_pidfd,
    struct session_look *look, struct diag *dg)
{
	if (session_look(at, session, look, dg) != 0 ||
	    wait_end(&look->facts, agent_pidfd, containers, dg) != 0)
		return -1;
	session_look_again(at, session, look);
	look->facts.client_left = client_left;
	look->state = session_status(&look->facts);
	if (!session_runs(look->state) || !at->record->ends_with_client)
		return 0;
	if (kill_overdue(&look->facts, containers, dg) != 0)
		return -1;
	look->state = session_status(&look->facts);
	return 0;
}

/*
 * Reports extra services that failed.  They end with their session, so a
 * service that exited earlier did so by itself, and may be why the command
 * failed.
 */
static void
tell_services(const struct session_facts *facts)
{
	const struct record *r = facts->record;

	for (size_t i = 0; i < r->ncontainers; i++) {
		const char *role = r->containers[i].role;
		const struct container *c = session_container(facts, role);
		cleanup_diag struct diag dg = DIAG_INIT;

		if (service_role_of(role) != SERVICE_EXTRA || c == NULL ||
		    c->state != CONTAINER_EXITED || c->exit_code == 0)
			continue;
		(void)diag_set(&dg, DIAG_ENGINE,
		    "the service %s ended before the session did (status %d)",
		    role, c->exit_code);
		logs_add(facts->engine, c->id, &dg);
		diag_print(&dg);
	}
}

/* A collector, or "drydock stop", removed the session first. */
static void
tell_gone(const struct paths *paths, const struct record *record,
    bool client_left, int *ret_status)
{
	cleanup_outcome struct outcome outcome = OUTCOME_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (outcome_read(paths, record->id, &outcome, &ignored) == 0)
		outcome_tell(&outcome, paths);
	if (!client_left && !record->ends_with_client) {
		diag_note("another process ended session %s", record->id);
		*ret_status = STATUS_ENDED;
	}
}

static int
remove_ended(const struct paths *paths, const struct engine *engine,
    const struct record *record, bool client_left, int agent_pidfd,
    int *ret_status, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	const struct look_spec at = { .paths = paths,
		.engine = engine,
		.containers = &containers,
		.record_given = true,
		.record = record };
	cleanup_outcome struct outcome outcome = OUTCOME_INIT;
	const struct container *agent;
	enum lock_answer answer;

	if (session_take(paths, record->id, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE) {
		tell_gone(paths, record, client_left, ret_status);
		return 0;
	}
	if (look_at_end(&at, &session, &containers, client_left, agent_pidfd,
		&look, dg) != 0)
		return -1;
	agent = session_container(&look.facts, "agent");
	if (look.facts.noted)
		*ret_status = look.facts.noted_status;
	else if (agent != NULL && agent->state == CONTAINER_EXITED)
		*ret_status = agent->exit_code;
	if (look.state == SESSION_STOPPED || look.state == SESSION_ENDED) {
		/* Before the session's files are removed. */
		outcome_gather(&look.facts, session.dir_fd, &outcome);
		outcome_tell(&outcome, paths);
		tell_services(&look.facts);
		patchguard_warn(record->project);
	}
	if (look.state == SESSION_STOPPED) {
		/* collect_delete() tells it of a session that has ended. */
		changes_tell(session.dir_fd, record->id, WATCHED_END_MS);
		*ret_status = -1;
		diag_note("session %s is stopped: \"drydock attach %s\" "
			  "starts it again",
		    record->id, record->id);
		return 0;
	}
	if (look.state != SESSION_ENDED)
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not confirm that its container has ended");
	return collect_delete(paths, &look.facts, &session, dg);
}

int
teardown_ended(const struct paths *paths, const struct engine *engine,
    const struct record *record, bool client_left, int agent_pidfd)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int status = -1;

	if (remove_ended(paths, engine, record, client_left, agent_pidfd,
		&status, &dg) != 0)
		diag_warn(
		    "session %s is not removed: %s", record->id, dg.message);
	return status;
}
