/* SPDX-License-Identifier: MIT */
/* datafile: overlays, policy and profile, from the data directory. */
#include "plan/datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"

static int
check_owner(const struct paths *paths, const struct stat *st, const char *path,
    struct diag *dg)
{
	mode_t writers = st->st_mode & 022;

	if (st->st_uid != 0 && st->st_uid != paths->uid)
		return diag_set(dg, DIAG_POLICY,
		    "%s belongs to another user (uid %ju)", path,
		    (uintmax_t)st->st_uid);
	/* Where everybody may add, nobody may replace: /tmp. */
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0)
		return 0;
	/* A user's own group, with a umask of 002. */
	if (S_ISDIR(st->st_mode) && st->st_gid == paths->gid)
		writers &= 002;
	if (writers != 0)
		return diag_set(
		    dg, DIAG_POLICY, "%s can be written by others", path);
	return 0;
}

/* Checks every directory from the root down to path, its last one included. */
static int
check_parents(const struct paths *paths, const char *path, struct diag *dg)
{
	char *part cleanup_free = xstrdup(path);
	struct stat st;

	for (char *p = part + 1;; p++) {
		char end = *p;

		if (end != '/' && end != '\0')
			continue;
		*p = '\0';
		if (stat(part, &st) != 0)
			return diag_set_errno(
			    dg, DIAG_CONFIG, errno, "open %s", part);
		if (check_owner(paths, &st, part, dg) != 0)
			return -1;
		if (end == '\0')
			return 0;
		*p = '/';
	}
}

int
datafile_open_dir(const struct paths *paths, int *ret_fd, struct diag *dg)
{
	char *dir cleanup_free = xasprintf("%s/compose", paths->data_dir);
	int fd;

	if (check_parents(paths, dir, dg) != 0)
		return -1;
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return diag_set_errno(dg, DIAG_CONFIG, errno, "open %s", dir);
	*ret_fd = fd;
	return 0;
}

int
datafile_read(const struct paths *paths, int dir_fd, const char *name,
    size_t max, struct strbuf *out, struct diag *dg)
{
	char *path cleanup_free =
	    xasprintf("%s/compose/%s", paths->data_dir, name);
	int fd cleanup_close = openat(
	    dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return diag_set_errno(dg, DIAG_CONFIG, errno, "open %s", path);
	if (check_owner(paths, &st, path, dg) != 0)
		return -1;
	return fs_read_fd(fd, path, max, out, dg);
}
