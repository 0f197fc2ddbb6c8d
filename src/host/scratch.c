/* SPDX-License-Identifier: MIT */
/* Scratch directories: the owner's lock protects a directory from removal. */
#include "host/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"

#define SCRATCH "scratch"
#define NAME_LEN 12

enum {
	TRIES = 16
};

/*
 * Locks a directory.  Returns false if another process has the lock, or removed
 * or replaced the directory.
 */
static bool
lock_dir(int parent_fd, const char *name, int fd)
{
	struct stat opened;
	struct stat there;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 &&
	    fstatat(parent_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fs_same(&opened, &there);
}

int
scratch_make(
    const struct paths *paths, struct scratch *ret_scratch, struct diag *dg)
{
	cleanup_close int parent_fd = -1;

	if (fs_make_dir(paths->state_fd, SCRATCH, 0700, &parent_fd, dg) != 0)
		return diag_wrap(dg, "%s", paths->state_dir);
	for (int i = 0; i < TRIES; i++) {
		char name[NAME_LEN + 1];
		cleanup_close int fd = -1;

		fs_random_name(name, sizeof(name));
		if (fs_make_dir(parent_fd, name, 0700, &fd, dg) != 0) {
			/* A sweep removed it before it was opened. */
			if (diag_ignore(dg, ENOENT) == 0)
				continue;
			return diag_wrap(dg, "%s/" SCRATCH, paths->state_dir);
		}
		if (!lock_dir(parent_fd, name, fd))
			continue;
		ret_scratch->fd = steal_fd(&fd);
		ret_scratch->path =
		    xasprintf("%s/" SCRATCH "/%s", paths->state_dir, name);
		ret_scratch->parent_fd = steal_fd(&parent_fd);
		ret_scratch->name = xstrdup(name);
		return 0;
	}
	return diag_set(dg, DIAG_BUSY,
	    "%s/" SCRATCH ": the new directories are removed at once",
	    paths->state_dir);
}

void
scratch_release(struct scratch *scratch)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (scratch->name != NULL &&
	    fs_remove_tree(scratch->parent_fd, scratch->name, &dg) != 0)
		diag_warn("%s: %s", scratch->path, dg.message);
	/* The lock ends after the removal: no sweep meets a half. */
	cleanup_close_fn(&scratch->fd);
	cleanup_close_fn(&scratch->parent_fd);
	cleanup_free_fn(&scratch->path);
	cleanup_free_fn(&scratch->name);
}

size_t
scratch_sweep(const struct paths *paths)
{
	cleanup_free char *path = xasprintf("%s/" SCRATCH, paths->state_dir);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int parent_fd = fs_walk_open(paths->state_fd, SCRATCH);
	size_t failed = 0;

	if (parent_fd < 0 && errno == ENOENT)
		return 0;
	if (parent_fd < 0)
		(void)diag_set_errno(&dg, DIAG_IO, errno, "open %s", path);
	if (parent_fd < 0 || fs_list_names(parent_fd, path, &names, &dg) != 0) {
		diag_warn("%s", dg.message);
		return 1;
	}
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_diag struct diag one = DIAG_INIT;
		cleanup_close int fd = fs_walk_open(parent_fd, names.v[i]);

		/* A process that ends removes its own. */
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd >= 0 && !lock_dir(parent_fd, names.v[i], fd))
			continue;
		if (fs_remove_tree(parent_fd, names.v[i], &one) == 0)
			continue;
		diag_warn("%s: %s", path, one.message);
		failed++;
	}
	return failed;
}
