/* SPDX-License-Identifier: MIT */
/* neighbours: who may mount where, and who sees whom. */
#include "session/neighbours.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "session/record.h"
#include "session/session.h"

#include "base/moment.h"
#include "check.h"

/* Two sessions; leases are held, so that no engine is asked. */
struct bed {
	struct paths paths;
	struct engine engine;
	struct session own;
	struct session other;
	struct plan_mount binds[2];
	struct plan_service agent;
	struct plan plan;
};

static char *
path_of(const struct bed *bed, const char *name)
{
	return xasprintf("%s/%s", bed->paths.state_dir, name);
}

static void
claim(struct bed *bed, const char *dir, struct session *s)
{
	cleanup_free char *path = path_of(bed, dir);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_record struct record record = {
		.id = NULL,
		.project = xstrdup(path),
		.agent = xstrdup("claude"),
		.mode = xstrdup("contained"),
		.mode_reason = xstrdup("--mode"),
		.kind = xstrdup("run"),
		.engine_id = xstrdup("E"),
		.engine_data_root = xstrdup("/var/lib/docker"),
		.engine_socket = xstrdup("/run/docker.sock"),
		.created_at = moment_now(),
	};

	CHECK_INT(session_claim(&bed->paths, s, &dg), 0);
	record.id = xstrdup(s->id);
	CHECK_INT(record_write(s->dir_fd, &record, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

static struct plan_mount
make_bind(const struct bed *bed, const char *source, const char *target,
    bool read_only)
{
	return (struct plan_mount){
		.role = &mount_roles[MOUNT_USER],
		.source = path_of(bed, source),
		.target = xstrdup(target),
		.read_only = read_only,
		.fd = -1,
	};
}

static void
bed_init(struct bed *bed, size_t nr, const char *other_project)
{
	static const char *const names[] = { "sessions", "agents", "trash", "p",
		"p/sub", "q", "cache" };
	cleanup_free char *tmp = realpath(check_tmpdir(), NULL);

	*bed = (struct bed){ .engine = ENGINE_INIT,
		.own = SESSION_INIT,
		.other = SESSION_INIT,
		.plan = PLAN_INIT };
	paths_init(&bed->paths);
	bed->paths.state_dir = xasprintf("%s/%zu", tmp, nr);
	CHECK_INT(mkdir(bed->paths.state_dir, 0700), 0);
	bed->paths.state_fd =
	    open(bed->paths.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_INT(mkdirat(bed->paths.state_fd, names[i], 0700), 0);
	claim(bed, "p", &bed->own);
	claim(bed, other_project, &bed->other);
	bed->binds[0] = make_bind(bed, "p", "/p", false);
	bed->agent.mounts = bed->binds;
	bed->agent.nmounts = 1;
	bed->plan.services = &bed->agent;
	bed->plan.nservices = 1;
}

static void
bed_clear(struct bed *bed)
{
	for (size_t i = 0; i < bed->agent.nmounts; i++) {
		free(bed->binds[i].source);
		free(bed->binds[i].target);
	}
	session_release(&bed->own);
	session_release(&bed->other);
	paths_release(&bed->paths);
}

/* DIAG_NONE, or the class of the refusal, which names the other session. */
static enum diag_class
check(const struct bed *bed)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = neighbours_check(
	    &bed->paths, &bed->engine, &bed->plan, &bed->own, &dg);

	CHECK_INT(rc, dg.class == DIAG_NONE ? 0 : -1);
	CHECK(rc == 0 || strstr(dg.message, bed->other.id) != NULL);
	return dg.class;
}

static void
test_mounts_into(void)
{
	static const struct {
		const char *target;
		const char *other; /* its project */
		bool read_only; /* the outer bind: others may write it */
		enum diag_class class;
	} rows[] = {
		{ "/p/deep/cache", "p", false, DIAG_POLICY },
		{ "/p/deep/cache", "p", true, DIAG_POLICY },
		{ "/p/deep/cache", "p/sub", false, DIAG_POLICY },
		{ "/p/deep/cache", "q", false, DIAG_NONE },
		{ "/elsewhere", "p", false, DIAG_NONE },
		{ "/pp", "p", false, DIAG_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bed bed;

		bed_init(&bed, i, rows[i].other);
		bed.binds[0].read_only = rows[i].read_only;
		bed.binds[1] = make_bind(&bed, "cache", rows[i].target, false);
		bed.agent.nmounts = 2;
		check_int(__FILE__, (int)i, rows[i].target, check(&bed),
		    rows[i].class);
		bed_clear(&bed);
	}
}

/* It looked before this session was there: so this one must wait. */
static void
test_writes(void)
{
	static const struct {
		const char *into;
		bool leased; /* it is being started */
		enum diag_class class;
	} rows[] = {
		{ "p", true, DIAG_BUSY },
		{ "p/sub", true, DIAG_BUSY },
		{ "q", true, DIAG_NONE },
		{ "p", false, DIAG_NONE },
		{ "gone", true, DIAG_NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bed bed;
		cleanup_diag struct diag dg = DIAG_INIT;
		char *into = NULL;
		char *json = NULL;

		bed_init(&bed, i, "p");
		into = path_of(&bed, rows[i].into);
		json = xasprintf("{\"writes\": [], \"into\": [\"%s\"]}", into);
		CHECK_INT(fs_replace_file(bed.other.dir_fd, "mounts.json", json,
			      strlen(json), 0600, &dg),
		    0);
		if (!rows[i].leased)
			session_drop_lease(&bed.other);
		check_int(
		    __FILE__, (int)i, rows[i].into, check(&bed), rows[i].class);
		free(into);
		free(json);
		bed_clear(&bed);
	}
}

/* Of what cannot be read only those are kept to whom it is a danger. */
static void
test_damaged(void)
{
	struct bed bed;
	cleanup_diag struct diag dg = DIAG_INIT;

	bed_init(&bed, 0, "q");
	CHECK_INT(
	    fs_replace_file(bed.other.dir_fd, "mounts.json", "{", 1, 0600, &dg),
	    0);
	CHECK_INT(check(&bed), DIAG_NONE);
	bed.binds[1] = make_bind(&bed, "cache", "/p/cache", false);
	bed.agent.nmounts = 2;
	CHECK_INT(check(&bed), DIAG_DATA);
	bed_clear(&bed);
}

/* What others read is there before they are looked at; mostly it is nothing. */
static void
test_published(void)
{
	struct bed bed;
	struct stat st;

	bed_init(&bed, 0, "q");
	CHECK_INT(check(&bed), DIAG_NONE);
	CHECK_INT(fstatat(bed.own.dir_fd, "mounts.json", &st, 0), -1);
	bed.binds[1] = make_bind(&bed, "cache", "/cache", false);
	bed.agent.nmounts = 2;
	CHECK_INT(check(&bed), DIAG_NONE);
	CHECK_INT(fstatat(bed.own.dir_fd, "mounts.json", &st, 0), 0);
	bed_clear(&bed);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "nothing is mounted into what another session can write",
		    test_mounts_into },
		{ "a session that is started with mounts goes first",
		    test_writes },
		{ "a damaged session is no reason unless it is a danger",
		    test_damaged },
		{ "what a session writes is published", test_published },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
