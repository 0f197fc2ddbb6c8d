/* SPDX-License-Identifier: MIT */
/* stop: under the lease, by what the engine says after it was won. */
#include "session/end.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "session/collect.h"
#include "session/prompt.h"
#include "session/record.h"
#include "session/session.h"

enum {
	LEASE_WAIT_MS = 10000
};

/* Its files would go with it, and attach could start it again. */
static int
ask_about_stopped(
    const struct end_spec *spec, const struct record *record, struct diag *dg)
{
	cleanup_free char *question = NULL;

	if (spec->force)
		return 0;
	if (!prompt_possible())
		return diag_set(dg, DIAG_USAGE,
		    "session %s is stopped and could go on: stop --force "
		    "ends it",
		    record->id);
	question = xasprintf("session %s is stopped and could go on.  End it, "
			     "with its home directory? [y/N]",
	    record->id);
	return prompt_yes(question, dg);
}

/*
 * One that has the labels and is not in the record may be the session's own, in
 * whose home it works: then the record is wrong.
 */
static int
check_unrecorded(const struct collect_facts *facts, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	collect_own_ids(facts, &ids);
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (strcmp(c->session, facts->id) == 0 &&
		    !strvec_has(&ids, c->id))
			return diag_set(dg, DIAG_ENGINE,
			    "session %s is not removed: container %.12s has "
			    "its labels and is not in its record; if it is "
			    "nothing to keep, \"docker rm -f %.12s\" removes "
			    "it",
			    facts->id, c->id, c->id);
	}
	return 0;
}

/*
 * Lost may mean that our state's id is another now, by which it was asked for:
 * what its engine knows by its own id is not removed as lost.
 */
static int
check_lost(const struct end_spec *spec, const struct collect_facts *facts,
    struct diag *dg)
{
	cleanup_container_list struct container_list found =
	    CONTAINER_LIST_INIT;
	const struct record *record = facts->record;
	const char *const ids[] = { record_container_id(record, "agent"),
		NULL };
	const struct container *agent;

	if (collect_warn_strangers(facts, dg) != 0)
		return -1;
	if (!spec->force)
		return diag_set(dg, DIAG_NO,
		    "session %s is lost: the engine does not know its "
		    "container; stop --force removes what is left",
		    record->id);
	if (containers_inspect(spec->engine, ids, &found, dg) != 0)
		return -1;
	agent = container_list_find(&found, ids[0]);
	if (agent == NULL || strcmp(agent->session, record->id) != 0)
		return check_unrecorded(facts, dg);
	return diag_set(dg, DIAG_ENGINE,
	    "session %s is not lost: its container %.12s is there, with labels "
	    "of another state directory (see its file id); nothing is removed",
	    record->id, ids[0]);
}

static int
check_verdict(const struct end_spec *spec, enum collect_verdict verdict,
    const struct collect_facts *facts, struct diag *dg)
{
	const struct record *record = facts->record;

	switch (verdict) {
	case COLLECT_DELETE:
	case COLLECT_LIVE:
		return 0;
	case COLLECT_STOPPED:
		return ask_about_stopped(spec, record, dg);
	case COLLECT_LOST:
		return check_lost(spec, facts, dg);
	case COLLECT_FOREIGN:
		return diag_set(dg, DIAG_ENGINE,
		    "session %s is of another engine (%s, socket %s): start "
		    "that one, or see gc --adopt",
		    record->id, record->engine_id, record->engine_socket);
	case COLLECT_UNKNOWN:
		break;
	}
	return diag_set(dg, DIAG_DATA, "session %s: its record says too little",
	    record->id);
}

/*
 * That it is to end is recorded before its container stops, so that a stop that
 * is cut short is finished by the next collection.  On a full disk it is not,
 * and then one that is cut short leaves a stopped session.
 */
static int
stop_agent(const struct end_spec *spec, struct session *session,
    struct record *record, const struct container *agent, struct diag *dg)
{
	cleanup_diag struct diag unwritten = DIAG_INIT;

	if (agent == NULL || agent->state == CONTAINER_EXITED ||
	    agent->state == CONTAINER_DEAD)
		return 0;
	/* Anew: of an earlier stop that was cut off this is no part. */
	free(record->stopping_at);
	record->stopping_at = record_now();
	if (record_write(session->dir_fd, record, &unwritten) != 0)
		diag_warn("%s", unwritten.message);
	return container_stop(spec->engine, agent->id, spec->grace, dg);
}

static int
end_leased(
    const struct end_spec *spec, struct session *session, struct diag *dg)
{
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;
	cleanup_record struct record record = RECORD_INIT;
	struct collect_facts facts = {
		.record = &record,
		.engine = spec->engine,
		.containers = &containers,
		.state_id = spec->paths->state_id,
		.id = session->id,
	};
	cleanup_diag struct diag ignored = DIAG_INIT;
	enum collect_verdict verdict;

	if (record_read(session->dir_fd, &record, dg) != 0)
		return diag_wrap(dg,
		    "%s: without its record nothing is removed (docker ps -a "
		    "--filter label=io.drydock.session=%s shows its "
		    "containers)",
		    session->dir, session->id);
	if (containers_find(
		spec->engine, spec->paths->state_id, &containers, dg) != 0)
		return -1;
	/* Without it the session counts as stopped, which is asked about. */
	(void)collect_read_end(session->dir_fd, &facts, &ignored);
	verdict = collect_decide(&facts);
	if (check_verdict(spec, verdict, &facts, dg) != 0)
		return -1;
	if (record.launched_at != NULL &&
	    stop_agent(spec, session, &record,
		collect_container(&facts, "agent"), dg) != 0)
		return -1;
	return collect_delete(spec->paths, &facts, session, dg);
}

int
end_session(const struct end_spec *spec, const char *id, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	enum lock_answer answer;

	if (session_lease(
		spec->paths, id, LEASE_WAIT_MS, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return 0;
	if (answer == LOCK_BUSY)
		return diag_set(dg, DIAG_BUSY,
		    "session %s is being started or ended elsewhere", id);
	return end_leased(spec, &session, dg);
}
