/* SPDX-License-Identifier: MIT */
/* One epoll loop over watched descriptors and timers. */
#include "guest/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/monotime.h"

int
loop_init(struct loop *loop, struct diag *dg)
{
	*loop = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	if (loop->epoll_fd == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "epoll");
	return 0;
}

void
loop_release(struct loop *loop)
{
	if (loop->epoll_fd != -1)
		(void)close(loop->epoll_fd);
	loop->epoll_fd = -1;
	loop->timers = NULL;
}

void
loop_want(struct loop *loop, struct watch *w, uint32_t want)
{
	if (w->want == want)
		return;
	int op = EPOLL_CTL_MOD;
	if (w->want == 0)
		op = EPOLL_CTL_ADD;
	else if (want == 0)
		op = EPOLL_CTL_DEL;
	struct epoll_event ev = { .events = want, .data.ptr = w };
	/* Only a full kernel (ENOMEM, ENOSPC) says no: like malloc's no. */
	if (epoll_ctl(loop->epoll_fd, op, w->fd, &ev) == -1)
		abort();
	w->want = want;
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

/* How long to sleep; fires one timer that is due instead, answering 0. */
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

void
loop_run(struct loop *loop)
{
	while (!loop->stopped) {
		struct epoll_event ev;
		int timeout = run_timer(loop);
		if (loop->stopped)
			return;
		int n = epoll_wait(loop->epoll_fd, &ev, 1, timeout);
		if (n == 1) {
			struct watch *w = ev.data.ptr;
			w->ready(w->arg, ev.events);
			if (loop->after != NULL)
				loop->after(loop->after_arg);
		}
		assert(n != -1 || errno == EINTR);
	}
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
