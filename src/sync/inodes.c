/* SPDX-License-Identifier: MIT */
/* inodes: a sorted array of device and inode numbers. */
#include "sync/inodes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/resolve.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"

#define MAX_DEPTH 200

void
inodes_add(struct inodes *set, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return;
	if (set->nr == set->alloc) {
		set->alloc = set->alloc > 0 ? set->alloc * 2 : 64;
		set->v = xreallocarray(set->v, set->alloc, sizeof(*set->v));
	}
	set->v[set->nr++] = (struct inode){ st->st_dev, st->st_ino };
}

static bool
is_closed(int errnum)
{
	return errnum == EACCES || errnum == EPERM || errnum == ENOENT ||
	    errnum == ENOTDIR || errnum == ELOOP;
}

static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return is_closed(errno) ? 0 : fs_walk_fail(walk, "stat");
	if (!S_ISDIR(st.st_mode)) {
		inodes_add(walk->arg, &st);
		return 0;
	}
	fd = fs_walk_open(dirfd, name);
	if (fd < 0)
		return is_closed(errno) ? 0 : fs_walk_fail(walk, "open");
	return fs_walk_read(walk, steal_fd(&fd));
}

static bool
is_in_project(const struct knownprojects *known, int fd)
{
	cleanup_free char *real = NULL;
	cleanup_free char *project = NULL;

	if (fs_real_path(fd, &real) < 0)
		return true;
	project = knownprojects_find(known, real);
	return project != NULL;
}

static int
judge_link(void *arg, int dirfd, const char *name, const struct stat *st)
{
	(void)name;
	return S_ISLNK(st->st_mode) && is_in_project(arg, dirfd);
}

/* A directory that contains protected places, resolved once for all of them. */
struct base {
	const char *path; /* borrowed */
	int fd; /* owned; -1: absent, or reached through a project */
	int links; /* number of symlinks followed to it */
};

static int
open_base(struct base *base, const struct knownprojects *known, struct diag *dg)
{
	struct resolve resolve = {
		.judge = judge_link,
		.arg = (void *)(uintptr_t)known,
	};
	int rc = resolve_open(&resolve, AT_FDCWD, base->path, &base->fd);

	if (rc < 0 && !is_closed(errno))
		return diag_set_errno(
		    dg, DIAG_IO, errno, "stat %s", base->path);
	base->links = resolve.links;
	return 0;
}

/*
 * Adds a protected place, which may be a symlink.  A target in a project is
 * skipped: the agent of that project could replace it with links to arbitrary
 * files, which would then count as credentials.
 */
static int
add_place(struct inodes *set, const struct base *base, const char *place,
    const struct knownprojects *known, struct diag *dg)
{
	cleanup_fs_walk struct fs_walk walk = {
		.visit = visit,
		.arg = set,
		.dg = dg,
		.label = "",
		.path = STRBUF_INIT,
		.max_depth = MAX_DEPTH,
		.too_deep = DIAG_CONFIG,
	};
	struct resolve resolve = {
		.judge = judge_link,
		.arg = (void *)(uintptr_t)known,
		.links = base->links,
	};
	cleanup_close int at = -1;
	cleanup_close int fd = -1;
	struct stat st;
	int rc;

	if (base->fd < 0)
		return 0;
	strbuf_addf(&walk.path, "%s/%s", base->path, place);
	rc = resolve_open(&resolve, base->fd, place, &at);
	if (rc < 0 || (rc == 0 && fstat(at, &st) < 0))
		return is_closed(errno) ? 0 : fs_walk_fail(&walk, "stat");
	if (rc > 0 || (resolve.links > 0 && is_in_project(known, at)))
		return 0;
	if (!S_ISDIR(st.st_mode)) {
		inodes_add(set, &st);
		return 0;
	}
	fd = fs_walk_open(at, ".");
	if (fd < 0)
		return is_closed(errno) ? 0 : fs_walk_fail(&walk, "open");
	return fs_walk_read(&walk, steal_fd(&fd));
}

int
inodes_add_protected(struct inodes *set, const struct paths *paths,
    const struct knownprojects *known, struct diag *dg)
{
	struct base home = { .path = paths->home, .fd = -1 };
	struct base state = { .path = paths->state_dir, .fd = -1 };
	const struct protected_place *row;
	int rc = open_base(&home, known, dg);

	for (size_t i = 0; rc == 0 && (row = protected_at(i)) != NULL; i++)
		if (strcmp(row->group, PROTECTED_CREDENTIALS) == 0)
			rc = add_place(set, &home, row->path, known, dg);
	if (rc == 0)
		rc = open_base(&state, known, dg);
	if (rc == 0)
		rc = add_place(set, &state, "tokens", known, dg);
	cleanup_close_fn(&state.fd);
	cleanup_close_fn(&home.fd);
	return rc;
}

static int
compare(const void *a, const void *b)
{
	const struct inode *x = a;
	const struct inode *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

void
inodes_sort(struct inodes *set)
{
	if (set->nr > 0)
		qsort(set->v, set->nr, sizeof(*set->v), compare);
}

bool
inodes_has(const struct inodes *set, dev_t dev, ino_t ino)
{
	const struct inode key = { dev, ino };

	return set->nr > 0 &&
	    bsearch(&key, set->v, set->nr, sizeof(*set->v), compare) != NULL;
}

void
inodes_release(struct inodes *set)
{
	free(set->v);
	*set = (struct inodes)INODES_INIT;
}
