/* SPDX-License-Identifier: MIT */
/*
 * loop: one poll(2) loop over watched descriptors and timers.
 *
 * poll() needs nothing that could run out: epoll watches are limited per user,
 * and any other process of the same user can take them all.  The set has a
 * fixed size, and nothing is allocated after loop_init().
 *
 * A callback may free any watch, its own too.  Watches and timers belong to
 * their owners, who take them out before they go.
 */
#ifndef DRYDOCK_LOOP_H
#define DRYDOCK_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The owners limit themselves: a relay's pairs, clients, commands with three
 * streams each, and spare.
 */
#define LOOP_MAX ((size_t)2304)

struct watch {
	int fd; /* borrowed */
	short want; /* POLLIN and so on; 0: nothing, not even errors */
	void (*ready)(void *arg, short events);
	void *arg;
	size_t at; /* its place in the loop, while want is not 0 */
};

struct timer {
	int64_t due; /* monotonic milliseconds; 0: not armed */
	void (*fired)(void *arg);
	void *arg;
	struct timer *next;
};

struct loop {
	bool stopped;
	struct timer *timers; /* armed ones, borrowed */
	void (*after)(void *arg); /* NULL, or called after each callback */
	void *after_arg;
	size_t nr; /* places in use, holes included */
	struct watch *watches[LOOP_MAX]; /* borrowed; NULL: a hole */
	struct pollfd polled[LOOP_MAX];
};

void loop_init(struct loop *loop);

/*
 * Watches w->fd for want from now on; level-triggered.  0 takes it out, which
 * must happen before the descriptor is closed.  More than LOOP_MAX watches at
 * once are a bug of the caller.
 */
void loop_want(struct loop *loop, struct watch *w, short want);

void timer_arm(struct loop *loop, struct timer *t, int after_ms);
void timer_cancel(struct loop *loop, struct timer *t);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif /* DRYDOCK_LOOP_H */
