/* SPDX-License-Identifier: MIT */
/* Collection: leases first, then one question to the engine, then decisions. */
#include "session/collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "session/record.h"
#include "session/session.h"
#include "session/task.h"

enum {
	BATCH = 128, /* sessions at a time: two descriptors each */
	MAX_SESSIONS = 100000,
};

struct candidates {
	struct session v[BATCH];
	size_t nr;
};

static void
candidates_release(struct candidates *c)
{
	for (size_t i = 0; i < c->nr; i++)
		session_release(&c->v[i]);
	c->nr = 0;
}

static int
list_ids(const struct paths *paths, struct strvec *ret_ids, struct diag *dg)
{
	cleanup_closedir DIR *dir = NULL;
	cleanup_close int fd = -1;

	if (fs_open_nolinks(paths->state_fd, "sessions",
		O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, &fd, dg) != 0)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "read %s/sessions", paths->state_dir);
	(void)steal_fd(&fd);
	for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (!session_id_valid(e->d_name))
			continue;
		if (ret_ids->nr == MAX_SESSIONS)
			return diag_set(dg, DIAG_DATA,
			    "%s/sessions: more than %d sessions",
			    paths->state_dir, MAX_SESSIONS);
		strvec_push(ret_ids, e->d_name);
	}
	return 0;
}

/* Wins what leases can be won without waiting. */
static void
take_leases(const struct paths *paths, char *const *ids, size_t nids,
    struct candidates *c, struct collect_outcome *outcome)
{
	for (size_t i = 0; i < nids; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		enum lock_answer answer;

		if (session_lease(
			paths, ids[i], 0, &answer, &c->v[c->nr], &dg) != 0) {
			diag_warn("%s", dg.message);
			outcome->failed++;
		} else if (answer == LOCK_WON) {
			c->nr++;
		} else if (answer == LOCK_BUSY) {
			outcome->kept++;
		}
	}
}

/* One container to remove. */
struct removal {
	const struct engine *engine;
	const char *id; /* NULL: there is none */
};

static int
remove_one(void *arg, struct diag *dg)
{
	const struct removal *r = arg;

	return r->id == NULL ? 0 : container_remove(r->engine, r->id, dg);
}

static const char *
id_to_remove(
    const struct collect_facts *facts, const char *role, const char *recorded)
{
	const struct container *found = collect_container(facts, role);

	if (recorded != NULL)
		return recorded;
	return found != NULL ? found->id : NULL;
}

/* Where there is no room for it, deleting makes room: it goes on. */
static void
record_end(const struct record *record, int session_fd)
{
	struct record ended = *record;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_free char *now = NULL;

	if (record->agent_container == NULL || record->ended_at != NULL)
		return;
	now = record_now();
	ended.ended_at = now;
	(void)record_write(session_fd, &ended, &ignored);
}

/* Both at once: each takes the engine a while. */
int
collect_delete(const struct paths *paths, const struct collect_facts *facts,
    struct session *session, struct diag *dg)
{
	const struct record *r = facts->record;
	struct removal agent = { facts->engine, NULL };
	struct removal egress = { facts->engine, NULL };
	struct task beside;
	int rc;

	if (r != NULL) {
		record_end(r, session->dir_fd);
		agent.id = id_to_remove(facts, "agent", r->agent_container);
		egress.id = id_to_remove(facts, "egress", r->egress_container);
	}
	if (egress.id != NULL)
		task_start(&beside, remove_one, &egress);
	rc = remove_one(&agent, dg);
	if (egress.id != NULL && task_join(&beside, dg) != 0)
		rc = -1;
	if (rc != 0)
		return diag_wrap(dg, "%s", session->dir);
	return session_delete(paths, session, dg);
}

static int
decide_one(const struct paths *paths, const struct engine *engine,
    const struct container_list *containers, struct session *session,
    bool *ret_deleted, struct diag *dg)
{
	cleanup_record struct record record = RECORD_INIT;
	cleanup_diag struct diag read_dg = DIAG_INIT;
	struct stat st;
	struct collect_facts facts = {
		.record = &record,
		.engine = engine,
		.containers = containers,
		.state_id = paths->state_id,
		.id = session->id,
	};

	if (record_read(session->dir_fd, &record, &read_dg) != 0) {
		if (read_dg.class != DIAG_IO || read_dg.errnum != ENOENT) {
			diag_move(dg, &read_dg);
			return diag_wrap(dg, "%s", session->dir);
		}
		facts.record = NULL;
	}
	facts.sealed = fstatat(session->dir_fd, "plan.json", &st,
			   AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT;
	*ret_deleted = collect_decide(&facts) == COLLECT_DELETE;
	return *ret_deleted ? collect_delete(paths, &facts, session, dg) : 0;
}

static int
collect_batch(const struct paths *paths, const struct engine *engine,
    char *const *ids, size_t nids, struct collect_outcome *outcome,
    struct diag *dg)
{
	__attribute__((
	    cleanup(candidates_release))) struct candidates c = { .nr = 0 };
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(c.v); i++)
		c.v[i] = (struct session)SESSION_INIT;
	take_leases(paths, ids, nids, &c, outcome);
	if (c.nr == 0)
		return 0;
	if (containers_find(engine, paths->state_id, &containers, dg) != 0)
		return -1;
	for (size_t i = 0; i < c.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;
		bool deleted = false;

		if (decide_one(paths, engine, &containers, &c.v[i], &deleted,
			&one) != 0) {
			diag_warn("%s", one.message);
			outcome->failed++;
		} else if (deleted) {
			outcome->removed++;
		} else {
			outcome->kept++;
		}
		session_release(&c.v[i]);
	}
	return 0;
}

int
collect_sessions(const struct paths *paths, const struct engine *engine,
    struct collect_outcome *ret_outcome, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	struct collect_outcome outcome = { 0, 0, 0 };

	if (list_ids(paths, &ids, dg) != 0)
		return -1;
	for (size_t at = 0; at < ids.nr; at += BATCH) {
		size_t n = ids.nr - at < BATCH ? ids.nr - at : BATCH;

		if (collect_batch(paths, engine, ids.v + at, n, &outcome, dg) !=
		    0)
			return -1;
	}
	session_empty_trash(paths);
	*ret_outcome = outcome;
	return 0;
}
