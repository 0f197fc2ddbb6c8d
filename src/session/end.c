/* SPDX-License-Identifier: MIT */
/* Ends a session under its lease, by an engine answer newer than the lease. */
#include "session/end.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/moment.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "session/collect.h"
#include "session/look.h"
#include "session/record.h"
#include "session/session.h"
#include "terminal/prompt.h"

/*
 * Asks first: the end deletes the session's files, and attach could start the
 * session again.
 */
static int
ask_about_stopped(
    const struct end_spec *spec, const struct record *record, struct diag *dg)
{
	cleanup_free char *question = NULL;

	if (spec->force)
		return 0;
	if (!prompt_possible())
		return diag_set(dg, DIAG_USAGE,
		    "session %s is stopped and can be started again: to "
		    "remove it, type \"drydock stop --force %s\"",
		    record->id, record->id);
	question = xasprintf("session %s is stopped and can be started "
			     "again.  Remove it, with its home directory? "
			     "[y/N]",
	    record->id);
	return prompt_yes(question, dg);
}

/*
 * Refuses if a container has the session's labels but is not in the record.
 * The container may belong to the session and use its home; the record is then
 * wrong.
 */
static int
check_unrecorded(const struct session_facts *facts, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	session_own_ids(facts, &ids);
	for (size_t i = 0; i < facts->containers->nr; i++) {
		const struct container *c = &facts->containers->v[i];

		if (strcmp(c->session, facts->id) == 0 &&
		    !strvec_has(&ids, c->id))
			return diag_set(dg, DIAG_ENGINE,
			    "session %s is not removed: container %.12s has "
			    "its labels but is not in its record; to remove "
			    "that container, type \"docker rm -f %.12s\"",
			    facts->id, c->id, c->id);
	}
	return 0;
}

/*
 * The containers were listed by the id of our state directory.  If that id has
 * changed, the session only looks lost.  So the recorded container is looked up
 * by its own id before the session is removed.
 */
static int
check_lost(const struct end_spec *spec, const struct session_facts *facts,
    struct diag *dg)
{
	cleanup_container_list struct container_list found =
	    CONTAINER_LIST_INIT;
	const struct record *record = facts->record;
	const char *const ids[] = { record_container_id(record, "agent"),
		NULL };
	const struct container *agent;

	if (session_warn_strangers(facts, dg) != 0)
		return -1;
	if (!spec->force) {
		(void)session_refuse(facts, SESSION_LOST, dg);
		/* The engine answered, so this is no engine failure. */
		dg->class = DIAG_NO;
		return -1;
	}
	if (containers_inspect(spec->engine, ids, &found, dg) != 0)
		return -1;
	agent = container_list_find(&found, ids[0]);
	if (agent == NULL || strcmp(agent->session, record->id) != 0)
		return check_unrecorded(facts, dg);
	return diag_set(dg, DIAG_ENGINE,
	    "session %s is not lost: its container %.12s exists, with the "
	    "label of another state directory (see the file id there); "
	    "nothing is removed",
	    record->id, ids[0]);
}

static int
check_state(const struct end_spec *spec, const struct session_look *look,
    struct diag *dg)
{
	if (look->state == SESSION_ENDED || session_runs(look->state))
		return 0;
	if (look->state == SESSION_STOPPED)
		return ask_about_stopped(spec, look->facts.record, dg);
	if (look->state == SESSION_LOST)
		return check_lost(spec, &look->facts, dg);
	return session_refuse(&look->facts, look->state, dg);
}

/*
 * Records the stop before the container stops: the next collection then
 * finishes an interrupted stop.  If the record cannot be written (full disk),
 * an interrupted stop leaves a stopped session.
 */
static int
stop_agent(const struct end_spec *spec, struct session *session,
    struct record *record, const struct container *agent, struct diag *dg)
{
	cleanup_diag struct diag unwritten = DIAG_INIT;

	if (agent == NULL || agent->state == CONTAINER_EXITED ||
	    agent->state == CONTAINER_DEAD)
		return 0;
	/* The time of an earlier, interrupted stop does not count. */
	free(record->stopping_at);
	record->stopping_at = moment_now();
	if (record_write(session->dir_fd, record, &unwritten) != 0)
		diag_warn("%s; if this stop is interrupted, run \"drydock stop "
			  "%s\" again",
		    unwritten.message, session->id);
	return container_stop(spec->engine, agent->id, spec->grace, dg);
}

static int
end_leased(
    const struct end_spec *spec, struct session *session, struct diag *dg)
{
	const struct look_spec at = { .paths = spec->paths,
		.engine = spec->engine };
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;

	if (session_look(&at, session, &look, dg) != 0)
		return -1;
	if (look.facts.record == NULL) {
		diag_move(dg, &look.unrecorded);
		return diag_wrap(dg,
		    "%s: without its record nothing is removed (docker ps -a "
		    "--filter label=io.drydock.session=%s shows its "
		    "containers)",
		    session->dir, session->id);
	}
	/*
	 * A session without a readable end note counts as stopped, and
	 * check_state() asks first.
	 */
	if (check_state(spec, &look, dg) != 0)
		return -1;
	if (look.record.launched_at != NULL &&
	    stop_agent(spec, session, &look.record,
		session_container(&look.facts, "agent"), dg) != 0)
		return -1;
	return collect_delete(spec->paths, &look.facts, session, dg);
}

int
end_session(const struct end_spec *spec, const char *id, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	enum lock_answer answer;

	if (session_take(spec->paths, id, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return 0;
	return end_leased(spec, &session, dg);
}
