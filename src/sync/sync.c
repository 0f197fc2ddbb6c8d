/* SPDX-License-Identifier: MIT */
/*
 * sync: one sync at a time: scan, build beside the snapshot, swap, and last
 * write the manifest.
 */
#include "sync/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/paths.h"
#include "sync/generation.h"

#define LOCK_NAME "lock"
#define TELL_AFTER_MS 2000

/* The state of a sync. */
struct run {
	const struct sync_request *request;
	char rules[DIGEST_HEX_SIZE];
	int agent_fd; /* owned; agents/AGENT */
	int lock_fd; /* owned; -1 until the lock is taken */
	int old_fd; /* owned; the snapshot, or -1 */
	bool usable; /* then belongs to old_fd and has the same rules */
	struct manifest then;
	struct scan now;
	size_t drift;
};

#define RUN_INIT                                             \
	{                                                    \
		.agent_fd = -1, .lock_fd = -1, .old_fd = -1, \
		.then = MANIFEST_INIT, .now = SCAN_INIT      \
	}

static void
run_release(struct run *r)
{
	scan_release(&r->now);
	manifest_release(&r->then);
	cleanup_close_fn(&r->old_fd);
	cleanup_close_fn(&r->lock_fd);
	cleanup_close_fn(&r->agent_fd);
}

#define cleanup_run __attribute__((cleanup(run_release)))

/* Computes the digest of a snapshot's inputs other than the host's files. */
static void
name_rules(struct run *r)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s\n%s\n%s\n", PACKAGE_VERSION,
	    r->request->agent->digest, r->request->paths->home);
	digest_bytes(text.buf, text.len, r->rules);
}

static int
look_at_host(struct run *r, struct diag *dg)
{
	const struct sync_request *q = r->request;

	scan_release(&r->now);
	return scan_run(&r->now, q->paths, q->settings, q->agent, dg);
}

/* Adds the directory to a message that names only a file in it. */
static int
fail_below(const struct run *r, struct diag *dg)
{
	return diag_wrap(dg, "%s/agents/%s", r->request->paths->state_dir,
	    r->request->agent->name);
}

static int
read_snapshot(struct run *r, struct diag *dg)
{
	struct stat st;
	bool there = false;

	manifest_release(&r->then);
	cleanup_close_fn(&r->old_fd);
	r->usable = false;
	if (generation_open_unlocked(r->agent_fd, &r->old_fd, dg) != 0)
		return -1;
	if (r->old_fd < 0)
		return 0;
	if (fstat(r->old_fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat the snapshot");
	if (manifest_read(r->agent_fd, &r->then, &there, dg) != 0)
		return -1;
	r->usable = there && manifest_is_of(&r->then, &st) &&
	    strcmp(r->then.rules, r->rules) == 0;
	return 0;
}

/* Reads the snapshot and manifest of the last sync. */
static int
look_at_snapshot(struct run *r, struct diag *dg)
{
	return read_snapshot(r, dg) != 0 ? fail_below(r, dg) : 0;
}

/* Returns true if a sync would produce the same snapshot. */
static bool
is_fresh(struct run *r)
{
	if (!r->usable)
		return false;
	r->drift = scan_compare(&r->now, &r->then.scan, NULL, NULL);
	if (r->drift == 0)
		r->drift = generation_retry(&r->now, NULL, NULL);
	return r->drift == 0;
}

/* Waits for the lock; prints a note after TELL_AFTER_MS. */
static int
wait_for_lock(struct run *r, enum lock_answer *ret, struct diag *dg)
{
	const struct sync_request *q = r->request;
	int silent = q->wait_ms < TELL_AFTER_MS ? q->wait_ms : TELL_AFTER_MS;

	if (lock_wait(r->agent_fd, LOCK_NAME, true, silent, ret, &r->lock_fd,
		dg) != 0)
		return -1;
	if (*ret != LOCK_BUSY || silent == q->wait_ms)
		return 0;
	if (!q->quiet)
		diag_note("another sync of %s is running: waiting for it",
		    q->agent->name);
	return lock_wait(r->agent_fd, LOCK_NAME, true, q->wait_ms - silent, ret,
	    &r->lock_fd, dg);
}

/* Takes the lock.  *ret_waited is true if another process held it. */
static int
take_lock(struct run *r, bool *ret_waited, struct diag *dg)
{
	enum lock_answer answer = LOCK_BUSY;

	*ret_waited = false;
	if (lock_try(r->agent_fd, LOCK_NAME, true, &answer, &r->lock_fd, dg) !=
	    0)
		return fail_below(r, dg);
	if (answer == LOCK_BUSY) {
		*ret_waited = true;
		if (wait_for_lock(r, &answer, dg) != 0)
			return fail_below(r, dg);
	}
	if (answer != LOCK_WON)
		return diag_set(dg, DIAG_BUSY,
		    "another sync of %s is running: try again",
		    r->request->agent->name);
	return 0;
}

/* After a failure build() removes the unfinished generation. */
static int
make_generation(struct run *r, struct diag *dg)
{
	char name[GENERATION_NAME_SIZE];
	cleanup_close int fd = -1;
	struct generation_spec spec = {
		.paths = r->request->paths,
		.settings = r->request->settings,
		.old_fd = r->usable && !r->request->force ? r->old_fd : -1,
		.kept_fd = r->old_fd,
	};
	struct stat st;

	if (generation_make(r->agent_fd, name, &fd, dg) != 0)
		return -1;
	spec.fd = fd;
	if (generation_fill(&spec, &r->now, dg) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", name);
	if (generation_swap(r->agent_fd, name, dg) != 0)
		return -1;
	return manifest_write(r->agent_fd, r->rules, &st, &r->now, dg);
}

/* Makes a generation from a scan and puts it in place.  The lock is held. */
static int
build(struct run *r, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;

	/* The next sync removes what cannot be removed now. */
	(void)generation_clean(r->agent_fd, &ignored);
	if (make_generation(r, dg) == 0)
		return 0;
	diag_clear(&ignored);
	(void)generation_clean(r->agent_fd, &ignored);
	return -1;
}

static void
give_outcome(struct run *r, bool done, struct sync_outcome *ret)
{
	ret->done = done;
	ret->manifest = r->then;
	r->then = (struct manifest)MANIFEST_INIT;
	if (done) {
		scan_release(&ret->manifest.scan);
		ret->manifest.scan = r->now;
		r->now = (struct scan)SCAN_INIT;
	}
}

/*
 * Removes old snapshots, unless another sync holds the lock.  A failure is only
 * a warning: the snapshot itself is fresh.
 */
static void
clean_up(struct run *r)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer = LOCK_WON;
	int rc = 0;

	if (r->lock_fd < 0)
		rc = lock_try(
		    r->agent_fd, LOCK_NAME, true, &answer, &r->lock_fd, &dg);
	if (rc == 0 && answer == LOCK_WON)
		rc = generation_clean(r->agent_fd, &dg);
	if (rc != 0)
		diag_warn("cannot remove an old snapshot: %s", dg.message);
}

/*
 * The lock is held.  Reads the snapshot again, and scans the host again after a
 * wait for the lock.  Builds a new snapshot if necessary.
 */
static int
run_locked(struct run *r, bool waited, const struct timespec *called,
    struct sync_outcome *ret, struct diag *dg)
{
	if (look_at_snapshot(r, dg) != 0)
		return -1;
	if (waited && r->usable &&
	    !moment_before(r->then.scan.start, *called)) {
		give_outcome(r, false, ret);
		return 0;
	}
	if (waited && look_at_host(r, dg) < 0)
		return -1;
	if (is_fresh(r) && !r->request->force) {
		give_outcome(r, false, ret);
		return 0;
	}
	if (build(r, dg) != 0)
		return -1;
	clean_up(r);
	give_outcome(r, true, ret);
	return 0;
}

static int
open_agent(struct run *r, struct diag *dg)
{
	const struct paths *paths = r->request->paths;
	cleanup_close int agents_fd = -1;

	if (fs_make_dir(paths->state_fd, "agents", 0700, &agents_fd, dg) != 0 ||
	    fs_make_dir(agents_fd, r->request->agent->name, 0700, &r->agent_fd,
		dg) != 0)
		return diag_wrap(dg, "%s", paths->state_dir);
	return 0;
}

int
sync_run(const struct sync_request *request, struct sync_outcome *ret,
    struct diag *dg)
{
	cleanup_run struct run r = RUN_INIT;
	struct timespec called;
	bool waited = false;
	mode_t mask;
	int rc;

	r.request = request;
	name_rules(&r);
	if (open_agent(&r, dg) != 0 || look_at_host(&r, dg) < 0 ||
	    look_at_snapshot(&r, dg) != 0)
		return -1;
	called = r.now.start;
	if (is_fresh(&r) && !request->force) {
		/* A killed sync leaves an old snapshot. */
		if (generation_has_old(r.agent_fd))
			clean_up(&r);
		give_outcome(&r, false, ret);
		return 0;
	}
	if (take_lock(&r, &waited, dg) != 0)
		return -1;
	/*
	 * Files must have exactly the modes that are passed at their creation.
	 */
	mask = umask(077);
	rc = run_locked(&r, waited, &called, ret, dg);
	(void)umask(mask);
	return rc;
}

int
sync_check(const struct sync_request *request, size_t *ret_drift,
    void (*report)(void *arg, const char *what, const char *path), void *arg,
    struct diag *dg)
{
	cleanup_run struct run r = RUN_INIT;
	cleanup_free char *path = xasprintf("agents/%s", request->agent->name);

	r.request = request;
	name_rules(&r);
	if (look_at_host(&r, dg) < 0)
		return -1;
	if (request->paths->state_fd >= 0 &&
	    fs_open_nolinks(request->paths->state_fd, path,
		O_RDONLY | O_DIRECTORY, 0, &r.agent_fd, dg) != 0 &&
	    diag_ignore(dg, ENOENT) != 0)
		return -1;
	if (r.agent_fd >= 0 && look_at_snapshot(&r, dg) != 0)
		return -1;
	if (r.usable) {
		*ret_drift = scan_compare(&r.now, &r.then.scan, report, arg) +
		    generation_retry(&r.now, report, arg);
		return 0;
	}
	*ret_drift = 1;
	if (report != NULL)
		report(arg, r.then.rules[0] != '\0' ? "rules" : "never",
		    request->agent->name);
	return 0;
}

size_t
sync_warn_skipped(const struct sync_outcome *outcome, enum sync_tell tell)
{
	const struct scan *scan = &outcome->manifest.scan;
	size_t n = 0;

	for (size_t i = 0; i < scan->nr; i++) {
		const struct scan_entry *e = &scan->v[i];

		bool distrust = scan_why_is_distrust(e->why);
		bool fails =
		    distrust || e->why == SCAN_UNREADABLE || e->why == SCAN_BAD;

		if (e->why == SCAN_FINE ||
		    (tell == SYNC_TELL_FAILURES && !fails) ||
		    (tell == SYNC_TELL_DISTRUST && !distrust))
			continue;
		if (e->detail != NULL)
			diag_warn("skipped %s: %s", e->path, e->detail);
		else
			diag_warn("skipped %s: it %s", e->path,
			    scan_why_text(e->why));
		n += fails;
	}
	return n;
}

void
sync_before_launch(const struct sync_request *request)
{
	cleanup_sync_outcome struct sync_outcome outcome = SYNC_OUTCOME_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (sync_run(request, &outcome, &dg) != 0)
		diag_warn("%s's configuration is not synced: %s",
		    request->agent->name, dg.message);
	else
		(void)sync_warn_skipped(&outcome,
		    outcome.done ? SYNC_TELL_ALL : SYNC_TELL_DISTRUST);
}

void
sync_outcome_release(struct sync_outcome *outcome)
{
	manifest_release(&outcome->manifest);
}
