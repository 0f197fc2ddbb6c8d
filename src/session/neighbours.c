/* SPDX-License-Identifier: MIT */
/*
 * Publishes the directories that a session writes and mounts into, and compares
 * them with those of the other sessions.
 */
#include "session/neighbours.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "plan/location.h"
#include "plan/plan.h"
#include "plan/procfacts.h"
#include "plan/role.h"
#include "session/look.h"
#include "session/record.h"
#include "session/session.h"

#define MOUNTS_NAME "mounts.json"

enum {
	MOUNTS_MAX = 1024 * 1024
};

/* Directories of the user, as real paths on the host. */
struct reach {
	struct strvec writes; /* writable in the session */
	struct strvec into; /* contain a mount point of the session */
};

#define REACH_INIT                       \
	{                                \
		STRVEC_INIT, STRVEC_INIT \
	}

static void
reach_release(struct reach *r)
{
	strvec_release(&r->writes);
	strvec_release(&r->into);
}

#define cleanup_reach __attribute__((cleanup(reach_release)))

static void
add_once(struct strvec *paths, const char *path)
{
	if (!strvec_has(paths, path))
		strvec_push(paths, path);
}

/*
 * Skips mounts that drydock makes: they lie in its state directory, which
 * contains no project.
 */
static void
reach_of_plan(const struct plan *plan, struct reach *r)
{
	for (size_t i = 0; i < plan->nservices; i++) {
		const struct plan_service *s = &plan->services[i];

		for (size_t n = 0; n < s->nmounts; n++) {
			const struct plan_mount *m = &s->mounts[n];
			const struct plan_mount *outer = plan_outer_mount(s, m);

			if (m->role->type == S_IFDIR && !mount_is_made(m) &&
			    !m->read_only)
				add_once(&r->writes, m->source);
			if (outer != NULL && !mount_is_made(outer))
				add_once(&r->into, outer->source);
		}
	}
}

static int
publish(int session_fd, const struct reach *r, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_strvec(w, "writes", &r->writes);
	jsonw_key_strvec(w, "into", &r->into);
	jsonw_close_object(w);
	if (jsonw_finish(w, &text, dg) != 0)
		return -1;
	return fs_replace_file(
	    session_fd, MOUNTS_NAME, text.buf, text.len, 0600, dg);
}

static int
read_list(const struct json *root, const char *key, struct strvec *list,
    struct diag *dg)
{
	const struct json *array = json_get(root, key);

	for (size_t i = 0; i < json_len(array); i++) {
		const char *path = json_string(json_at(array, i));

		if (path == NULL || path[0] != '/')
			return diag_set(dg, DIAG_DATA,
			    MOUNTS_NAME ": %s is not understood", key);
		strvec_push(list, path);
	}
	return 0;
}

/* An absent file is no error, and is the usual case. */
static int
read_reach(int session_fd, struct reach *r, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *root = NULL;

	if (fs_read_file(session_fd, MOUNTS_NAME, MOUNTS_MAX, &text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	if (json_parse(text.buf, text.len, MOUNTS_NAME, &root, dg) != 0 ||
	    read_list(root, "writes", &r->writes, dg) != 0 ||
	    read_list(root, "into", &r->into, dg) != 0)
		return -1;
	return 0;
}

static int
find_location(const char *path, const struct mountinfo *mounts,
    struct location *ret_location, struct diag *dg)
{
	cleanup_close int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", path);
	if (location_find(fd, mounts, ret_location, dg) != 0)
		return -1;
	return location_find_below(ret_location, mounts, dg);
}

/* A directory b that was moved away or removed overlaps nothing. */
static int
overlaps(const char *a, const char *b, const struct mountinfo *mounts,
    bool *ret_overlaps, struct diag *dg)
{
	cleanup_location struct location x = LOCATION_INIT;
	cleanup_location struct location y = LOCATION_INIT;

	*ret_overlaps = false;
	if (find_location(a, mounts, &x, dg) != 0)
		return -1;
	if (find_location(b, mounts, &y, dg) != 0)
		return diag_ignore(dg, ENOENT);
	*ret_overlaps = location_is(&x, &y) || location_holds(&x, &y) ||
	    location_holds(&y, &x);
	return 0;
}

/* *ret_path: the first path of a that overlaps a path of b, or NULL. */
static int
first_overlap(const struct strvec *a, const struct strvec *b,
    const struct mountinfo *mounts, const char **ret_path, struct diag *dg)
{
	*ret_path = NULL;
	for (size_t i = 0; i < a->nr; i++) {
		for (size_t n = 0; n < b->nr; n++) {
			bool found;

			if (overlaps(a->v[i], b->v[n], mounts, &found, dg) != 0)
				return -1;
			if (found) {
				*ret_path = a->v[i];
				return 0;
			}
		}
	}
	return 0;
}

/*
 * *ret_live: the session's agent may run.  A session whose lease is held counts
 * as live, and so does a session of another engine.
 */
static int
is_live(const struct paths *paths, const struct engine *engine,
    const struct record *record, const struct session *session, bool *ret_live,
    struct diag *dg)
{
	const struct look_spec spec = { .paths = paths,
		.engine = engine,
		.record_given = true,
		.record = record };
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;

	if (session_is_leased(paths, record->id, ret_live, dg) != 0)
		return -1;
	if (*ret_live)
		return 0;
	if (session_look(&spec, session, &look, dg) != 0)
		return -1;
	*ret_live = look.state != SESSION_ENDED &&
	    look.state != SESSION_STOPPED && look.state != SESSION_LOST;
	return 0;
}

/* This session's reach, and the data for the comparison with the others'. */
struct comparison {
	const struct paths *paths;
	const struct engine *engine;
	const struct reach *own;
	struct mountinfo mounts;
};

static int
compare(struct comparison *c, struct reach *reach, const struct record *record,
    const struct session *session, struct diag *dg)
{
	const char *path;
	bool live;

	if (c->mounts.nr == 0 && mountinfo_read_own(&c->mounts, dg) != 0)
		return -1;
	add_once(&reach->writes, record->project);
	if (first_overlap(
		&c->own->into, &reach->writes, &c->mounts, &path, dg) != 0)
		return -1;
	if (path != NULL) {
		if (is_live(c->paths, c->engine, record, session, &live, dg) !=
		    0)
			return -1;
		if (live)
			return diag_set(dg, DIAG_POLICY,
			    "session %s can write %s, in which this session "
			    "would mount something: end it with \"drydock stop "
			    "%s\", or give the bind a target elsewhere",
			    record->id, path, record->id);
	}
	if (first_overlap(
		&c->own->writes, &reach->into, &c->mounts, &path, dg) != 0)
		return -1;
	if (path == NULL)
		return 0;
	if (session_is_leased(c->paths, record->id, &live, dg) != 0)
		return -1;
	return live ? diag_set(dg, DIAG_BUSY,
			  "session %s is being started and mounts something "
			  "in %s: try again",
			  record->id, path)
		    : 0;
}

static int
check_one(struct comparison *c, const char *id, struct diag *dg)
{
	cleanup_session struct session other = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_reach struct reach reach = REACH_INIT;
	cleanup_diag struct diag mine = DIAG_INIT;

	if (session_open(c->paths, id, &other, &mine) == 0 &&
	    read_reach(other.dir_fd, &reach, &mine) == 0) {
		/* Without a mount point there is nothing to compare. */
		if (c->own->into.nr == 0 && reach.into.nr == 0)
			return 0;
		if (record_read(other.dir_fd, &record, &mine) == 0)
			return compare(c, &reach, &record, &other, dg);
	}
	/*
	 * Without a directory the session has ended.  Without a record the
	 * session has no agent yet, and will see this session when it reads the
	 * others.  A damaged session blocks only plans that mount into a
	 * directory of the user, because its agent may be able to write there.
	 */
	if (mine.errnum == ENOENT || c->own->into.nr == 0)
		return 0;
	diag_move(dg, &mine);
	return diag_wrap(dg, "session %s", id);
}

int
neighbours_check(const struct paths *paths, const struct engine *engine,
    const struct plan *plan, const struct session *session, struct diag *dg)
{
	cleanup_reach struct reach own = REACH_INIT;
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	struct comparison c = { paths, engine, &own, { NULL, 0 } };
	int rc = 0;

	reach_of_plan(plan, &own);
	/* Most sessions write only the project, which is in the record. */
	if ((own.into.nr != 0 || own.writes.nr > 1) &&
	    publish(session->dir_fd, &own, dg) != 0)
		return -1;
	if (session_list_ids(paths, &ids, dg) != 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < ids.nr; i++)
		if (strcmp(ids.v[i], session->id) != 0)
			rc = check_one(&c, ids.v[i], dg);
	mountinfo_release(&c.mounts);
	return rc;
}
