/* SPDX-License-Identifier: MIT */
/* Runs a step of a launch in a thread. */
#include "session/task.h"

#include <stddef.h>

#include "base/diag.h"

static void *
enter(void *arg)
{
	struct task *task = arg;

	task->rc = task->run(task->arg, &task->dg);
	return NULL;
}

void
task_start(struct task *task, int (*run)(void *arg, struct diag *dg), void *arg)
{
	*task = (struct task){ .run = run, .arg = arg, .dg = DIAG_INIT };
	task->started = pthread_create(&task->thread, NULL, enter, task) == 0;
	if (!task->started)
		(void)enter(task);
}

int
task_join(struct task *task, struct diag *dg)
{
	if (task->started)
		(void)pthread_join(task->thread, NULL);
	/* Keep the failure of a caller that failed already. */
	if (task->rc != 0 && dg->class == DIAG_NONE)
		diag_move(dg, &task->dg);
	diag_clear(&task->dg);
	return task->rc;
}
