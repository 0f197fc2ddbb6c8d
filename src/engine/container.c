/* SPDX-License-Identifier: MIT */
/* container: finds containers, and starts, stops and removes them by id. */
#include "engine/container.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/api.h"
#include "engine/engine.h"

/* How often a listing is asked for again when containers vanish meanwhile. */
#define FIND_TRIES 5

#define HTTP_CONFLICT 409

static int
check_id(const char *id, struct diag *dg)
{
	if (answer_is_container_id(id))
		return 0;
	return diag_set(dg, DIAG_DATA, "'%.80s' is not a container's full id", id);
}

/* Appends it, unless the engine reliably does not know it. */
static int
inspect_one(const struct engine *engine, const char *id,
    struct container_list *list, struct diag *dg)
{
	cleanup_free char *path = xasprintf("/containers/%s/json", id);
	cleanup_json struct json *root = NULL;
	struct container *c;

	if (api_get_known(engine, path, id, &root, dg) == -1)
		return -1;
	if (root == NULL)
		return 0;
	list->v = xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
	c = &list->v[list->nr++];
	if (container_read(root, c, dg) == -1)
		return -1;
	if (strcmp(c->id, id) != 0)
		return diag_set(dg, DIAG_ENGINE,
		    "the engine was asked about container %s and answered "
		    "about %s",
		    id, c->id);
	return 0;
}

int
containers_inspect(const struct engine *engine, const char *const *ids,
    struct container_list *ret_list, struct diag *dg)
{
	cleanup_container_list struct container_list list = CONTAINER_LIST_INIT;

	for (; *ids != NULL; ids++) {
		if (check_id(*ids, dg) == -1)
			return -1;
		if (container_list_find(&list, *ids) == NULL &&
		    inspect_one(engine, *ids, &list, dg) == -1)
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
	const char *const labels[] = { label, NULL };
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	strbuf_addstr(&path, "/containers/json?all=1&");
	if (api_add_label_filter(&path, labels, dg) == -1)
		return -1;
	return api_list_ids(
	    engine, path.buf, answer_is_container_id, ret_ids, dg);
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
	    "containers came and went during %d listings; try again",
	    FIND_TRIES);
}

struct action {
	const char *method;
	const char *id;
	const char *verb; /* behind the id */
	bool may_be_gone; /* then it is done */
	int timeout_ms;
};

/*
 * 204 means done, 304 that it runs already or does not run any more.
 * *ret_status, of any other answer, says why it was refused; else 0.
 */
static int
act(const struct engine *engine, const struct action *a, int *ret_status,
    struct diag *dg)
{
	cleanup_http_answer struct http_answer answer = HTTP_ANSWER_INIT;
	cleanup_free char *path = xasprintf("/containers/%s%s", a->id, a->verb);
	const struct api_call call = {
		.method = a->method,
		.path = path,
		.timeout_ms = a->timeout_ms,
		.setting = "launch_timeout",
	};

	*ret_status = 0;
	if (check_id(a->id, dg) == -1 ||
	    api_ask(engine, &call, &answer, dg) == -1)
		return -1;
	if (answer.status == 204 || answer.status == 304 ||
	    (a->may_be_gone && api_denies(&answer, a->id)))
		return 0;
	*ret_status = answer.status;
	return api_refuse(&call, &answer, dg);
}

/* Until nobody else's removal is under way: the container may still be there. */
int
container_remove(const struct engine *engine, const char *id, struct diag *dg)
{
	const struct timespec pause = { 0, 50000000 };
	const struct action action = {
		.method = "DELETE",
		.id = id,
		.verb = "?force=1&v=1",
		.may_be_gone = true,
		.timeout_ms = engine->launch_timeout_ms,
	};
	int tries = engine->launch_timeout_ms / 50;

	for (;;) {
		cleanup_diag struct diag one = DIAG_INIT;
		int status;

		if (act(engine, &action, &status, &one) == 0)
			return 0;
		if (status != HTTP_CONFLICT || tries-- <= 0) {
			diag_move(dg, &one);
			return -1;
		}
		(void)nanosleep(&pause, NULL);
	}
}

static int
change(const struct engine *engine, const char *id, const char *verb,
    int timeout_ms, struct diag *dg)
{
	const struct action action = {
		.method = "POST",
		.id = id,
		.verb = verb,
		.timeout_ms = timeout_ms,
	};
	int status;

	return act(engine, &action, &status, dg);
}

int
container_start(const struct engine *engine, const char *id, struct diag *dg)
{
	return change(engine, id, "/start", engine->launch_timeout_ms, dg);
}

int
container_stop(
    const struct engine *engine, const char *id, int grace, struct diag *dg)
{
	cleanup_free char *action = xasprintf("/stop?t=%d", grace);

	return change(
	    engine, id, action, engine->launch_timeout_ms + grace * 1000, dg);
}
