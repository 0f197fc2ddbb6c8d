/* SPDX-License-Identifier: MIT */
/* A scan's list: growing it, comparing it with an earlier one. */
#include "sync/scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

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
				"leads to: put a copy in its place",
		[SCAN_ACCOUNT] = "is an account's file",
		[SCAN_IN_PROJECT] =
		    "leads into a project, where an agent can replace what is "
		    "there: put a copy in the link's place",
		[SCAN_BAD] = "cannot be filtered",
		[SCAN_FOREIGN] =
		    "leads to another user's file, or through another user's "
		    "link: put a copy in the link's place",
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

static bool
is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec ||
	    (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/*
 * Whether t was over at the start.  On some file systems a time lasts: for one
 * or two seconds when it is whole, for 10 ms when that is.
 */
static bool
is_over(const struct timespec *t, const struct timespec *start)
{
	struct timespec end = *t;

	if (t->tv_nsec == 0)
		end.tv_sec += 2;
	else if (t->tv_nsec % 10000000 == 0)
		end.tv_nsec += 9999999;
	return is_before(&end, start);
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* A link and what it leads to have one path, and two entries. */
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
	/* What a directory holds are entries of their own. */
	if (now->kind == SCAN_DIR)
		return true;
	return now->size == then->size && now->ino == then->ino &&
	    same_time(&now->mtime, &then->mtime) &&
	    same_time(&now->ctime, &then->ctime) &&
	    is_over(&then->mtime, start) && is_over(&then->ctime, start);
}

/* One comparison under way. */
struct diff {
	const struct timespec *start;
	void (*report)(void *arg, const char *what, const char *path);
	void *arg;
	const char
	    *last; /* path that was told: a link and its target share it */
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

/* Returned: the entries in the order of their places. */
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

	/* A directory that nobody changed lists its names in one order. */
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
