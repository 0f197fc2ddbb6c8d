/* SPDX-License-Identifier: MIT */
/*
 * task: one step of a launch beside the others, on a thread of its own.
 *
 * What the function uses is its own or only read meanwhile; its diag is its
 * own until task_join().
 */
#ifndef DRYDOCK_TASK_H
#define DRYDOCK_TASK_H

#include <pthread.h>
#include <stdbool.h>

#include "base/diag.h"

struct task {
	int (*run)(void *arg, struct diag *dg);
	void *arg;
	bool started; /* on a thread; else it ran when it was to start */
	pthread_t thread;
	int rc;
	struct diag dg; /* owned until joined */
};

/*
 * Starts run(arg); every task that was started is joined.  Where no thread can
 * be had it runs at once.
 */
void task_start(
    struct task *task, int (*run)(void *arg, struct diag *dg), void *arg);

/* Waits, and returns what run() did, its failure in *dg. */
int task_join(struct task *task, struct diag *dg);

#endif /* DRYDOCK_TASK_H */
