/* SPDX-License-Identifier: MIT */
/*
 * sockets: a bounded search, breadth first, with a connect(2) to each socket.
 */
#include "plan/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "plan/plan.h"
#include "plan/role.h"
#include "plan/values.h"

struct search {
	const struct plan_mount *bind; /* the one that is searched now */
	struct strvec *found;
	struct strvec todo; /* directories below the bind; "" is the bind */
	size_t entries; /* count over all binds */
	int64_t deadline;
	bool whole;
	struct diag *dg;
};

/*
 * Returns true if the socket has a listener.  A stream socket with a full queue
 * and a socket of another type count as one with a listener.  If the caller may
 * not connect, neither may the agent, which has the caller's uid.  The
 * exception is a socket that the caller owns: the agent can change its mode.
 */
static bool
is_live(int dirfd, const char *name)
{
	cleanup_close int fd =
	    openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int probe =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;

	if (fd < 0)
		return false;
	(void)snprintf(
	    address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", fd);
	if (probe >= 0 &&
	    connect(probe, (const struct sockaddr *)&address, sizeof(address)) <
		0) {
		if (errno == EACCES || errno == EPERM)
			return fstat(fd, &st) == 0 && st.st_uid == geteuid();
		return errno != ECONNREFUSED;
	}
	return true;
}

/* Returned: DIR/NAME; dir may be "". */
static char *
join(const char *dir, const char *name)
{
	return *dir == '\0' ? xstrdup(name) : xasprintf("%s/%s", dir, name);
}

static void
look_at(struct search *s, int dirfd, const char *dir, const struct dirent *e)
{
	unsigned char type = e->d_type;
	struct stat st;

	if (type == DT_UNKNOWN &&
	    fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = S_ISDIR(st.st_mode) ? DT_DIR
		    : S_ISSOCK(st.st_mode) ? DT_SOCK
					   : DT_REG;
	if (type == DT_DIR) {
		strvec_push_given(&s->todo, join(dir, e->d_name));
	} else if (type == DT_SOCK && is_live(dirfd, e->d_name)) {
		cleanup_free char *path = join(dir, e->d_name);

		strvec_pushf(s->found, "%s/%s", s->bind->source, path);
	}
}

/* The path is too long, or the disk or file server does not answer. */
static bool
is_unsearchable(int error)
{
	return error == ENAMETOOLONG || error == EIO || error == ESTALE ||
	    error == ENOTCONN;
}

/*
 * Handles a directory that cannot be read.  If the caller does not own the
 * directory, the agent cannot read it either.
 */
static int
note_closed(struct search *s, const char *dir, int error)
{
	struct stat st;

	if (error == ENOENT || error == ENOTDIR || error == ELOOP)
		return 0;
	/* Some directories in /proc fail with EINVAL. */
	if (error == EINVAL || is_unsearchable(error)) {
		s->whole = false;
		return 0;
	}
	if (error != EACCES && error != EPERM)
		return diag_set_errno(s->dg, DIAG_IO, error,
		    "look for sockets in %s/%s", s->bind->source, dir);
	if (fstatat(s->bind->fd, dir, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid == geteuid())
		s->whole = false;
	return 0;
}

static int
read_directory(struct search *s, const char *dir)
{
	cleanup_diag struct diag closed = DIAG_INIT;
	cleanup_closedir DIR *stream = NULL;
	cleanup_close int fd = -1;
	const struct dirent *e;

	if (fs_open_nolinks(s->bind->fd, *dir == '\0' ? "." : dir,
		O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, &fd, &closed) != 0)
		return note_closed(s, dir, closed.errnum);
	stream = fdopendir(fd);
	if (stream == NULL)
		return diag_set_errno(s->dg, DIAG_IO, errno,
		    "look for sockets in %s/%s", s->bind->source, dir);
	(void)steal_fd(&fd);
	while (errno = 0, (e = readdir(stream)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (++s->entries > SOCKETS_MAX_ENTRIES) {
			s->whole = false;
			return 0;
		}
		look_at(s, dirfd(stream), dir, e);
	}
	return errno == 0 ? 0 : note_closed(s, dir, errno);
}

static int
search_bind(struct search *s)
{
	strvec_push(&s->todo, "");
	for (size_t i = 0; i < s->todo.nr; i++) {
		/* strvec_push() may move the array, so copy the path. */
		cleanup_free char *dir = xstrdup(s->todo.v[i]);

		if (s->entries > SOCKETS_MAX_ENTRIES ||
		    monotime_ms() > s->deadline) {
			s->whole = false;
			return 0;
		}
		if (read_directory(s, dir) < 0)
			return -1;
	}
	return 0;
}

/*
 * Returns true for the project, its git directory and the listed binds.  All
 * other binds lie in these, are drydock's own, or are refused by the policy.
 */
static bool
is_users(const struct plan_request *request, const struct plan_mount *m)
{
	bool read_only;

	return m->role == &mount_roles[MOUNT_PROJECT] ||
	    m->role == &mount_roles[MOUNT_GIT] ||
	    plan_lists_bind(request, m->source, &read_only);
}

int
sockets_find(const struct plan_request *request, const struct plan *plan,
    struct strvec *ret_paths, bool *ret_whole, struct diag *dg)
{
	const struct plan_service *agent = plan_find(plan, "agent");
	struct search s = {
		.found = ret_paths,
		.todo = STRVEC_INIT,
		.deadline = monotime_ms() + SOCKETS_MAX_MS,
		.whole = true,
		.dg = dg,
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && agent != NULL && i < agent->nmounts;
	     i++) {
		s.bind = &agent->mounts[i];
		/*
		 * A read-only mount does not prevent connect(2), so search it
		 * too.
		 */
		if (s.bind->fd == -1 || !S_ISDIR(s.bind->st.st_mode) ||
		    !is_users(request, s.bind))
			continue;
		rc = search_bind(&s);
		strvec_release(&s.todo);
	}
	*ret_whole = s.whole;
	return rc;
}
