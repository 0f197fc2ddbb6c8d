/* SPDX-License-Identifier: MIT */
/* Deletes sessions under their leases, by newer answers of the engine. */
#include "session/collect.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/moment.h"
#include "base/monotime.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "host/scratch.h"
#include "session/changes.h"
#include "session/links.h"
#include "session/listing.h"
#include "session/look.h"
#include "session/outcome.h"
#include "session/session.h"
#include "session/slot.h"
#include "session/start.h"
#include "session/task.h"
#include "terminal/prompt.h"

enum {
	SLOT_MS = 1000, /* to measure a slot of caches */
	FEW_DESCRIPTORS = 64, /* reserved for everything but leases */
	MANY_DESCRIPTORS = 65536,
	SETTLE_MS = 2000, /* time for the engine to make a container */
	SETTLE_STEP_MS = 50,
	GRACE_S = 10, /* from TERM to KILL */
};

/* Candidates whose leases are held.  Only the lease is open. */
struct candidates {
	struct session *v; /* owned */
	size_t nr;
	size_t max;
	struct rlimit before;
};

/* Raises the soft limit for a while: each lease takes a descriptor. */
static void
candidates_init(struct candidates *c, size_t wanted)
{
	struct rlimit most;

	*c = (struct candidates){ .max = FEW_DESCRIPTORS };
	if (getrlimit(RLIMIT_NOFILE, &c->before) == 0) {
		most = c->before;
		if (wanted + FEW_DESCRIPTORS > most.rlim_cur) {
			most.rlim_cur = most.rlim_max < MANY_DESCRIPTORS
			    ? most.rlim_max
			    : MANY_DESCRIPTORS;
			(void)setrlimit(RLIMIT_NOFILE, &most);
		}
		if (most.rlim_cur > 2 * (rlim_t)FEW_DESCRIPTORS)
			c->max = (size_t)most.rlim_cur - FEW_DESCRIPTORS;
	}
	if (c->max > wanted)
		c->max = wanted;
	c->v = xcalloc(c->max + 1, sizeof(*c->v));
	for (size_t i = 0; i <= c->max; i++)
		c->v[i] = (struct session)SESSION_INIT;
}

static void
candidates_release(struct candidates *c)
{
	for (size_t i = 0; i < c->nr; i++)
		session_release(&c->v[i]);
	free(c->v);
	(void)setrlimit(RLIMIT_NOFILE, &c->before);
}

/* Takes the leases that are free, without waiting. */
static void
take_leases(const struct paths *paths, char *const *ids, size_t nids,
    struct candidates *c, struct collect_outcome *outcome)
{
	for (size_t i = 0; i < nids; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct session *s = &c->v[c->nr];
		enum lock_answer answer;

		if (session_lease(paths, ids[i], 0, &answer, s, &dg) != 0) {
			diag_warn("%s", dg.message);
			outcome->failed++;
		} else if (answer == LOCK_WON) {
			cleanup_close_fn(&s->dir_fd);
			c->nr++;
		} else if (answer == LOCK_BUSY) {
			outcome->kept++;
		}
	}
}

struct removal {
	const struct engine *engine;
	const char *id;
	struct task task;
};

static int
remove_one(void *arg, struct diag *dg)
{
	const struct removal *r = arg;

	return container_remove(r->engine, r->id, dg);
}

/* Removes containers in parallel: the engine takes a while for each. */
static int
remove_all(
    const struct engine *engine, const struct strvec *ids, struct diag *dg)
{
	cleanup_free struct removal *v = xcalloc(ids->nr + 1, sizeof(*v));
	int rc = 0;

	for (size_t i = 0; i < ids->nr; i++) {
		v[i].engine = engine;
		v[i].id = ids->v[i];
		if (i > 0)
			task_start(&v[i].task, remove_one, &v[i]);
	}
	if (ids->nr > 0)
		rc = remove_one(&v[0], dg);
	for (size_t i = 1; i < ids->nr; i++)
		if (task_join(&v[i].task, dg) != 0)
			rc = -1;
	return rc;
}

/*
 * Records the end.  After a failure the session is deleted all the same: on a
 * full disk that frees space.  An interrupted deletion then leaves a session
 * that seems to be lost.
 */
static void
record_end(const struct record *record, int session_fd)
{
	struct record ended = *record;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *now = NULL;

	if (record_container_id(record, "agent") == NULL ||
	    record->ended_at != NULL)
		return;
	now = moment_now();
	ended.ended_at = now;
	if (record_write(session_fd, &ended, &dg) != 0)
		diag_warn("session %s: its end is not recorded: %s; if its "
			  "removal fails, run \"drydock stop --force %s\"",
		    record->id, dg.message, record->id);
}

/*
 * Stores the outcome of a session whose command ran.  On failure the session is
 * removed all the same: on a full disk that frees space.
 */
static void
keep_outcome(const struct paths *paths, const struct session_facts *facts,
    int session_fd)
{
	cleanup_outcome struct outcome outcome = OUTCOME_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (facts->record->launched_at == NULL)
		return;
	outcome_gather(facts, session_fd, &outcome);
	if (outcome_keep(paths, &outcome, session_fd, &dg) != 0)
		diag_warn("session %s: %s; \"drydock logs %s\" will not show "
			  "its status and last screen",
		    facts->id, dg.message, facts->id);
	changes_keep(paths, session_fd, facts->id);
}

struct slot_at_end {
	const struct paths *paths;
	const struct record *record;
};

static int
end_slot(void *arg, struct diag *dg)
{
	const struct slot_at_end *end = arg;

	(void)dg;
	slot_end(end->paths, end->record->cache, end->record->id, SLOT_MS);
	return 0;
}

int
collect_delete(const struct paths *paths, const struct session_facts *facts,
    struct session *session, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	const struct record *record = facts->record;
	struct slot_at_end end = { paths, record };
	/* A command that never ran left the slot as it was. */
	bool measures = record != NULL && record->cache != NULL &&
	    record->launched_at != NULL;
	struct task slot;
	int rc = 0;

	if (record != NULL) {
		record_end(record, session->dir_fd);
		keep_outcome(paths, facts, session->dir_fd);
	}
	session_own_ids(facts, &ids);
	/* No process of the session is left that could write. */
	if (measures)
		task_start(&slot, end_slot, &end);
	if (session_warn_strangers(facts, dg) != 0 ||
	    remove_all(facts->engine, &ids, dg) != 0)
		rc = diag_wrap(dg, "%s", session->dir);
	if (measures)
		(void)task_join(&slot, dg);
	return rc != 0 ? rc : session_delete(paths, session, dg);
}

/*
 * Removes a lost session's remaining containers, which are useless without the
 * agent's.  The session's files stay.
 */
static int
remove_lost_rest(const struct session_facts *facts, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	/* Only a session with a record can be lost. */
	assert(facts->record != NULL);
	for (size_t i = 0; i < facts->record->ncontainers; i++) {
		const struct record_container *c =
		    &facts->record->containers[i];

		if (c->id != NULL && strcmp(c->role, "agent") != 0 &&
		    session_container(facts, c->role) != NULL)
			strvec_push(&ids, c->id);
	}
	if (session_warn_strangers(facts, dg) != 0)
		return -1;
	return remove_all(facts->engine, &ids, dg);
}

/*
 * Decides on one session.  The lease is held, and the engine's answer is newer
 * than the lease.
 */
static int
decide_one(const struct paths *paths, const struct engine *engine,
    const struct container_list *sorted, const struct collect_options *options,
    struct session *session, bool *ret_deleted, struct diag *dg)
{
	const struct container_list own = containers_of(sorted, session->id);
	const struct look_spec spec = {
		.paths = paths, .engine = engine, .containers = &own
	};
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;

	if (session_reopen(paths, session, dg) != 0 ||
	    session_look(&spec, session, &look, dg) != 0)
		return -1;
	if (look.facts.damage != NULL)
		return session_refuse(&look.facts, look.state, dg);
	/*
	 * The command may have ended; only the unreadable note would show it.
	 */
	if (look.state == SESSION_STOPPED && look.unnoted.class != DIAG_NONE) {
		diag_move(dg, &look.unnoted);
		return diag_wrap(dg, "%s", session->dir);
	}
	if (look.state != SESSION_ENDED && !options->dry_run)
		links_ensure(paths, session);
	if (look.state == SESSION_LOST && !options->dry_run)
		return remove_lost_rest(&look.facts, dg);
	if (look.state != SESSION_ENDED)
		return 0;
	if (!options->dry_run &&
	    collect_delete(paths, &look.facts, session, dg) != 0)
		return -1;
	*ret_deleted = true;
	return 0;
}

static int
collect_batch(const struct paths *paths, const struct engine *engine,
    const struct collect_options *options, struct candidates *c,
    struct collect_outcome *outcome, struct diag *dg)
{
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;

	if (c->nr == 0)
		return 0;
	if (containers_find(engine, paths->state_id, &containers, dg) != 0)
		return -1;
	containers_sort(&containers);
	for (size_t i = 0; i < c->nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;
		bool deleted = false;

		if (decide_one(paths, engine, &containers, options, &c->v[i],
			&deleted, &one) != 0) {
			/*
			 * The lease is closed, so the directory is in trash/
			 * already.  Emptying the trash warns with the reason.
			 */
			if (c->v[i].lease_fd >= 0)
				diag_warn("%s", one.message);
			else
				diag_note("session %s was removed only in "
					  "part",
				    c->v[i].id);
			outcome->failed++;
		} else if (deleted) {
			outcome->removed++;
			if (options->on_removed != NULL)
				options->on_removed(options->arg, c->v[i].id);
		} else {
			outcome->kept++;
		}
		session_release(&c->v[i]);
	}
	c->nr = 0;
	return 0;
}

size_t
collect_leftovers(const struct paths *paths, bool all)
{
	size_t failed = session_empty_trash(paths, all);

	failed += scratch_sweep(paths);
	return failed + links_sweep(paths);
}

int
collect_sessions(const struct paths *paths, const struct engine *engine,
    const struct collect_options *options, struct collect_outcome *ret_outcome,
    struct diag *dg)
{
	static const struct collect_options plain = { .dry_run = false };
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	struct collect_outcome outcome = { 0, 0, 0 };
	struct candidates c;
	int rc = 0;

	if (session_list_ids(paths, &ids, dg) != 0)
		return -1;
	candidates_init(&c, ids.nr);
	for (size_t at = 0; rc == 0 && at < ids.nr; at += c.max) {
		size_t n = ids.nr - at < c.max ? ids.nr - at : c.max;

		take_leases(paths, ids.v + at, n, &c, &outcome);
		rc = collect_batch(paths, engine,
		    options != NULL ? options : &plain, &c, &outcome, dg);
	}
	candidates_release(&c);
	if (rc != 0)
		return -1;
	if (options == NULL || !options->dry_run)
		outcome.failed += collect_leftovers(paths, options != NULL);
	*ret_outcome = outcome;
	return 0;
}

/*
 * Asks first: the end deletes the session's files, and attach could start the
 * session again.
 */
static int
ask_about_stopped(const struct record *record, struct diag *dg)
{
	cleanup_free char *question = NULL;

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
check_lost(const struct session_facts *facts, bool force, struct diag *dg)
{
	cleanup_container_list struct container_list found =
	    CONTAINER_LIST_INIT;
	const struct record *record = facts->record;
	const char *const ids[] = { record_container_id(record, "agent"),
		NULL };
	const struct container *agent;

	if (session_warn_strangers(facts, dg) != 0)
		return -1;
	if (!force) {
		(void)session_refuse(facts, SESSION_LOST, dg);
		/* The engine answered, so this is no engine failure. */
		dg->class = DIAG_NO;
		return -1;
	}
	if (containers_inspect(facts->engine, ids, &found, dg) != 0)
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

/*
 * Records the stop before the container stops: the next collection then
 * finishes an interrupted stop.  If the record cannot be written (full disk),
 * an interrupted stop leaves a stopped session.
 */
static int
stop_agent(const struct session_facts *facts, struct session *session,
    struct record *record, struct diag *dg)
{
	const struct container *agent = session_container(facts, "agent");
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
	return container_stop(facts->engine, agent->id, GRACE_S, dg);
}

int
collect_end(const struct paths *paths, const struct engine *engine,
    const char *id, bool force, struct diag *dg)
{
	const struct look_spec at = { .paths = paths, .engine = engine };
	cleanup_session struct session session = SESSION_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	enum lock_answer answer;
	int rc = 0;

	if (session_take(paths, id, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return 0;
	if (session_look(&at, &session, &look, dg) != 0)
		return -1;
	if (look.facts.record == NULL) {
		diag_move(dg, &look.unrecorded);
		return diag_wrap(dg,
		    "%s: without its record nothing is removed (docker ps -a "
		    "--filter label=io.drydock.session=%s shows its "
		    "containers)",
		    session.dir, id);
	}
	/* Without a readable end note a session counts as stopped. */
	if (look.state == SESSION_STOPPED)
		rc = force ? 0 : ask_about_stopped(&look.record, dg);
	else if (look.state == SESSION_LOST)
		rc = check_lost(&look.facts, force, dg);
	else if (look.state != SESSION_ENDED && !session_runs(look.state))
		rc = session_refuse(&look.facts, look.state, dg);
	if (rc == 0 && look.record.launched_at != NULL)
		rc = stop_agent(&look.facts, &session, &look.record, dg);
	return rc != 0 ? -1 : collect_delete(paths, &look.facts, &session, dg);
}

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
collect_launch(struct start *l)
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
