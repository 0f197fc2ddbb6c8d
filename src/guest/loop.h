/* SPDX-License-Identifier: MIT */
/*
 * loop: one epoll loop over watched descriptors and timers.
 *
 * Events are fetched one at a time, so a callback may free any watch, its own
 * too.  Watches and timers belong to their owners, who take them out before
 * they go.
 */
#ifndef DRYDOCK_LOOP_H
#define DRYDOCK_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct diag;

struct watch {
	int fd; /* borrowed */
	uint32_t want; /* what is watched for; 0: nothing, not even errors */
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

struct timer {
	int64_t due; /* monotonic milliseconds; 0: not armed */
	void (*fired)(void *arg);
	void *arg;
	struct timer *next;
};

struct loop {
	int epoll_fd; /* owned */
	bool stopped;
	struct timer *timers; /* armed ones, borrowed */
	void (*after)(void *arg); /* NULL, or called after each callback */
	void *after_arg;
};

int loop_init(struct loop *loop, struct diag *dg);
void loop_release(struct loop *loop);

/*
 * Watches w->fd for want from now on; level-triggered.  0 takes it out, which
 * must happen before the descriptor is closed.
 */
void loop_want(struct loop *loop, struct watch *w, uint32_t want);

void timer_arm(struct loop *loop, struct timer *t, int after_ms);
void timer_cancel(struct loop *loop, struct timer *t);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif /* DRYDOCK_LOOP_H */
