/* SPDX-License-Identifier: MIT */
/*
 * loop: a poll(2) loop over watched descriptors and timers.
 *
 * poll() is used because epoll watches are limited per user, and another
 * process of the same user can use them all.  The set has a fixed size.
 * Nothing is allocated after loop_init().
 *
 * A callback may free any watch, including its own.  Watches and timers belong
 * to their owners, which remove them from the loop before they free them.
 */
#ifndef DRYDOCK_LOOP_H
#define DRYDOCK_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;

/*
 * The owners bound their own numbers: two relays' pairs, clients, commands with
 * three streams each.  The rest is spare.
 */
#define LOOP_MAX ((size_t)3328)

struct watch {
	int fd; /* borrowed */
	short want; /* poll(2) events; 0: not watched, even for errors */
	void (*ready)(void *arg, short events);
	void *arg;
	size_t at; /* its index in the loop, while want is not 0 */
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
	size_t nr; /* entries in use, including holes */
	struct watch *watches[LOOP_MAX]; /* borrowed; NULL: a hole */
	struct pollfd polled[LOOP_MAX];
};

void loop_init(struct loop *loop);

/*
 * Watches w->fd for want, level-triggered.  0 removes the watch, which must
 * happen before the descriptor is closed.  More than LOOP_MAX watches at once
 * are a bug of the caller.
 */
void loop_want(struct loop *loop, struct watch *w, short want);

/* Removes the watch and closes its descriptor; w->fd is -1 afterwards. */
void loop_close(struct loop *loop, struct watch *w);

void timer_arm(struct loop *loop, struct timer *t, int after_ms);
void timer_cancel(struct loop *loop, struct timer *t);

/*
 * Blocks the signals (a list that ends with 0) and watches them; w->fd is -1 or
 * owned by the caller.  ready calls loop_signal(), which returns a signal that
 * arrived, or 0.
 */
int loop_watch_signals(struct loop *loop, struct watch *w, const int *signals,
    void (*ready)(void *arg, short events), void *arg, struct diag *dg);
int loop_signal(const struct watch *w);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif /* DRYDOCK_LOOP_H */
