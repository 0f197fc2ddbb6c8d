/* SPDX-License-Identifier: MIT */
/*
 * Copies packages into a slot.  Each is copied to a temporary file of the slot,
 * whose digest decides whether the file gets its final name.  Nobody else can
 * change the temporary file: no session has the slot yet.
 */
#include "deps/cacheseed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/below.h"
#include "deps/packages.h"

#define MAX_INDEX ((off_t)16 * 1024 * 1024)
#define MAX_WORKERS 4
#define MIN_SHARE 16 /* packages for a thread */
#define SEARCH_MS INT64_C(1000) /* for lock files, of a launch */

enum outcome {
	OUTCOME_ABSENT,
	OUTCOME_BAD, /* reported */
	OUTCOME_COPIED,
	OUTCOME_STOPPED, /* by a limit */
	OUTCOME_FAILED, /* the slot cannot be filled; the diag is set */
};

/* Shared by all threads: what they have copied, or are copying. */
struct usage {
	atomic_int_least64_t files;
	atomic_int_least64_t bytes;
	atomic_size_t next; /* the package that nobody has begun */
};

/* One thread's work. */
struct seeding {
	const struct cacheseed_spec *spec;
	struct usage *usage; /* shared */
	struct cacheseed_report *report; /* the thread's own */
	struct diag *dg; /* the thread's own */
	const char *slot_dir;
	const struct packages *packages; /* to copy */
	const struct cachedirs *dirs; /* from here */
	int64_t deadline;
	bool is_main; /* tells the progress */
	char *parent; /* owned; the directory open as parent_fd, or NULL */
	int parent_fd; /* owned */
};

/* A file to copy. */
struct job {
	int fd; /* borrowed; the source's directory */
	const char *path; /* below it */
	const char *label; /* the source in messages */
	const struct package_file *package; /* NULL: nothing proves it */
	off_t max;
};

static enum outcome
refuse(struct seeding *s, const struct job *job, const char *why)
{
	/* An index entry is no package: cargo does without it. */
	if (job->package != NULL)
		cacheseed_report_add(s->report, job->path, job->label, why);
	return OUTCOME_BAD;
}

static enum outcome
fail(struct seeding *s, const char *doing, const char *path)
{
	(void)diag_set_errno(s->dg, DIAG_IO, errno, "%s %s", doing, path);
	return OUTCOME_FAILED;
}

/* Makes and opens the directory of a path below the slot's data. */
static int
open_parent(struct seeding *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *parent = xstrndup(path, (size_t)(slash - path));
	cleanup_close int fd = -1;

	if (s->parent != NULL && strcmp(s->parent, parent) == 0)
		return 0;
	if (fs_make_dirs(s->spec->data_fd, parent, 0700, &fd, s->dg) != 0)
		return -1;
	free(s->parent);
	s->parent = steal_ptr(&parent);
	if (s->parent_fd >= 0)
		(void)close(s->parent_fd);
	s->parent_fd = steal_fd(&fd);
	return 0;
}

/*
 * Gives the temporary file its final name, a path below the slot's data, if the
 * outcome is OUTCOME_COPIED.  Removes the file otherwise.
 */
static enum outcome
finish(
    struct seeding *s, const char *temp, const char *path, enum outcome outcome)
{
	if (outcome == OUTCOME_COPIED && open_parent(s, path) != 0)
		outcome = OUTCOME_FAILED;
	else if (outcome == OUTCOME_COPIED &&
	    renameat(s->spec->data_fd, temp, s->parent_fd,
		strrchr(path, '/') + 1) < 0)
		outcome = fail(s, "rename", path);
	if (outcome != OUTCOME_COPIED)
		(void)unlinkat(s->spec->data_fd, temp, 0);
	return outcome;
}

/* Returns OUTCOME_COPIED if the copy in out may have its final name. */
static enum outcome
judge_copy(struct seeding *s, const struct job *job, int in, int out,
    const struct stat *before)
{
	cleanup_diag struct diag why = DIAG_INIT;
	struct stat after;
	struct stat copy;

	if (fstat(out, &copy) < 0)
		return fail(s, "stat", job->path);
	if (fstat(in, &after) < 0 || after.st_size != before->st_size ||
	    copy.st_size != before->st_size)
		return refuse(s, job, "it changed while it was copied");
	if (job->package == NULL)
		return OUTCOME_COPIED;
	if (package_prove(job->package, out, copy.st_size, &why) != 0)
		return refuse(s, job, why.message);
	return OUTCOME_COPIED;
}

static enum outcome
copy_file(struct seeding *s, const struct job *job, int in,
    const struct stat *st, const char *path)
{
	char temp[FS_TEMP_SIZE];
	cleanup_close int out = -1;
	enum outcome outcome = OUTCOME_FAILED;

	if (fs_temp_create(
		s->spec->data_fd, CACHESEED_TEMP, temp, &out, s->dg) != 0)
		return OUTCOME_FAILED;
	if (fs_copy_bytes(in, out, st->st_size, path, s->dg) == 0)
		outcome = judge_copy(s, job, in, out, st);
	return finish(s, temp, path, outcome);
}

/* Gives back what take_usage() took for a file that was not copied. */
static void
return_usage(struct seeding *s, off_t size)
{
	(void)atomic_fetch_sub(&s->usage->files, 1);
	(void)atomic_fetch_sub(&s->usage->bytes, size);
}

/* Takes a file's part of the limits.  Returns the limit that is reached. */
static const char *
take_usage(struct seeding *s, off_t size)
{
	const struct cacheseed_limits *limits = &s->spec->limits;
	int64_t files = atomic_fetch_add(&s->usage->files, 1) + 1;
	int64_t bytes = atomic_fetch_add(&s->usage->bytes, size) + size;
	const char *by = NULL;

	if (files > limits->files)
		by = "the number of files is limited";
	else if (bytes > limits->bytes)
		by = "the size is limited";
	else if (monotime_ms() >= s->deadline)
		by = CACHESEED_BY_TIME;
	if (by != NULL)
		return_usage(s, size);
	return by;
}

static void
tell_progress(struct seeding *s)
{
	struct cacheseed_report so_far = *s->report;

	if (!s->is_main || s->spec->progress == NULL)
		return;
	so_far.files = atomic_load(&s->usage->files);
	so_far.bytes = atomic_load(&s->usage->bytes);
	s->spec->progress(s->spec->arg, &so_far);
}

/* path is the final one, below the slot's data. */
static enum outcome
copy_job(struct seeding *s, const struct job *job, const char *path)
{
	cleanup_close int in = -1;
	enum outcome outcome;
	const char *why;
	struct stat st;

	in = cachedir_open(job->fd, job->path, &st, &why);
	if (why != NULL)
		return refuse(s, job, why);
	if (in < 0)
		return errno == ENOENT ? OUTCOME_ABSENT
				       : refuse(s, job, "it cannot be opened");
	if (st.st_size > job->max)
		return refuse(s, job, "it is too large");
	s->report->stopped_by = take_usage(s, st.st_size);
	if (s->report->stopped_by != NULL)
		return OUTCOME_STOPPED;
	outcome = copy_file(s, job, in, &st, path);
	if (outcome != OUTCOME_COPIED) {
		return_usage(s, st.st_size);
		return outcome;
	}
	s->report->files++;
	s->report->bytes += st.st_size;
	tell_progress(s);
	return outcome;
}

static bool
is_in_slot(const struct seeding *s, const char *path)
{
	cleanup_close int fd =
	    cachedir_open_beneath(s->spec->data_fd, path, O_PATH);

	return fd >= 0;
}

static enum outcome
copy_index_file(struct seeding *s, const struct cachedir *dir, const char *path)
{
	cleanup_free char *final =
	    xasprintf("%s/%s/%s", s->slot_dir, dir->index_into, path);
	struct job job = {
		.fd = dir->index_fd,
		.path = path,
		.label = dir->label,
		.max = MAX_INDEX,
	};

	return is_in_slot(s, final) ? OUTCOME_COPIED : copy_job(s, &job, final);
}

/*
 * Writes the .info that Go wants beside a module's file.  No digest covers an
 * .info, so it is made from the lock's version and not copied.
 */
static enum outcome
write_info(struct seeding *s, const struct package_file *p, const char *path)
{
	cleanup_free char *final =
	    xasprintf("%.*s.info", (int)(strrchr(path, '.') - path), path);
	cleanup_free char *text = xasprintf("{\"Version\":\"%s\"}", p->version);
	char temp[FS_TEMP_SIZE];
	cleanup_close int out = -1;
	enum outcome outcome = OUTCOME_FAILED;

	if (is_in_slot(s, final))
		return OUTCOME_COPIED;
	if (fs_temp_create(
		s->spec->data_fd, CACHESEED_TEMP, temp, &out, s->dg) != 0)
		return OUTCOME_FAILED;
	if (fs_write_all(out, text, strlen(text), final, s->dg) == 0)
		outcome = OUTCOME_COPIED;
	return finish(s, temp, final, outcome);
}

static enum outcome
seed_from(
    struct seeding *s, const struct cachedir *dir, const struct package_file *p)
{
	cleanup_free char *final =
	    xasprintf("%s/%s/%s", s->slot_dir, dir->into, p->path);
	struct job job = {
		.fd = dir->fd,
		.path = p->path,
		.label = dir->label,
		.package = p,
		.max = PACKAGE_MAX_SIZE,
	};
	enum outcome outcome = OUTCOME_COPIED;

	if (is_in_slot(s, final))
		s->report->kept++;
	else
		outcome = copy_job(s, &job, final);
	if (outcome == OUTCOME_COPIED && p->version != NULL)
		outcome = write_info(s, p, final);
	return outcome;
}

/*
 * Copies the index's entries of the crates that are in the slot.  A directory's
 * index comes after all its crates, so that each directory is opened once.
 */
static enum outcome
seed_index(struct seeding *s, const struct cachedir *dir)
{
	enum outcome outcome = OUTCOME_ABSENT;

	for (size_t i = 0; i < s->packages->nr && outcome < OUTCOME_STOPPED;
	     i++) {
		const struct package_file *p = &s->packages->v[i];
		cleanup_free char *crate =
		    xasprintf("%s/%s/%s", s->slot_dir, dir->into, p->path);
		cleanup_free char *entry = xasprintf(".cache/%s", p->index);

		if (!is_in_slot(s, crate))
			continue;
		if (outcome == OUTCOME_ABSENT)
			outcome = copy_index_file(s, dir, "config.json");
		if (outcome < OUTCOME_STOPPED)
			outcome = copy_index_file(s, dir, entry);
	}
	return outcome;
}

/*
 * Seeds packages that no other thread has begun.  On a busy processor a thread
 * stands still, and the others go on.
 */
static enum outcome
seed_packages(struct seeding *s)
{
	size_t i;

	while ((i = atomic_fetch_add(&s->usage->next, 1)) < s->packages->nr) {
		const struct package_file *p = &s->packages->v[i];
		enum outcome outcome = OUTCOME_ABSENT;

		/* Also for packages that no source has. */
		if (monotime_ms() >= s->deadline) {
			s->report->stopped_by = CACHESEED_BY_TIME;
			return OUTCOME_STOPPED;
		}
		for (size_t j = 0; j < s->dirs->nr && outcome < OUTCOME_COPIED;
		     j++)
			if (package_belongs(p, &s->dirs->v[j]))
				outcome = seed_from(s, &s->dirs->v[j], p);
		if (outcome >= OUTCOME_STOPPED)
			return outcome;
		if (outcome != OUTCOME_COPIED)
			s->report->missing++;
	}
	return OUTCOME_COPIED;
}

/* A thread; hashing takes longer than copying, so processors share it. */
struct worker {
	struct seeding s;
	struct cacheseed_report report; /* owned */
	struct diag dg; /* owned */
	enum outcome outcome;
	pthread_t thread;
	bool started;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	w->outcome = seed_packages(&w->s);
	return NULL;
}

static void
release_parent(struct seeding *s)
{
	free(s->parent);
	if (s->parent_fd >= 0)
		(void)close(s->parent_fd);
}

/* Adds a thread's result to the main one's. */
static void
join_worker(struct seeding *s, struct worker *w)
{
	if (w->started)
		(void)pthread_join(w->thread, NULL);
	s->report->files += w->report.files;
	s->report->bytes += w->report.bytes;
	s->report->kept += w->report.kept;
	s->report->missing += w->report.missing;
	s->report->nbad += w->report.nbad;
	for (size_t i = 0;
	     i < w->report.bad.nr && s->report->bad.nr < CACHESEED_NAMED; i++)
		strvec_push(&s->report->bad, w->report.bad.v[i]);
	if (s->report->stopped_by == NULL)
		s->report->stopped_by = w->report.stopped_by;
	if (w->dg.class != DIAG_NONE && s->dg->class == DIAG_NONE)
		diag_move(s->dg, &w->dg);
	diag_clear(&w->dg);
	cacheseed_report_release(&w->report);
	release_parent(&w->s);
}

/* Seeds all packages by several threads, of which this is the first. */
static enum outcome
share_packages(struct seeding *s)
{
	struct worker workers[MAX_WORKERS];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = MIN(s->packages->nr / MIN_SHARE, MAX_WORKERS);
	enum outcome outcome;

	n = MIN(n, (size_t)MAX(processors, 1));
	atomic_store(&s->usage->next, 0);
	for (size_t i = 1; i < n; i++) {
		struct worker *w = &workers[i];

		*w = (struct worker){ .s = *s,
			.report = CACHESEED_REPORT_INIT,
			.dg = DIAG_INIT,
			.outcome = OUTCOME_COPIED };
		w->s.report = &w->report;
		w->s.dg = &w->dg;
		w->s.is_main = false;
		w->s.parent = NULL;
		w->s.parent_fd = -1;
		w->started = pthread_create(&w->thread, NULL, work, w) == 0;
	}
	outcome = seed_packages(s);
	for (size_t i = 1; i < n; i++) {
		join_worker(s, &workers[i]);
		if (workers[i].outcome > outcome)
			outcome = workers[i].outcome;
	}
	return outcome;
}

static void
keep_first(struct diag *first, struct diag *dg)
{
	if (dg->class != DIAG_NONE && first->class == DIAG_NONE)
		diag_move(first, dg);
}

/* Returns false if nothing more can be seeded. */
static bool
seed_manager(struct seeding *s, const struct package_manager *pm,
    const struct strvec *locks, struct diag *first)
{
	cleanup_packages struct packages packages = PACKAGES_INIT;
	cleanup_cachedirs struct cachedirs dirs = CACHEDIRS_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum outcome outcome = OUTCOME_COPIED;

	/* The lock files that can be read count all the same. */
	(void)packages_read(&packages, pm, s->spec->project_fd, locks, &dg);
	keep_first(first, &dg);
	diag_clear(&dg);
	s->dg = &dg;
	s->slot_dir = pm->slot_dir;
	s->packages = &packages;
	s->dirs = &dirs;
	if (packages.nr > 0) {
		cachedirs_open(&dirs, pm, &s->spec->sources);
		outcome = share_packages(s);
		for (size_t j = 0; j < dirs.nr && outcome < OUTCOME_STOPPED;
		     j++)
			if (dirs.v[j].index_fd >= 0)
				outcome = seed_index(s, &dirs.v[j]);
	}
	keep_first(first, &dg);
	s->dg = NULL;
	s->packages = NULL;
	s->dirs = NULL;
	return outcome < OUTCOME_STOPPED;
}

int
cacheseed_run(const struct cacheseed_spec *spec,
    struct cacheseed_report *ret_report, struct diag *dg)
{
	struct usage usage = { 0, 0, 0 };
	struct seeding s = {
		.spec = spec,
		.usage = &usage,
		.report = ret_report,
		.is_main = true,
		.deadline = monotime_ms() + spec->limits.ms,
		.parent_fd = -1,
	};
	cleanup_diag struct diag first = DIAG_INIT;
	cleanup_below_locks struct below_locks locks;

	fs_temp_clean(spec->data_fd, CACHESEED_TEMP);
	(void)below_find_locks(&locks, spec->project_fd, spec->toolchains,
	    monotime_ms() + MIN(spec->limits.ms, SEARCH_MS), &first);
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++)
		if (locks.paths[i].nr > 0 &&
		    !seed_manager(
			&s, &package_managers[i], &locks.paths[i], &first))
			break;
	release_parent(&s);
	if (!locks.whole && ret_report->stopped_by == NULL)
		ret_report->stopped_by = CACHESEED_BY_SEARCH;
	return first.class == DIAG_NONE ? 0 : diag_move(dg, &first);
}

void
cacheseed_report_add(struct cacheseed_report *report, const char *path,
    const char *label, const char *why)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	report->nbad++;
	if (report->bad.nr == CACHESEED_NAMED)
		return;
	strbuf_addf(&line, "%s in %s: %s", path, label, why);
	strvec_push(&report->bad, line.buf);
}

void
cacheseed_report_release(struct cacheseed_report *report)
{
	strvec_release(&report->bad);
	*report = (struct cacheseed_report)CACHESEED_REPORT_INIT;
}
