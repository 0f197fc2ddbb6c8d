/* SPDX-License-Identifier: MIT */
/* generation: replaces snapshots by one rename, and locks their directories. */
#include "sync/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"

#define SNAPSHOT "snapshot"
#define PREFIX "gen-"
#define OPEN_TRIES 100
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

static int
open_maybe(int dirfd, const char *path, int *ret_fd, struct diag *dg)
{
	*ret_fd = -1;
	return fs_open_nolinks(dirfd, path, OPEN_DIR, 0, ret_fd, dg) == 0
	    ? 0
	    : diag_ignore(dg, ENOENT);
}

static int
lock_dir(int fd, int how)
{
	int rc;

	do
		rc = flock(fd, how);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int
generation_open_unlocked(int agent_fd, int *ret_fd, struct diag *dg)
{
	return open_maybe(agent_fd, SNAPSHOT, ret_fd, dg);
}

/* Returns true if the snapshot is still the directory open as fd. */
static bool
is_current(int agent_fd, int fd)
{
	struct stat there;
	struct stat here;

	return fstat(fd, &here) == 0 &&
	    fstatat(agent_fd, SNAPSHOT, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fs_same(&here, &there);
}

int
generation_open(
    const struct paths *paths, const char *agent, int *ret_fd, struct diag *dg)
{
	cleanup_free char *path = xasprintf("agents/%s", agent);
	cleanup_close int agent_fd = -1;

	*ret_fd = -1;
	if (open_maybe(paths->state_fd, path, &agent_fd, dg) != 0)
		return -1;
	if (agent_fd < 0)
		return 0;
	for (int i = 0; i < OPEN_TRIES; i++) {
		cleanup_close int fd = -1;

		if (generation_open_unlocked(agent_fd, &fd, dg) != 0)
			return -1;
		if (fd < 0)
			return 0;
		if (lock_dir(fd, LOCK_SH) < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "lock the snapshot");
		/*
		 * A snapshot that was replaced before the lock was taken may be
		 * removed.
		 */
		if (is_current(agent_fd, fd)) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
	}
	return diag_set(dg, DIAG_BUSY,
	    "the snapshot was replaced %d times while it was opened",
	    OPEN_TRIES);
}

int
generation_make(int agent_fd, char ret_name[GENERATION_NAME_SIZE], int *ret_fd,
    struct diag *dg)
{
	cleanup_close int fd = -1;
	char random[9];

	fs_random_name(random, sizeof(random));
	(void)snprintf(ret_name, GENERATION_NAME_SIZE, PREFIX "%s", random);
	if (fs_make_dir(agent_fd, ret_name, 0700, &fd, dg) != 0)
		return -1;
	/*
	 * A shared lock like a reader's: it protects against a second writer if
	 * the writers' lock was lost.
	 */
	if (lock_dir(fd, LOCK_SH | LOCK_NB) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "lock %s", ret_name);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/*
 * The file system must support RENAME_EXCHANGE to replace a snapshot
 * atomically.
 */
static int
fail_swap(struct diag *dg)
{
	if (errno == EINVAL)
		return diag_set_errno(dg, DIAG_IO, errno,
		    "put the snapshot in its place: the file system does not "
		    "exchange directories (RENAME_EXCHANGE)");
	return diag_set_errno(
	    dg, DIAG_IO, errno, "put the snapshot in its place");
}

int
generation_swap(int agent_fd, const char *name, struct diag *dg)
{
	if (syncfs(agent_fd) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "flush the snapshot");
	if (renameat2(agent_fd, name, agent_fd, SNAPSHOT, RENAME_EXCHANGE) <
		0 &&
	    (errno != ENOENT ||
		renameat2(
		    agent_fd, name, agent_fd, SNAPSHOT, RENAME_NOREPLACE) < 0))
		return fail_swap(dg);
	if (fsync(agent_fd) < 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "flush the snapshot's directory");
	return 0;
}

/* Removes a generation unless a reader holds its lock. */
static int
remove_unread(int agent_fd, const char *name, struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;
	cleanup_close int fd = -1;

	/* A name that is not a directory has no reader. */
	if (open_maybe(agent_fd, name, &fd, &mine) != 0 &&
	    mine.errnum != ENOTDIR && mine.errnum != ELOOP) {
		diag_move(dg, &mine);
		return -1;
	}
	if (fd >= 0 && lock_dir(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return 0;
		return diag_set_errno(dg, DIAG_IO, errno, "lock %s", name);
	}
	return fs_remove_tree(agent_fd, name, dg);
}

/* Lists the generations beside the snapshot. */
static int
list_old(int agent_fd, struct strvec *old, struct diag *dg)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (fs_list_names(agent_fd, "the snapshots", &names, dg) != 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++)
		if (strncmp(names.v[i], PREFIX, strlen(PREFIX)) == 0)
			strvec_push(old, names.v[i]);
	return 0;
}

int
generation_clean(int agent_fd, struct diag *dg)
{
	cleanup_strvec struct strvec old = STRVEC_INIT;
	int rc = 0;

	if (list_old(agent_fd, &old, dg) != 0)
		return -1;
	for (size_t i = 0; i < old.nr; i++) {
		cleanup_diag struct diag mine = DIAG_INIT;

		if (remove_unread(agent_fd, old.v[i], &mine) == 0)
			continue;
		if (rc == 0)
			diag_move(dg, &mine);
		rc = -1;
	}
	return rc;
}

bool
generation_has_old(int agent_fd)
{
	cleanup_strvec struct strvec old = STRVEC_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	return list_old(agent_fd, &old, &ignored) == 0 && old.nr > 0;
}
