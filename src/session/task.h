/* SPDX-License-Identifier: MIT */
/*
 * task: runs one step of a launch in a thread, beside the other steps.
 *
 * The function may use data of its own, and data that nobody changes meanwhile.
 * Its diag belongs to the task until task_join().
 */
#ifndef DRYDOCK_TASK_H
#define DRYDOCK_TASK_H

#include <pthread.h>
#include <stdbool.h>

#include "base/diag.h"

struct task {
	int (*run)(void *arg, struct diag *dg);
	void *arg;
	bool started; /* in a thread; false: ran in task_start() */
	pthread_t thread;
	int rc;
	struct diag dg; /* owned until joined */
};

/*
 * Starts run(arg) in a thread.  If no thread can be created, runs it at once.
 * Every task that was started must be joined.
 */
void task_start(
    struct task *task, int (*run)(void *arg, struct diag *dg), void *arg);

/*
 * Waits for the task and returns the result of run().  A failure goes to *dg,
 * unless *dg has one already.
 */
int task_join(struct task *task, struct diag *dg);

#endif /* DRYDOCK_TASK_H */
