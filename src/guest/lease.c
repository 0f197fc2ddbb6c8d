/* SPDX-License-Identifier: MIT */
/* Holds, or watches, a lock that lives as long as the agent's container. */
#include "guest/lease.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/monotime.h"
#include "base/xalloc.h"

enum {
	LOOK_MS = 1000,
	RETRY_MS = 100,
};

void
lease_init(struct lease *lease, struct loop *loop, const char *socket)
{
	const char *slash = strrchr(socket, '/');
	int len = slash == NULL ? 0 : (int)(slash + 1 - socket);
	*lease = (struct lease){ .loop = loop, .fd = -1 };
	lease->path = xasprintf("%.*s" LEASE_NAME, len, socket);
}

static bool
is_in_place(const struct lease *l)
{
	struct stat own, st;
	return fstat(l->fd, &own) == 0 && lstat(l->path, &st) == 0 &&
	    own.st_dev == st.st_dev && own.st_ino == st.st_ino;
}

/*
 * Opens the file at the path instead of the open one.  The agent can put
 * anything there: nothing is followed, and a FIFO does not block.  Without a
 * regular file there, the open one stays.
 */
static void
reopen(struct lease *l, int flags)
{
	struct stat st;
	cleanup_close int fd = open(l->path,
	    flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return;
	cleanup_close_fn(&l->fd);
	l->fd = steal_fd(&fd);
}

static void
hold_look(void *arg)
{
	struct lease *l = arg;
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	if (l->fd == -1 || !is_in_place(l))
		reopen(l, O_RDONLY);
	/*
	 * Closing any descriptor of the file releases the lock, so that the
	 * lock is taken after reopen() in any case.
	 */
	bool held = l->fd != -1 && fcntl(l->fd, F_SETLK, &lock) == 0;
	bool soon = !held && monotime_ms() < l->until;
	timer_arm(l->loop, &l->look, soon ? RETRY_MS : LOOK_MS);
}

void
lease_hold(struct lease *lease)
{
	lease->look = (struct timer){ 0, hold_look, lease, NULL };
	/* A sidecar of an older version makes no file. */
	lease->until = monotime_ms() + LEASE_FIRST_MS;
	hold_look(lease);
}

static bool
is_held(const struct lease *l)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	return l->fd != -1 && fcntl(l->fd, F_GETLK, &lock) == 0 &&
	    lock.l_type != F_UNLCK;
}

/* With a root caller the agent is another user, who only has to read. */
static void
open_shared(struct lease *l)
{
	reopen(l, O_RDWR | O_CREAT);
	if (l->fd != -1)
		(void)fchmod(l->fd, 0644);
}

/* A file with contents was locked before. */
static bool
was_held(const struct lease *l)
{
	struct stat st;
	return l->fd != -1 && fstat(l->fd, &st) == 0 && st.st_size > 0;
}

static void
watch_look(void *arg)
{
	struct lease *l = arg;
	if (!is_held(l))
		open_shared(l);
	if (is_held(l)) {
		if (!was_held(l))
			(void)!pwrite(l->fd, "\n", 1, 0);
		l->until = monotime_ms() + LEASE_LOST_MS;
	} else if (monotime_ms() >= l->until) {
		l->lost(l->arg);
		return;
	}
	/* Soon: an agent that ends at once must have been seen, too. */
	timer_arm(l->loop, &l->look, was_held(l) ? LOOK_MS : RETRY_MS);
}

void
lease_watch(
    struct lease *lease, int first_ms, void (*lost)(void *arg), void *arg)
{
	lease->lost = lost;
	lease->arg = arg;
	lease->look = (struct timer){ 0, watch_look, lease, NULL };
	open_shared(lease);
	lease->until =
	    monotime_ms() + (was_held(lease) ? LEASE_LOST_MS : first_ms);
	watch_look(lease);
}

void
lease_release(struct lease *lease)
{
	if (lease->loop == NULL)
		return;
	timer_cancel(lease->loop, &lease->look);
	cleanup_close_fn(&lease->fd);
	free(lease->path);
	*lease = (struct lease){ .loop = NULL };
}
