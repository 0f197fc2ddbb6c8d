/* SPDX-License-Identifier: MIT */
/* scan: scans the host's trees and documents, and compares two scans. */
#include "sync/scan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/moment.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/agent.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/settings.h"
#include "sync/walk.h"

const char *
scan_why_text(enum scan_why why)
{
	static const char *const texts[SCAN_NWHYS] = {
		[SCAN_FINE] = "",
		[SCAN_UNREADABLE] = "cannot be read",
		[SCAN_DANGLING] = "is a link that leads nowhere",
		[SCAN_TO_PROTECTED] = "is a link to a protected place",
		[SCAN_TO_CREDENTIAL] = "leads to a credential file",
		[SCAN_SPECIAL] = "is not a file, directory or link",
		[SCAN_TO_SPECIAL] =
		    "is a link to neither a file nor a directory",
		[SCAN_BACK] = "is a link to a directory around it",
		[SCAN_LEAVES] = "is a link out of a directory that a link "
				"leads to: replace it with a copy",
		[SCAN_ACCOUNT] = "is an account's file",
		[SCAN_IN_PROJECT] =
		    "leads into a project, where an agent can replace what "
		    "is there: replace the link with a copy",
		[SCAN_BAD] = "cannot be filtered",
		[SCAN_FOREIGN] =
		    "leads to another user's file, or through another user's "
		    "link: replace the link with a copy",
	};

	assert(why < SCAN_NWHYS);
	return texts[why];
}

bool
scan_why_is_distrust(enum scan_why why)
{
	return why == SCAN_IN_PROJECT || why == SCAN_FOREIGN ||
	    why == SCAN_LEAVES;
}

struct scan_entry *
scan_add(struct scan *scan, enum scan_kind kind, const char *path)
{
	struct scan_entry *e;

	if (scan->nr == scan->alloc) {
		scan->alloc = scan->alloc > 0 ? scan->alloc * 2 : 256;
		scan->v = xreallocarray(scan->v, scan->alloc, sizeof(*scan->v));
	}
	e = &scan->v[scan->nr++];
	*e = (struct scan_entry){ .kind = kind, .path = xstrdup(path) };
	return e;
}

void
scan_release(struct scan *scan)
{
	for (size_t i = 0; i < scan->nr; i++) {
		free(scan->v[i].path);
		free(scan->v[i].source);
		free(scan->v[i].detail);
	}
	free(scan->v);
	*scan = (struct scan)SCAN_INIT;
}

/*
 * Returns true if t was certainly before start.  Some file systems have coarse
 * timestamps.  The assumed resolution is 2 s if t is a whole second, or 10 ms
 * if t is a multiple of 10 ms.
 */
static bool
is_over(const struct timespec *t, const struct timespec *start)
{
	struct timespec end = *t;

	if (t->tv_nsec == 0)
		end.tv_sec += 2;
	else if (t->tv_nsec % 10000000 == 0)
		end.tv_nsec += 9999999;
	return moment_before(end, *start);
}

bool
scan_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A symlink and its target have the same path but separate entries. */
static int
compare_places(const struct scan_entry *a, const struct scan_entry *b)
{
	int order = strcmp(a->path, b->path);

	if (order != 0)
		return order;
	return (a->kind == SCAN_THROUGH) - (b->kind == SCAN_THROUGH);
}

static bool
is_same(const struct scan_entry *now, const struct scan_entry *then,
    const struct timespec *start)
{
	if (now->kind != then->kind || now->mode != then->mode)
		return false;
	/* The contents of a directory have their own entries. */
	if (now->kind == SCAN_DIR)
		return true;
	return now->size == then->size && now->ino == then->ino &&
	    scan_same_time(&now->mtime, &then->mtime) &&
	    scan_same_time(&now->ctime, &then->ctime) &&
	    is_over(&then->mtime, start) && is_over(&then->ctime, start);
}

/* The state of a comparison. */
struct diff {
	const struct timespec *start;
	void (*report)(void *arg, const char *what, const char *path);
	void *arg;
	const char
	    *last; /* last reported path: a symlink and its target share it */
	size_t n;
};

static void
tell(struct diff *d, const char *what, const char *path)
{
	d->n++;
	if (d->report != NULL &&
	    (d->last == NULL || strcmp(d->last, path) != 0))
		d->report(d->arg, what, path);
	d->last = path;
}

static void
compare_pair(
    struct diff *d, struct scan_entry *now, const struct scan_entry *then)
{
	now->same = is_same(now, then, d->start);
	if (!now->same)
		tell(d, "changed", now->path);
	else if (now->why == SCAN_FINE)
		now->why = then->why;
}

static int
compare_pointers(const void *a, const void *b)
{
	return compare_places(
	    *(struct scan_entry *const *)a, *(struct scan_entry *const *)b);
}

/* Returns the entries sorted by compare_places(). */
static struct scan_entry **
sorted(const struct scan *scan)
{
	struct scan_entry **list =
	    xcalloc(scan->nr + 1, sizeof(struct scan_entry *));

	for (size_t i = 0; i < scan->nr; i++)
		list[i] = &scan->v[i];
	qsort(list, scan->nr, sizeof(struct scan_entry *), compare_pointers);
	return list;
}

static void
merge(struct diff *d, struct scan *now, const struct scan *then)
{
	cleanup_free struct scan_entry **a = sorted(now);
	cleanup_free struct scan_entry **b = sorted(then);
	size_t i = 0;
	size_t j = 0;

	while (i < now->nr || j < then->nr) {
		int order = i == now->nr ? 1
		    : j == then->nr      ? -1
					 : compare_places(a[i], b[j]);

		if (order == 0) {
			compare_pair(d, a[i++], b[j++]);
		} else if (order < 0) {
			a[i]->same = false;
			tell(d, "new", a[i++]->path);
		} else {
			tell(d, "gone", b[j++]->path);
		}
	}
}

size_t
scan_compare(struct scan *now, const struct scan *then,
    void (*report)(void *arg, const char *what, const char *path), void *arg)
{
	struct diff d = { &then->start, report, arg, NULL, 0 };
	size_t i = 0;

	/*
	 * An unchanged directory lists its names in the same order: no sort is
	 * needed.
	 */
	while (i < now->nr && i < then->nr &&
	    compare_places(&now->v[i], &then->v[i]) == 0)
		i++;
	if (now->nr != then->nr || i < now->nr) {
		merge(&d, now, then);
		return d.n;
	}
	for (i = 0; i < now->nr; i++)
		compare_pair(&d, &now->v[i], &then->v[i]);
	return d.n;
}

/*
 * Opens HOME/from and follows symlinks.  *ret_real is the real path (returned),
 * *ret_links the number of symlinks followed.  *ret_fd is -1 if from is absent
 * or skipped; a skipped one has an entry with the reason.
 */
static int
open_top(struct walk *w, int home_fd, int *ret_fd, char **ret_real,
    struct stat *ret_st, int *ret_links)
{
	const char *from = w->tree->from;
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;
	enum scan_why why;
	struct stat link;

	*ret_fd = -1;
	if (fstatat(home_fd, from, &link, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR
		    ? 0
		    : fs_walk_fail(&w->at, "stat");
	if (walk_resolve(w, home_fd, from, &link, &fd, ret_links) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (fstat(fd, ret_st) < 0)
		return fs_walk_fail(&w->at, "stat");
	if (walk_follow(w, fd, &link, &real) < 0)
		return -1;
	if (real == NULL)
		return 0;
	why = *ret_links > 0 ? walk_distrust(w, ret_st, real) : SCAN_FINE;
	if (why != SCAN_FINE)
		return walk_skip(w, &link, why);
	if (S_ISLNK(link.st_mode) && walk_add(w, SCAN_THROUGH, &link) == NULL)
		return -1;
	*ret_fd = steal_fd(&fd);
	*ret_real = steal_ptr(&real);
	return 0;
}

static int
scan_tree(struct walk *w, int home_fd)
{
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;
	int links = 0;
	struct stat st;

	w->prefix = w->at.path.len + 1;
	if (open_top(w, home_fd, &fd, &real, &st, &links) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return walk_skip(w, &st, SCAN_SPECIAL);
	w->place = (struct walk_place){
		.real = real,
		.root = w->prefix,
		.followed = links > 0,
	};
	return walk_enter(w, fd, ".", &st);
}

static int
scan_document(struct walk *w, int home_fd)
{
	cleanup_free char *real = NULL;
	cleanup_close int fd = -1;
	struct scan_entry *e;
	int links = 0;
	struct stat st;

	if (open_top(w, home_fd, &fd, &real, &st, &links) < 0)
		return -1;
	if (fd < 0)
		return 0;
	if (!S_ISREG(st.st_mode))
		return walk_skip(w, &st, SCAN_SPECIAL);
	e = walk_add(w, SCAN_DOCUMENT, &st);
	if (e == NULL)
		return -1;
	e->source = xstrdup(real + 1);
	e->document = w->tree;
	return 0;
}

static int
scan_sources(struct walk *w, const struct agent_sources *sources, int home_fd,
    int (*scan_one)(struct walk *w, int home_fd))
{
	for (size_t i = 0; i < sources->nr; i++) {
		cleanup_free char *name = NULL;
		int rc;

		w->tree = &sources->v[i];
		name = xasprintf("%s/%s", w->paths->home, w->tree->from);
		w->home_name = name;
		strbuf_reset(&w->at.path);
		strbuf_addstr(&w->at.path, w->tree->to);
		rc = scan_one(w, home_fd);
		w->home_name = NULL;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Skips the entries of this kind, and files, whose inode is in the set. */
static void
drop_inodes(struct scan *scan, struct inodes *set, enum scan_kind kind,
    enum scan_why why)
{
	inodes_sort(set);
	for (size_t i = 0; i < scan->nr; i++) {
		struct scan_entry *e = &scan->v[i];

		if ((e->kind == SCAN_FILE || e->kind == kind) &&
		    inodes_has(set, e->dev, (ino_t)e->ino)) {
			e->kind = SCAN_SKIPPED;
			e->why = why;
		}
	}
}

/* A tree may contain a document too.  There it would be copied unfiltered. */
static void
drop_documents(struct scan *scan)
{
	struct inodes documents = INODES_INIT;

	for (size_t i = 0; i < scan->nr; i++) {
		const struct stat st = {
			.st_mode = S_IFREG,
			.st_dev = scan->v[i].dev,
			.st_ino = (ino_t)scan->v[i].ino,
		};

		if (scan->v[i].kind == SCAN_DOCUMENT)
			inodes_add(&documents, &st);
	}
	drop_inodes(scan, &documents, SCAN_FILE, SCAN_ACCOUNT);
	inodes_release(&documents);
}

/* Fills a scan and the set of credential files found. */
static int
walk_host(struct walk *w, struct diag *dg)
{
	const struct agent_sync *sync = &w->agent->sync;
	cleanup_knownprojects struct knownprojects *known = NULL;
	cleanup_close int home_fd = -1;
	int rc;

	w->at = (struct fs_walk){
		.visit = walk_entry,
		.arg = w,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.depth = 1, /* the home is depth 0 */
		.max_depth = SCAN_MAX_DEPTH,
		.too_deep = DIAG_CONFIG,
	};
	/* The clock that the kernel uses for file timestamps. */
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &w->scan->start);
	if (knownprojects_load(w->paths, &known, dg) != 0 ||
	    fs_open_dir(w->paths->home, &home_fd, dg) != 0)
		return -1;
	w->known = known;
	rc = scan_sources(w, &sync->trees, home_fd, scan_tree);
	if (rc == 0)
		rc = scan_sources(w, &sync->documents, home_fd, scan_document);
	if (rc == 0)
		rc = inodes_add_protected(&w->credentials, w->paths, known, dg);
	fs_walk_release(&w->at);
	return rc;
}

int
scan_run(struct scan *ret, const struct paths *paths,
    const struct settings *settings, const struct agent *agent, struct diag *dg)
{
	struct walk w = {
		.scan = ret,
		.paths = paths,
		.settings = settings,
		.agent = agent,
	};
	int rc = walk_host(&w, dg);

	if (rc == 0) {
		/* All credential files are known only now. */
		drop_inodes(
		    ret, &w.credentials, SCAN_DOCUMENT, SCAN_TO_CREDENTIAL);
		drop_documents(ret);
	}
	inodes_release(&w.credentials);
	return rc;
}
