/* SPDX-License-Identifier: MIT */
/* loop: a poll loop over watched descriptors and timers. */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"

#define RETRY_MS 10

void
loop_init(struct loop *loop)
{
	loop->stopped = false;
	loop->timers = NULL;
	loop->after = NULL;
	loop->after_arg = NULL;
	loop->nr = 0;
}

/* Reuses a hole only if the end of the array is reached. */
static size_t
find_place(struct loop *loop)
{
	if (loop->nr < LOOP_MAX)
		return loop->nr++;
	for (size_t i = 0; i < LOOP_MAX; i++) {
		if (loop->watches[i] == NULL)
			return i;
	}
	return LOOP_MAX;
}

void
loop_want(struct loop *loop, struct watch *w, short want)
{
	if (w->want == want)
		return;
	if (w->want == 0) {
		w->at = find_place(loop);
		assert(w->at < LOOP_MAX);
		loop->watches[w->at] = w;
		/* The entry may have events of its previous watch. */
		loop->polled[w->at] = (struct pollfd){ w->fd, 0, 0 };
	}
	w->want = want;
	loop->polled[w->at].events = want;
	if (want == 0) {
		loop->watches[w->at] = NULL;
		loop->polled[w->at].fd = -1;
	}
}

void
loop_close(struct loop *loop, struct watch *w)
{
	loop_want(loop, w, 0);
	cleanup_close_fn(&w->fd);
}

void
timer_arm(struct loop *loop, struct timer *t, int after_ms)
{
	timer_cancel(loop, t);
	t->due = monotime_ms() + after_ms;
	t->next = loop->timers;
	loop->timers = t;
}

void
timer_cancel(struct loop *loop, struct timer *t)
{
	if (t->due == 0)
		return;
	struct timer **at = &loop->timers;
	while (*at != NULL && *at != t)
		at = &(*at)->next;
	if (*at == t)
		*at = t->next;
	t->due = 0;
	t->next = NULL;
}

int
loop_watch_signals(struct loop *loop, struct watch *w, const int *signals,
    void (*ready)(void *arg, short events), void *arg, struct diag *dg)
{
	sigset_t set;
	(void)sigemptyset(&set);
	for (; *signals != 0; signals++)
		(void)sigaddset(&set, *signals);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "block signals");
	*w = (struct watch){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), 0,
		ready, arg, 0 };
	if (w->fd == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "signalfd");
	loop_want(loop, w, POLLIN);
	return 0;
}

int
loop_signal(const struct watch *w)
{
	struct signalfd_siginfo info;
	return read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)
	    ? (int)info.ssi_signo
	    : 0;
}

static struct timer *
first_timer(const struct loop *loop)
{
	struct timer *first = loop->timers;
	for (struct timer *t = first; t != NULL; t = t->next) {
		if (t->due < first->due)
			first = t;
	}
	return first;
}

/* Returns the time to sleep, or fires one due timer and returns 0. */
static int
run_timer(struct loop *loop)
{
	struct timer *t = first_timer(loop);
	if (t == NULL)
		return -1;
	int64_t left = t->due - monotime_ms();
	if (left > 0)
		return left < INT_MAX ? (int)left : INT_MAX;
	timer_cancel(loop, t);
	t->fired(t->arg);
	if (loop->after != NULL)
		loop->after(loop->after_arg);
	return 0;
}

/* Removes the holes: poll() refuses more entries than RLIMIT_NOFILE. */
static void
close_up(struct loop *loop)
{
	size_t n = 0;
	for (size_t i = 0; i < loop->nr; i++) {
		struct watch *w = loop->watches[i];
		if (w == NULL)
			continue;
		w->at = n;
		loop->watches[n] = w;
		loop->polled[n++] = (struct pollfd){ w->fd, w->want, 0 };
	}
	loop->nr = n;
}

/*
 * poll() failed: the kernel is short of memory, or another process lowered
 * RLIMIT_NOFILE (EINVAL).  All watches are treated as ready; they do not block.
 */
static void
suppose_ready(struct loop *loop)
{
	(void)poll(NULL, 0, RETRY_MS);
	for (size_t i = 0; i < loop->nr; i++)
		loop->polled[i].revents = loop->polled[i].events;
}

/*
 * A callback may add and remove watches.  A watch that was removed or added is
 * not called for events that were seen before.
 */
static void
call_ready(struct loop *loop)
{
	size_t n = loop->nr;
	for (size_t i = 0; i < n && !loop->stopped; i++) {
		struct watch *w = loop->watches[i];
		if (w == NULL)
			continue;
		short seen = (short)(loop->polled[i].revents &
		    (w->want | POLLERR | POLLHUP | POLLNVAL));
		loop->polled[i].revents = 0;
		if (seen == 0)
			continue;
		w->ready(w->arg, seen);
		if (loop->after != NULL)
			loop->after(loop->after_arg);
	}
}

void
loop_run(struct loop *loop)
{
	while (!loop->stopped) {
		int timeout = run_timer(loop);
		if (loop->stopped)
			return;
		close_up(loop);
		int n = poll(loop->polled, loop->nr, timeout);
		if (n == 0 || (n == -1 && errno == EINTR))
			continue;
		if (n == -1)
			suppose_ready(loop);
		call_ready(loop);
	}
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
