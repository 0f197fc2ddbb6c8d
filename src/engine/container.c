/* SPDX-License-Identifier: MIT */
/* container: finds containers, and starts, stops and removes them by id. */
#include "engine/container.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/inspect.h"

/* Ids in one command line: well below any limit on arguments or answers. */
#define BATCH 100

/* How often a listing is asked for again when containers vanish meanwhile. */
#define FIND_TRIES 5

static int
check_id(const char *id, struct diag *dg)
{
	if (answer_is_container_id(id))
		return 0;
	return diag_set(dg, DIAG_DATA, "'%.80s' is no container's full id", id);
}

/* Moves what b holds to the end of a. */
static void
list_append(struct container_list *a, struct container_list *b)
{
	if (b->nr > 0) {
		a->v = xreallocarray(a->v, a->nr + b->nr, sizeof(*a->v));
		memcpy(a->v + a->nr, b->v, b->nr * sizeof(*b->v));
		a->nr += b->nr;
	}
	free(b->v);
	*b = (struct container_list)CONTAINER_LIST_INIT;
}

static int
inspect_batch(const struct engine *engine, const struct strvec *ids,
    struct container_list *ret_list, struct diag *dg)
{
	cleanup_container_list struct container_list list = CONTAINER_LIST_INIT;
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	cleanup_json struct json *root = NULL;

	if (inspect_ask(engine, "container", ids, &root, &unknown, dg) == -1 ||
	    containers_read(root, &list, dg) == -1)
		return -1;
	for (size_t i = 0; i < ids->nr; i++) {
		const char *id = ids->v[i];
		bool known = container_list_find(&list, id) != NULL;

		if (known == strvec_has(&unknown, id))
			return diag_set(dg, DIAG_ENGINE,
			    "docker inspect: no clear answer about container "
			    "%s",
			    id);
	}
	list_append(ret_list, &list);
	return 0;
}

int
containers_inspect(const struct engine *engine, const char *const *ids,
    struct container_list *ret_list, struct diag *dg)
{
	cleanup_container_list struct container_list list = CONTAINER_LIST_INIT;

	while (*ids != NULL) {
		cleanup_strvec struct strvec batch = STRVEC_INIT;

		for (; *ids != NULL && batch.nr < BATCH; ids++) {
			if (check_id(*ids, dg) == -1)
				return -1;
			if (!strvec_has(&batch, *ids))
				strvec_push(&batch, *ids);
		}
		if (inspect_batch(engine, &batch, &list, dg) == -1)
			return -1;
	}
	*ret_list = list;
	list = (struct container_list)CONTAINER_LIST_INIT;
	return 0;
}

static int
list_ids(const struct engine *engine, const char *label, struct strvec *ret_ids,
    struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_free char *filter = xasprintf("--filter=label=%s", label);
	const char *const argv[] = { engine->docker, "ps", "--all",
		"--no-trunc", filter, "--format={{.ID}}", NULL };

	if (engine_docker(engine, argv + 1, &result, dg) == -1)
		return -1;
	return answer_read_ids(
	    argv, &result, answer_is_container_id, ret_ids, dg);
}

int
containers_find(const struct engine *engine, const char *state_id,
    struct container_list *ret_list, struct diag *dg)
{
	cleanup_free char *label = xasprintf("io.drydock.state=%s", state_id);

	return containers_find_labelled(engine, label, ret_list, dg);
}

int
containers_find_labelled(const struct engine *engine, const char *label,
    struct container_list *ret_list, struct diag *dg)
{
	for (int i = 0; i < FIND_TRIES; i++) {
		cleanup_strvec struct strvec ids = STRVEC_INIT;
		cleanup_container_list struct container_list list =
		    CONTAINER_LIST_INIT;

		if (list_ids(engine, label, &ids, dg) == -1 ||
		    containers_inspect(
			engine, (const char *const *)ids.v, &list, dg) == -1)
			return -1;
		if (list.nr != ids.nr)
			continue;
		*ret_list = list;
		list = (struct container_list)CONTAINER_LIST_INIT;
		return 0;
	}
	return diag_set(dg, DIAG_ENGINE,
	    "docker ps: containers came and went during %d listings; try again",
	    FIND_TRIES);
}

/* Runs `docker ARGS... ID`; argv is what was run, the status is to judge. */
static int
act(const struct engine *engine, const char *const *args, const char *id,
    int timeout_ms, struct proc_result *result, struct strvec *argv,
    struct diag *dg)
{
	if (check_id(id, dg) == -1)
		return -1;
	strvec_push(argv, engine->docker);
	strvec_push_all(argv, args);
	strvec_push(argv, id);
	return engine_ask(
	    engine, (const char *const *)argv->v + 1, timeout_ms, result, dg);
}

/* The same, and any status but 0 is a failure. */
static int
act_well(const struct engine *engine, const char *const *args, const char *id,
    int timeout_ms, struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec argv = STRVEC_INIT;

	if (act(engine, args, id, timeout_ms, &result, &argv, dg) == -1)
		return -1;
	if (result.status == 0)
		return 0;
	return answer_failed((const char *const *)argv.v, &result, dg);
}

/*
 * One try.  *ret_again: somebody else's removal is under way, so the container
 * may still be there.
 */
static int
remove_once(const struct engine *engine, const char *id, bool *ret_again,
    struct diag *dg)
{
	static const char *const args[] = { "rm", "--force", "--volumes",
		NULL };
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strvec struct strvec unknown = STRVEC_INIT;

	*ret_again = false;
	if (act(engine, args, id, engine->launch_timeout_ms, &result, &argv,
		dg) == -1)
		return -1;
	if (result.status == 0)
		return 0;
	strvec_push(&names, id);
	if (result.err.len > 0 &&
	    answer_denies(&result.err, "container", &names, &unknown))
		return 0;
	*ret_again = strstr(result.err.buf, "already in progress") != NULL;
	return answer_failed((const char *const *)argv.v, &result, dg);
}

int
container_remove(const struct engine *engine, const char *id, struct diag *dg)
{
	const struct timespec pause = { 0, 50000000 };
	int tries = engine->launch_timeout_ms / 50;

	for (;;) {
		cleanup_diag struct diag one = DIAG_INIT;
		bool again;

		if (remove_once(engine, id, &again, &one) == 0)
			return 0;
		if (!again || tries-- <= 0) {
			diag_move(dg, &one);
			return -1;
		}
		(void)nanosleep(&pause, NULL);
	}
}

int
container_start(const struct engine *engine, const char *id, struct diag *dg)
{
	static const char *const args[] = { "start", NULL };

	return act_well(engine, args, id, engine->launch_timeout_ms, dg);
}

int
container_stop(
    const struct engine *engine, const char *id, int grace, struct diag *dg)
{
	cleanup_free char *time = xasprintf("%d", grace);
	const char *const args[] = { "stop", "-t", time, NULL };

	return act_well(
	    engine, args, id, engine->launch_timeout_ms + grace * 1000, dg);
}
