/* SPDX-License-Identifier: MIT */
/* prepare: makes bind sources and mount points before the engine could. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "plan/values.h"

/*
 * The maximum number of directories to make for one source, such as
 * DIR/sidecar/conf.
 */
#define MAKE_DEPTH 4

/* Opens an absolute path; a symlink in any component is an error. */
static int
open_source(int root_fd, const char *path, int *ret_fd, struct diag *dg)
{
	return fs_open_nolinks(
	    root_fd, path[1] != '\0' ? path + 1 : ".", O_PATH, 0, ret_fd, dg);
}

/*
 * Opens the directory at path.  If it is missing and below the state directory,
 * makes it and its missing parents.  fs_make_dir() refuses a symlink.
 */
static int
make_source(const struct paths *paths, int root_fd, const char *path,
    mode_t mode, int depth, int *ret_fd, struct diag *dg)
{
	size_t len = strlen(paths->state_dir);
	cleanup_free char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');
	cleanup_close int parent_fd = -1;
	cleanup_diag struct diag missing = DIAG_INIT;

	if (open_source(root_fd, path, ret_fd, &missing) == 0)
		return 0;
	if (missing.errnum != ENOENT || depth == 0 || slash == parent ||
	    strncmp(path, paths->state_dir, len) != 0 || path[len] != '/')
		return diag_move(dg, &missing);
	*slash = '\0';
	if (make_source(
		paths, root_fd, parent, 0700, depth - 1, &parent_fd, dg) != 0)
		return -1;
	/*
	 * fsync(2) refuses an O_PATH descriptor, so open the directory for
	 * reading.
	 */
	cleanup_close_fn(&parent_fd);
	if (fs_open_dir(parent, &parent_fd, dg) != 0)
		return -1;
	return fs_make_dir(parent_fd, slash + 1, mode, ret_fd, dg);
}

/*
 * fs_chmod_fd() goes through /proc, because fchmod(2) refuses an O_PATH
 * descriptor.
 */
static int
set_owner_and_mode(const struct plan_request *request,
    const struct mount_role *role, int fd, struct stat *st, struct diag *dg)
{
	uid_t uid;
	gid_t gid;
	bool owned;
	bool moded = (st->st_mode & 07777) == role->mode;

	plan_service_ids(request, role->owner, &uid, &gid);
	owned = st->st_uid == uid && st->st_gid == gid;
	if (owned && moded)
		return 0;
	if (!owned && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "chown");
	if (!moded && fs_chmod_fd(fd, role->mode) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "chmod");
	if (fstat(fd, st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "look at it");
	return 0;
}

static int
prepare_source(const struct plan_request *request, int root_fd,
    struct plan_mount *m, struct diag *dg)
{
	const struct mount_role *role = m->role;
	cleanup_close int fd = -1;
	struct stat st;

	if (!mount_is_made(m)) {
		if (open_source(root_fd, m->source, &fd, dg) != 0)
			return -1;
	} else if (make_source(request->paths, root_fd, m->source, role->mode,
		       MAKE_DEPTH, &fd, dg) != 0) {
		return -1;
	}
	if (fstat(fd, &st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "look at it");
	if ((st.st_mode & S_IFMT) != role->type)
		return diag_set(dg, DIAG_POLICY, "is not a %s",
		    role->type == S_IFDIR ? "directory" : "socket");
	if (m->fd != -1 && !fs_same(&st, &m->st))
		return diag_set(
		    dg, DIAG_POLICY, "was replaced after it was judged");
	if (mount_is_made(m) &&
	    set_owner_and_mode(request, role, fd, &st, dg) != 0)
		return -1;
	cleanup_close_fn(&m->fd);
	m->fd = steal_fd(&fd);
	m->st = st;
	return 0;
}

/* Returns the part of target below the outer mount's target, or NULL. */
static const char *
below(const struct plan_mount *outer, const char *target)
{
	size_t len = strlen(outer->target);

	if (strncmp(target, outer->target, len) != 0 || target[len] != '/')
		return NULL;
	return target + len + 1;
}

const struct plan_mount *
plan_outer_mount(const struct plan_service *service, const struct plan_mount *m)
{
	const struct plan_mount *best = NULL;

	for (size_t i = 0; i < service->nmounts; i++) {
		const struct plan_mount *o = &service->mounts[i];

		if (below(o, m->target) != NULL &&
		    (best == NULL || strlen(o->target) > strlen(best->target)))
			best = o;
	}
	return best;
}

/*
 * Opens the directory "name" in dir_fd, and makes it if it is missing; follows
 * no symlink.  O_PATH needs no read permission: an agent may have removed that
 * from its own directory.
 */
static int
enter(int dir_fd, const char *name, int *ret_fd, struct diag *dg)
{
	static const int flags = O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags);

	if (fd == -1 && errno == ENOENT) {
		cleanup_close int made = -1;
		char path[64];
		cleanup_close int readable = -1;

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
		readable = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (readable == -1)
			return diag_set_errno(dg, DIAG_IO, errno,
			    "open the directory above %s", name);
		if (fs_make_dir(readable, name, 0700, &made, dg) != 0)
			return -1;
		fd = openat(dir_fd, name, flags);
	}
	if (fd == -1 && (errno == ELOOP || errno == ENOTDIR))
		return diag_set(
		    dg, DIAG_POLICY, "%s is not a real directory", name);
	if (fd == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "open %s", name);
	*ret_fd = fd;
	return 0;
}

static int
walk_mount_point(
    const struct plan_mount *outer, const char *rest, struct diag *dg)
{
	cleanup_free char *path = xstrdup(rest);
	cleanup_close int fd = -1;
	char *save = NULL;

	for (char *name = strtok_r(path, "/", &save); name != NULL;
	     name = strtok_r(NULL, "/", &save)) {
		int next = -1;

		if (enter(fd == -1 ? outer->fd : fd, name, &next, dg) != 0)
			return -1;
		cleanup_close_fn(&fd);
		fd = next;
	}
	return 0;
}

static int
walk_mount_points(const struct plan_service *service, struct diag *dg)
{
	for (size_t i = 0; i < service->nmounts; i++) {
		const struct plan_mount *m = &service->mounts[i];
		const struct plan_mount *outer = plan_outer_mount(service, m);

		if (outer == NULL)
			continue;
		/* The runtime would create a file there, as root. */
		if (m->role->type != S_IFDIR)
			return diag_set(dg, DIAG_POLICY,
			    "mount point %s: lies in the bind at %s, and is not a directory",
			    m->target, outer->target);
		if (walk_mount_point(outer, below(outer, m->target), dg) != 0)
			return diag_wrap(dg, "mount point %s", m->target);
	}
	return 0;
}

/*
 * Prepares all sources before the first mount point, because a mount point may
 * lie in another source.
 */
int
plan_prepare(
    const struct plan_request *request, struct plan *plan, struct diag *dg)
{
	cleanup_close int root_fd = -1;

	if (plan->nviolations != 0)
		return diag_set(dg, DIAG_BUG, "cannot prepare a refused plan");
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "open /");
	for (size_t i = 0; i < plan->nservices; i++) {
		struct plan_service *s = &plan->services[i];

		for (size_t n = 0; n < s->nmounts; n++)
			if (prepare_source(
				request, root_fd, &s->mounts[n], dg) != 0)
				return diag_wrap(
				    dg, "bind source %s", s->mounts[n].source);
	}
	for (size_t i = 0; i < plan->nservices; i++)
		if (walk_mount_points(&plan->services[i], dg) != 0)
			return -1;
	return 0;
}
