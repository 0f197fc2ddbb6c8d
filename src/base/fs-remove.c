/* SPDX-License-Identifier: MIT */
/*
 * Removes a tree that an attacker may have built.
 *
 * The walk descends at most LEVELS directories.  A deeper directory is renamed
 * into an attic, a new directory at the top of the tree, and is added to a list
 * that is processed afterwards.  Each directory is opened with RESOLVE_NO_XDEV,
 * which also stops at a bind mount of the same file system.  Comparing st_dev
 * would not detect such a mount, and the walk would delete a user's project.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"

#define LEVELS 32
#define NAME_SIZE 17 /* 16 random characters and the terminator */

struct remover {
	dev_t dev;
	int top; /* borrowed; the tree's own directory */
	char attic[NAME_SIZE]; /* its name in top; empty until it is created */
	int attic_fd;
	struct strvec moved; /* directories in the attic still to be removed */
	struct strbuf path; /* of the current entry, for messages */
	size_t nfailed;
	int errnum; /* of the first failure */
	struct strbuf failed; /* owned; path of the first failure */
};

static void
note_failure(struct remover *r, int errnum)
{
	if (r->nfailed++ > 0)
		return;
	r->errnum = errnum;
	strbuf_add(&r->failed, r->path.buf, r->path.len);
}

static int
open_entry(int dirfd, const char *name, int flags)
{
	return fs_openat2(dirfd, name, flags | O_DIRECTORY | O_NOFOLLOW, 0,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/*
 * Opens an unreadable directory: chmod through an O_PATH descriptor, then open.
 */
static int
open_forbidden(int dirfd, const char *name)
{
	cleanup_close int handle = open_entry(dirfd, name, O_PATH);
	cleanup_close int fd = -1;
	struct stat before;
	struct stat st;

	if (handle < 0 || fstat(handle, &before) < 0 ||
	    fs_chmod_fd(handle, 0700) < 0)
		return -1;
	fd = open_entry(dirfd, name, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!fs_same(&before, &st)) {
		errno = EAGAIN;
		return -1;
	}
	return steal_fd(&fd);
}

/*
 * Opens a directory to empty it, after adding the owner's permissions.  Returns
 * -1 with errno; EXDEV for a mount point.
 */
static int
open_for_emptying(int dirfd, const char *name, struct stat *ret_st)
{
	cleanup_close int fd = open_entry(dirfd, name, O_RDONLY);

	if (fd < 0 && errno == EACCES)
		fd = open_forbidden(dirfd, name);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return -1;
	if ((ret_st->st_mode & 0700) != 0700 && fchmod(fd, 0700) < 0)
		return -1;
	return steal_fd(&fd);
}

static void empty_dir(
    struct remover *r, int fd, int level, int parent, const char *name);

static int
make_attic(struct remover *r)
{
	struct stat st;

	if (r->attic_fd >= 0)
		return 0;
	fs_random_name(r->attic, sizeof(r->attic));
	if (mkdirat(r->top, r->attic, 0700) < 0)
		return -1;
	r->attic_fd = open_for_emptying(r->top, r->attic, &st);
	return r->attic_fd < 0 ? -1 : 0;
}

/* Moves a directory that is too deep into the attic. */
static void
move_up(struct remover *r, int dirfd, const char *name)
{
	char moved[NAME_SIZE];

	fs_random_name(moved, sizeof(moved));
	if (make_attic(r) < 0 || renameat(dirfd, name, r->attic_fd, moved) < 0)
		note_failure(r, errno);
	else
		strvec_push(&r->moved, moved);
}

static bool
remove_empty(int dirfd, const char *name)
{
	/* Another process may be removing the same tree. */
	return unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* Removes one directory.  Failures are recorded in r only. */
static void
remove_dir(struct remover *r, int dirfd, const char *name, int level)
{
	cleanup_close int fd = -1;
	struct stat st;

	/* An empty directory can be removed without permissions to it. */
	if (remove_empty(dirfd, name))
		return;
	fd = open_for_emptying(dirfd, name, &st);
	if (fd < 0) {
		if (errno != ENOENT)
			note_failure(r, errno);
		return;
	}
	if (st.st_dev != r->dev)
		note_failure(r, EXDEV);
	else if (level >= LEVELS)
		move_up(r, dirfd, name);
	else
		empty_dir(r, steal_fd(&fd), level, dirfd, name);
}

static void
remove_entry(
    struct remover *r, int dirfd, const char *name, int type, int level)
{
	size_t base = r->path.len;

	strbuf_addch(&r->path, '/');
	strbuf_addstr(&r->path, name);
	/* unlink without stat first; only a directory gives EISDIR. */
	if (type == DT_DIR)
		remove_dir(r, dirfd, name, level);
	else if (unlinkat(dirfd, name, 0) < 0) {
		if (errno == EISDIR)
			remove_dir(r, dirfd, name, level);
		else if (errno != ENOENT)
			note_failure(r, errno);
	}
	strbuf_setlen(&r->path, base);
}

/* Reads the directory once; returns the number of entries seen. */
static size_t
sweep(struct remover *r, DIR *dir, int level)
{
	size_t met = 0;

	for (;;) {
		const struct dirent *e;

		errno = 0;
		e = readdir(dir);
		if (e == NULL) {
			if (errno != 0)
				note_failure(r, errno);
			return met;
		}
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		/* The attic is removed last. */
		if (level == 0 && strcmp(e->d_name, r->attic) == 0)
			continue;
		met++;
		remove_entry(r, dirfd(dir), e->d_name, e->d_type, level + 1);
	}
}

/*
 * Removes everything in fd (given), and then the directory from its parent
 * unless parent is -1.  Some file systems skip entries that are removed during
 * a read: the read is repeated until it sees no entry or rmdir succeeds.
 */
static void
empty_dir(struct remover *r, int fd, int level, int parent, const char *name)
{
	cleanup_closedir DIR *dir = fdopendir(fd);
	size_t failed_before = r->nfailed;

	if (dir == NULL) {
		note_failure(r, errno);
		(void)close(fd);
		return;
	}
	for (;;) {
		size_t met = sweep(r, dir, level);

		if (r->nfailed != failed_before)
			return;
		if (parent == -1 ? met == 0 : remove_empty(parent, name))
			return;
		if (parent != -1 &&
		    (met == 0 || (errno != ENOTEMPTY && errno != EEXIST)))
			break;
		rewinddir(dir);
	}
	/* The top directory may still hold the attic. */
	if (level > 0 || r->attic_fd < 0)
		note_failure(r, errno);
}

/*
 * Processes the attic's list.  A directory that is too deep there joins the
 * list.
 */
static void
empty_attic(struct remover *r)
{
	size_t base = r->path.len;

	strbuf_addch(&r->path, '/');
	strbuf_addstr(&r->path, r->attic);
	while (r->moved.nr > 0) {
		cleanup_free char *name = r->moved.v[--r->moved.nr];

		r->moved.v[r->moved.nr] = NULL;
		remove_entry(r, r->attic_fd, name, DT_DIR, 1);
	}
	if (r->nfailed == 0 && unlinkat(r->top, r->attic, AT_REMOVEDIR) < 0)
		note_failure(r, errno);
	strbuf_setlen(&r->path, base);
}

static void
empty_top(struct remover *r, int parent, const char *name)
{
	int copy = openat(r->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (copy < 0) {
		note_failure(r, errno);
		return;
	}
	empty_dir(r, copy, 0, parent, name);
	if (r->attic_fd < 0)
		return;
	empty_attic(r);
	if (r->nfailed == 0 && parent != -1 && !remove_empty(parent, name))
		note_failure(r, errno);
}

static int
report(const struct remover *r, struct diag *dg)
{
	const char *why =
	    r->errnum == EXDEV ? "a mount point" : strerror(r->errnum);

	if (r->nfailed == 1)
		(void)diag_set(
		    dg, DIAG_IO, "remove %s: %s", r->failed.buf, why);
	else
		(void)diag_set(dg, DIAG_IO,
		    "remove %s: %s (and %zu more could not be removed)",
		    r->failed.buf, why, r->nfailed - 1);
	dg->errnum = r->errnum;
	return -1;
}

/* Removes everything in the directory, and the directory unless keep is set. */
static int
remove_directory(int dirfd, const char *name, bool keep, struct diag *dg)
{
	struct remover r = { .top = -1, .attic_fd = -1 };
	cleanup_close int top = -1;
	struct stat st;
	int rc = 0;

	strbuf_init(&r.path);
	strbuf_init(&r.failed);
	strvec_init(&r.moved);
	strbuf_addstr(&r.path, name);
	top = open_for_emptying(dirfd, name, &st);
	if (top < 0) {
		if (errno != ENOENT || keep)
			note_failure(&r, errno);
	} else {
		r.top = top;
		r.dev = st.st_dev;
		empty_top(&r, keep ? -1 : dirfd, name);
	}
	if (r.nfailed > 0)
		rc = report(&r, dg);
	cleanup_close_fn(&r.attic_fd);
	strbuf_release(&r.path);
	strbuf_release(&r.failed);
	strvec_release(&r.moved);
	return rc;
}

int
fs_remove_tree(int dirfd, const char *name, struct diag *dg)
{
	if (!fs_is_component(name))
		return diag_set(
		    dg, DIAG_IO, "remove %s: not a plain name", name);
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return diag_set_errno(dg, DIAG_IO, errno, "remove %s", name);
	return remove_directory(dirfd, name, false, dg);
}

int
fs_empty_dir(int dirfd, const char *name, struct diag *dg)
{
	if (!fs_is_component(name))
		return diag_set(
		    dg, DIAG_IO, "empty %s: not a plain name", name);
	return remove_directory(dirfd, name, true, dg);
}
