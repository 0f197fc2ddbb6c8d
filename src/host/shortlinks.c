/* SPDX-License-Identifier: MIT */
/* shortlinks: makes, compares and removes symlinks in a directory of ours. */
#include "host/shortlinks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/xalloc.h"

enum {
	MODE = 0700,
	SUFFIX_SIZE = 9,
	TRIES = 100 /* each one is lost to another process */
};

static bool
is_closed(const struct stat *st, uid_t uid)
{
	return S_ISDIR(st->st_mode) && st->st_uid == uid &&
	    (st->st_mode & 0777) == MODE;
}

bool
shortlinks_are_right(
    const char *dir, uid_t uid, const char *name, const struct stat *want)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	return lstat(dir, &st) == 0 && is_closed(&st, uid) &&
	    stat(path, &st) == 0 && fs_same(&st, want);
}

int
shortlinks_open(
    const char *dir, uid_t uid, bool make, int *ret_fd, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (make && mkdir(dir, MODE) != 0 && errno != EEXIST)
		return diag_set_errno(dg, DIAG_IO, errno, "make %s", dir);
	fd = open(
	    dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 && errno == EACCES && lstat(dir, &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == uid) {
		/* Ours, and closed even to us; fchmod() needs no permission. */
		cleanup_close int at =
		    open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (at == -1 || fs_chmod_fd(at, MODE) != 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "open %s", dir);
		fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd == -1 && (errno == ENOTDIR || errno == ELOOP))
		return diag_set(
		    dg, DIAG_IO, "%s is not a directory: move it away", dir);
	if (fd == -1 || fstat(fd, &st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", dir);
	if (st.st_uid != uid)
		return diag_set(dg, DIAG_IO,
		    "%s belongs to another user (uid %ld)", dir,
		    (long)st.st_uid);
	if (!is_closed(&st, uid) && fchmod(fd, MODE) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "close %s to other users", dir);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/*
 * Puts a new link in the place of the symlink at name.  The exchange shows what
 * was there: a file that came meanwhile is put back.  Returns 0, or -1 with
 * errno: ENOENT if another process was faster, EEXIST if it is no symlink.
 */
static int
replace_link(int fd, const char *name, const char *target)
{
	char suffix[SUFFIX_SIZE];
	cleanup_free char *temp = NULL;
	struct stat st;
	int errnum = 0;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (!S_ISLNK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fs_random_name(suffix, sizeof(suffix));
	temp = xasprintf(".%s.%s", name, suffix);
	if (symlinkat(target, fd, temp) != 0)
		return -1;
	if (renameat2(fd, temp, fd, name, RENAME_EXCHANGE) != 0) {
		errnum = errno;
	} else if (fstatat(fd, temp, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISLNK(st.st_mode)) {
		errnum = EEXIST;
		if (renameat2(fd, temp, fd, name, RENAME_EXCHANGE) != 0) {
			errno = errnum;
			return -1;
		}
	}
	(void)unlinkat(fd, temp, 0);
	errno = errnum;
	return errnum == 0 ? 0 : -1;
}

int
shortlinks_put(const char *dir, uid_t uid, const char *name, const char *target,
    const struct stat *want, struct diag *dg)
{
	for (int i = 0; i < TRIES; i++) {
		cleanup_close int fd = -1;
		cleanup_diag struct diag mine = DIAG_INIT;
		struct stat st;

		if (shortlinks_open(dir, uid, true, &fd, &mine) != 0) {
			/* A cleaner may remove it after the mkdir(). */
			if (mine.errnum == ENOENT)
				continue;
			return diag_move(dg, &mine);
		}
		if ((fstatat(fd, name, &st, 0) == 0 && fs_same(&st, want)) ||
		    symlinkat(target, fd, name) == 0 ||
		    (errno == EEXIST && replace_link(fd, name, target) == 0))
			return 0;
		if (errno == EEXIST)
			return diag_set(dg, DIAG_IO,
			    "%s/%s is not a symlink: move it away", dir, name);
		if (errno != ENOENT)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "make %s/%s", dir, name);
	}
	return diag_set(
	    dg, DIAG_BUSY, "make %s/%s: other processes remove it", dir, name);
}

static int
remove_link(int fd, const char *name, bool only_dangling)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISLNK(st.st_mode) ||
	    (only_dangling && fstatat(fd, name, &st, 0) == 0))
		return 0;
	/* A link to itself, or through a file, leads nowhere as well. */
	if (only_dangling && errno != ENOENT && errno != ELOOP &&
	    errno != ENOTDIR)
		return -1;
	return unlinkat(fd, name, 0) == 0 || errno == ENOENT ? 0 : -1;
}

int
shortlinks_remove_dangling(int fd, const char *name)
{
	return remove_link(fd, name, true);
}

/*
 * Returns true for ".NAME.SUFFIX" of an own name.  replace_link() tolerates
 * that it is removed at any time.
 */
static bool
is_temporary(const char *name, bool (*is_own)(const char *name))
{
	const char *dot = strrchr(name, '.');
	cleanup_free char *own = NULL;

	if (name[0] != '.' || dot == name || strlen(dot) != SUFFIX_SIZE)
		return false;
	own = xstrndup(name + 1, (size_t)(dot - name - 1));
	return is_own(own);
}

struct sweep {
	bool (*is_own)(const char *name);
	size_t failed;
};

static int
sweep_one(struct fs_walk *walk, int dirfd, const char *name)
{
	struct sweep *sweep = walk->arg;
	int rc = 0;

	if (sweep->is_own(name))
		rc = remove_link(dirfd, name, true);
	else if (is_temporary(name, sweep->is_own))
		rc = remove_link(dirfd, name, false);
	if (rc != 0) {
		diag_warn(
		    "remove %s/%s: %s", walk->label, name, strerror(errno));
		sweep->failed++;
	}
	return 0;
}

size_t
shortlinks_sweep(const char *dir, uid_t uid, bool (*is_own)(const char *name))
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	struct sweep sweep = { is_own, 0 };
	cleanup_fs_walk struct fs_walk walk = {
		.visit = sweep_one,
		.arg = &sweep,
		.dg = &dg,
		.label = dir,
		.path = STRBUF_INIT,
	};

	if (shortlinks_open(dir, uid, false, &fd, &dg) != 0) {
		/* shortlinks_put() reports another user's directory. */
		if (dg.errnum == 0 || dg.errnum == ENOENT)
			return 0;
		diag_warn("%s", dg.message);
		return 1;
	}
	if (fs_walk_read(&walk, steal_fd(&fd)) != 0) {
		diag_warn("%s", dg.message);
		sweep.failed++;
	}
	return sweep.failed;
}
