/* SPDX-License-Identifier: MIT */
/*
 * Bringing a child home: one poll loop over its pipes, its exit and its
 * deadline.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "base/proc-private.h"
#include "base/proc.h"

#define READ_STEP ((size_t)65536)
/* How long pipes stay open for grandchildren when the child is gone. */
#define GRACE_MS 1000
/* How long a killed child may take; one that waits for a disk takes longer. */
#define REAP_MS 5000

static void
proc_free(struct proc *p)
{
	cleanup_close_fn(&p->pidfd);
	cleanup_close_fn(&p->in);
	cleanup_close_fn(&p->out.fd);
	cleanup_close_fn(&p->err.fd);
	strbuf_release(&p->out.data);
	strbuf_release(&p->err.data);
	free(p->program);
	free(p);
}

/*
 * The zombie is not reaped before, so the number still is this group's and
 * nobody else's.
 */
static void
kill_group(const struct proc *p)
{
	if (p->pid > 0)
		(void)kill(-p->pid, SIGKILL);
}

/* write(2) that gives EPIPE and no SIGPIPE, whatever the disposition is. */
static ssize_t
write_quietly(int fd, const void *data, size_t len)
{
	const struct timespec at_once = { 0, 0 };
	sigset_t pipe_set;
	sigset_t pending;
	sigset_t old;
	bool was_pending;
	ssize_t n;
	int saved;

	(void)sigemptyset(&pipe_set);
	(void)sigaddset(&pipe_set, SIGPIPE);
	(void)sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	(void)pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	n = write(fd, data, len);
	saved = errno;
	if (n < 0 && saved == EPIPE && !was_pending)
		(void)sigtimedwait(&pipe_set, NULL, &at_once);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return n;
}

/* A child that does not read its input is not wrong; its status tells. */
static void
feed(struct proc *p)
{
	ssize_t n = 0;

	if (p->input_left > 0)
		n = write_quietly(p->in, p->input, p->input_left);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			cleanup_close_fn(&p->in);
		return;
	}
	p->input += n;
	p->input_left -= (size_t)n;
	if (p->input_left == 0)
		cleanup_close_fn(&p->in);
}

static void
give_lines(struct proc *p)
{
	const struct strbuf *sb = &p->err.data;

	while (p->on_line != NULL && p->line < sb->len) {
		const char *start = sb->buf + p->line;
		const char *end = memchr(start, '\n', sb->len - p->line);

		if (end == NULL)
			break;
		p->on_line(p->on_line_arg, start, (size_t)(end - start));
		p->line += (size_t)(end - start) + 1;
	}
}

/* The last line may lack its newline. */
static void
give_last_line(struct proc *p)
{
	const struct strbuf *sb = &p->err.data;

	give_lines(p);
	if (p->on_line != NULL && p->line < sb->len)
		p->on_line(
		    p->on_line_arg, sb->buf + p->line, sb->len - p->line);
	p->line = sb->len;
}

enum drained {
	DRAINED,
	DRAINED_TOO_MUCH, /* there is more than may be */
	DRAINED_FAILED, /* errno: what came is not all */
};

/* Reads once. */
static enum drained
drain(struct proc_stream *s)
{
	size_t room = s->max - s->data.len;
	/* One byte over the bound tells full from too much. */
	size_t want = room < READ_STEP ? room + 1 : READ_STEP;
	ssize_t n;

	strbuf_reserve(&s->data, want);
	n = read(s->fd, s->data.buf + s->data.len, want);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? DRAINED
							 : DRAINED_FAILED;
	if (n == 0) {
		cleanup_close_fn(&s->fd);
		return DRAINED;
	}
	s->data.len += (size_t)n;
	s->data.buf[s->data.len] = '\0';
	if ((size_t)n <= room)
		return DRAINED;
	strbuf_setlen(&s->data, s->max);
	return DRAINED_TOO_MUCH;
}

static enum drained
drain_both(struct proc *p, const struct pollfd pfd[5])
{
	enum drained rc = DRAINED;

	if (pfd[0].revents != 0)
		rc = drain(&p->out);
	if (rc == DRAINED && pfd[1].revents != 0)
		rc = drain(&p->err);
	return rc;
}

/* poll(2) skips negative descriptors, so closed ones need no care. */
static int
wait_for_news(struct proc *p, struct pollfd pfd[5], int64_t deadline)
{
	int ms = deadline == INT64_MAX ? -1 : monotime_left_ms(deadline);

	pfd[0] = (struct pollfd){ .fd = p->out.fd, .events = POLLIN };
	pfd[1] = (struct pollfd){ .fd = p->err.fd, .events = POLLIN };
	pfd[2] = (struct pollfd){ .fd = p->in, .events = POLLOUT };
	pfd[3] = (struct pollfd){ .fd = p->exited ? -1 : p->pidfd,
		.events = POLLIN };
	pfd[4] = (struct pollfd){ .fd = p->interrupt != NULL && !p->exited
		    ? p->interrupt->fd
		    : -1,
		.events = POLLIN };
	return poll(pfd, 5, ms);
}

/* The zombie stays; nobody who could be meant reads its input now. */
static void
note_exit(struct proc *p, int64_t *deadline)
{
	int64_t grace = monotime_ms() + GRACE_MS;

	p->exited = true;
	cleanup_close_fn(&p->in);
	if (grace < *deadline)
		*deadline = grace;
}

/*
 * Runs until the child has exited and its pipes are at their end.  After the
 * exit only a short grace is waited for pipes that grandchildren hold.
 */
static int
pump(struct proc *p, struct proc_result *ret)
{
	int64_t deadline = p->deadline;

	while (!p->exited || p->out.fd >= 0 || p->err.fd >= 0) {
		struct pollfd pfd[5];
		enum drained drained;
		int n = wait_for_news(p, pfd, deadline);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n < 0)
			continue;
		if (pfd[4].revents != 0 &&
		    p->interrupt->leave(p->interrupt->arg)) {
			ret->left = true;
			return 0;
		}
		if (pfd[2].revents != 0)
			feed(p);
		drained = drain_both(p, pfd);
		if (drained == DRAINED_FAILED)
			return -1;
		if (drained == DRAINED_TOO_MUCH) {
			ret->truncated = true;
			return 0;
		}
		give_lines(p);
		if (pfd[3].revents != 0)
			note_exit(p, &deadline);
		/* Checked by the clock: a child that never stops writing
		 * keeps poll(2) from timing out. */
		if (deadline != INT64_MAX && monotime_left_ms(deadline) == 0) {
			ret->timed_out = !p->exited;
			return 0;
		}
	}
	return 0;
}

/*
 * Waits a bounded time for a child that has exited or was killed.  Its pidfd
 * tells; the status of one that is traced comes by its tracer.
 */
static int
reap(struct proc *p, int *ret_status)
{
	int64_t deadline = monotime_ms() + REAP_MS;
	siginfo_t info;

	while (!p->exited) {
		struct pollfd pfd = { .fd = p->pidfd, .events = POLLIN };
		int n = poll(&pfd, 1, monotime_left_ms(deadline));

		if (n > 0)
			break;
		if (n == 0 || errno != EINTR) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
	memset(&info, 0, sizeof(info));
	while (waitid(P_PID, (id_t)p->pid, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -1;
	p->pid = -1;
	*ret_status =
	    info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return 0;
}

int
proc_finish(struct proc *p, struct proc_result *ret, struct diag *dg)
{
	int rc;

	proc_result_release(ret);
	rc = pump(p, ret);
	if (rc < 0)
		(void)diag_set_errno(
		    dg, DIAG_IO, errno, "wait for %s", p->program);
	/* Also after a plain exit with pipes held open: they are its own. */
	if (!ret->left && (!p->exited || p->out.fd >= 0 || p->err.fd >= 0))
		kill_group(p);
	if (!ret->left && reap(p, &ret->status) < 0)
		rc = diag_set_errno(dg, DIAG_IO, errno, "reap %s", p->program);
	give_last_line(p);
	ret->out = p->out.data;
	ret->err = p->err.data;
	strbuf_init(&p->out.data);
	strbuf_init(&p->err.data);
	proc_free(p);
	return rc;
}

void
proc_cancel(struct proc *p)
{
	int status;

	if (p == NULL)
		return;
	kill_group(p);
	if (p->pid > 0 && p->pidfd >= 0)
		(void)reap(p, &status);
	else if (p->pid > 0)
		(void)waitpid(p->pid, &status, 0);
	proc_free(p);
}
