/* SPDX-License-Identifier: MIT */
/*
 * container: finds containers; starts, stops and removes them by id, and reads
 * their logs.
 */
#include "engine/container.h"

#include <limits.h>
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

/* Maximum number of listings if containers are removed in the meantime. */
#define FIND_TRIES 5

#define LOG_HEAD_LEN 8
#define LOG_LINES "20"

enum {
	STREAM_OUT = 1,
	STREAM_ERR = 2,
	STREAM_ENGINE = 3 /* an error message of the engine */
};

static int
check_id(const char *id, struct diag *dg)
{
	if (answer_is_container_id(id))
		return 0;
	return diag_set(
	    dg, DIAG_DATA, "'%.80s' is not a container's full id", id);
}

/* Appends the container, unless the engine reports that it does not exist. */
static int
inspect_one(const struct engine *engine, const char *id,
    struct container_list *list, struct diag *dg)
{
	cleanup_free char *path = xasprintf("/containers/%s/json", id);
	cleanup_json struct json *root = NULL;
	struct container *c;

	if (api_get_known(engine, path, id, &root, dg) != 0)
		return -1;
	if (root == NULL)
		return 0;
	list->v = xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
	c = &list->v[list->nr++];
	if (container_read(root, c, dg) != 0)
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
		if (check_id(*ids, dg) != 0)
			return -1;
		if (container_list_find(&list, *ids) == NULL &&
		    inspect_one(engine, *ids, &list, dg) != 0)
			return -1;
	}
	*ret_list = list;
	list = (struct container_list)CONTAINER_LIST_INIT;
	return 0;
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
	const char *const labels[] = { label, NULL };
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	strbuf_addstr(&path, "/containers/json?all=1&");
	if (api_add_label_filter(&path, labels, dg) != 0)
		return -1;
	for (int i = 0; i < FIND_TRIES; i++) {
		cleanup_strvec struct strvec ids = STRVEC_INIT;
		cleanup_container_list struct container_list list =
		    CONTAINER_LIST_INIT;

		if (api_list_ids(engine, path.buf, answer_is_container_id, &ids,
			dg) != 0 ||
		    containers_inspect(
			engine, (const char *const *)ids.v, &list, dg) != 0)
			return -1;
		if (list.nr != ids.nr)
			continue;
		*ret_list = list;
		list = (struct container_list)CONTAINER_LIST_INIT;
		return 0;
	}
	return diag_set(dg, DIAG_ENGINE,
	    "the list of containers changed during %d queries; try again",
	    FIND_TRIES);
}

/*
 * 204 means done.  304 means that the container was already in that state.
 * *ret_status is the HTTP status of any other answer, or 0.  If gone is an id,
 * an absent container of that id is success.
 */
static int
act(const struct engine *engine, const struct api_call *call, const char *gone,
    int *ret_status, struct diag *dg)
{
	cleanup_http_answer struct http_answer answer = HTTP_ANSWER_INIT;

	*ret_status = 0;
	if (api_ask(engine, call, &answer, dg) != 0)
		return -1;
	if (answer.status == 204 || answer.status == 304 ||
	    (gone != NULL && api_denies(&answer, gone)))
		return 0;
	*ret_status = answer.status;
	return api_refuse(call, &answer, dg);
}

/*
 * Retries while another removal of the container is in progress (HTTP 409): the
 * container may still exist.
 */
int
container_remove(const struct engine *engine, const char *id, struct diag *dg)
{
	const struct timespec pause = { 0, 50000000 };
	cleanup_free char *path = xasprintf("/containers/%s?force=1&v=1", id);
	const struct api_call call = {
		.method = "DELETE",
		.path = path,
		.timeout_ms = engine->launch_timeout_ms,
		.setting = "launch_timeout",
	};
	int tries = engine->launch_timeout_ms / 50;

	if (check_id(id, dg) != 0)
		return -1;
	for (;;) {
		cleanup_diag struct diag one = DIAG_INIT;
		int status;

		if (act(engine, &call, id, &status, &one) == 0)
			return 0;
		if (status != HTTP_CONFLICT || tries-- <= 0)
			return diag_move(dg, &one);
		(void)nanosleep(&pause, NULL);
	}
}

static int
change(const struct engine *engine, const char *id, const char *verb,
    int timeout_ms, struct diag *dg)
{
	cleanup_free char *path = xasprintf("/containers/%s/%s", id, verb);
	const struct api_call call = {
		.method = "POST",
		.path = path,
		.timeout_ms = timeout_ms,
		.setting = "launch_timeout",
	};
	int status;

	return check_id(id, dg) != 0 ? -1
				     : act(engine, &call, NULL, &status, dg);
}

int
container_start(const struct engine *engine, const char *id, struct diag *dg)
{
	return change(engine, id, "start", engine->launch_timeout_ms, dg);
}

int
container_stop(
    const struct engine *engine, const char *id, int grace, struct diag *dg)
{
	cleanup_free char *verb = xasprintf("stop?t=%d", grace);

	return change(
	    engine, id, verb, engine->launch_timeout_ms + grace * 1000, dg);
}

static const char *const state_names[] = {
	[CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",
	[CONTAINER_RESTARTING] = "restarting",
	[CONTAINER_REMOVING] = "removing",
	[CONTAINER_EXITED] = "exited",
	[CONTAINER_DEAD] = "dead",
};

const char *
container_state_name(enum container_state state)
{
	return state_names[state];
}

static bool
parse_int(const struct json *n, int *ret_value)
{
	int64_t value;

	if (!json_int(n, &value) || value < INT_MIN || value > INT_MAX)
		return false;
	*ret_value = (int)value;
	return true;
}

static char *
copy_string(const struct json *object, const char *key)
{
	return xstrdup(json_string_or(json_get(object, key), ""));
}

static bool
read_state(const struct json *state, struct container *c)
{
	const char *status = json_string_or(json_get(state, "Status"), "");
	size_t i = 0;
	int pid;

	while (
	    i < ARRAY_SIZE(state_names) && strcmp(status, state_names[i]) != 0)
		i++;
	if (i == ARRAY_SIZE(state_names) ||
	    !parse_int(json_get(state, "Pid"), &pid) || pid < 0 ||
	    !parse_int(json_get(state, "ExitCode"), &c->exit_code))
		return false;
	c->state = (enum container_state)i;
	c->pid = pid;
	c->started_at = copy_string(state, "StartedAt");
	c->finished_at = copy_string(state, "FinishedAt");
	c->error = copy_string(state, "Error");
	return *c->started_at != '\0' && *c->finished_at != '\0';
}

static bool
read_config(const struct json *config, struct container *c)
{
	const struct json *labels = json_get(config, "Labels");

	if (!json_is_object(config))
		return false;
	c->session = copy_string(labels, "io.drydock.session");
	c->state_id = copy_string(labels, "io.drydock.state");
	c->role = copy_string(labels, "io.drydock.role");
	c->working_dir = copy_string(config, "WorkingDir");
	c->user = copy_string(config, "User");
	return answer_read_strings(json_get(config, "Env"), &c->env) &&
	    answer_read_strings(
		json_get(config, "Entrypoint"), &c->entrypoint) &&
	    answer_read_strings(json_get(config, "Cmd"), &c->entrypoint) &&
	    answer_read_labels(labels, &c->labels);
}

void
container_release(struct container *c)
{
	char *const owned[] = { c->id, c->name, c->created, c->image_id,
		c->session, c->state_id, c->role, c->finished_at, c->started_at,
		c->error, c->working_dir, c->user, c->network_mode,
		c->inspect };

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	strvec_release(&c->env);
	strvec_release(&c->labels);
	strvec_release(&c->entrypoint);
}

int
container_read(const struct json *object, struct container *c, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct jsonw *w;

	*c = (struct container){ .id = NULL };
	strvec_init(&c->env);
	strvec_init(&c->labels);
	strvec_init(&c->entrypoint);
	c->id = copy_string(object, "Id");
	c->name = copy_string(object, "Name");
	c->created = copy_string(object, "Created");
	c->image_id = copy_string(object, "Image");
	c->network_mode =
	    copy_string(json_get(object, "HostConfig"), "NetworkMode");
	if (!answer_is_container_id(c->id))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer about a container: '%.80s' is not an id",
		    c->id);
	if (!answer_is_image_id(c->image_id) || *c->network_mode == '\0' ||
	    !read_state(json_get(object, "State"), c) ||
	    !read_config(json_get(object, "Config"), c))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer about container %s is not complete",
		    c->id);
	w = jsonw_new(false);
	jsonw_node(w, object);
	if (jsonw_finish(w, &text, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	c->inspect = strbuf_detach(&text, NULL);
	return 0;
}

const struct container *
container_list_find(const struct container_list *list, const char *id)
{
	for (size_t i = 0; i < list->nr; i++)
		if (strcmp(list->v[i].id, id) == 0)
			return &list->v[i];
	return NULL;
}

void
container_list_release(struct container_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		container_release(&list->v[i]);
	free(list->v);
	*list = (struct container_list)CONTAINER_LIST_INIT;
}

/* Returns the length field of a frame header. */
static size_t
frame_len(const unsigned char *head)
{
	return (size_t)head[4] << 24 | (size_t)head[5] << 16 |
	    (size_t)head[6] << 8 | (size_t)head[7];
}

int
container_read_log(const char *data, size_t len, struct strbuf *out,
    struct strbuf *err, struct diag *dg)
{
	const size_t had_out = out->len;
	const size_t had_err = err->len;

	while (len > 0) {
		const unsigned char *head = (const unsigned char *)data;
		struct strbuf *to = err;
		size_t n;

		if (len < LOG_HEAD_LEN || head[1] != 0 || head[2] != 0 ||
		    head[3] != 0 || head[0] > STREAM_ENGINE ||
		    (n = frame_len(head)) > len - LOG_HEAD_LEN)
			break;
		if (head[0] == STREAM_ENGINE) {
			diag_set(dg, DIAG_ENGINE,
			    "the engine cannot read a container's log");
			diag_add_detail(dg, data + LOG_HEAD_LEN, n);
			break;
		}
		if (head[0] == STREAM_OUT)
			to = out;
		strbuf_add(to, data + LOG_HEAD_LEN, n);
		data += LOG_HEAD_LEN + n;
		len -= LOG_HEAD_LEN + n;
	}
	if (len == 0)
		return 0;
	strbuf_setlen(out, had_out);
	strbuf_setlen(err, had_err);
	/* This keeps the engine's own message. */
	return diag_set(dg, DIAG_ENGINE,
	    "the engine's answer about a container's log is truncated or "
	    "malformed");
}

int
container_ask_log(const struct engine *engine, const char *container_id,
    const char *lines, struct strbuf *out, struct strbuf *err, struct diag *dg)
{
	cleanup_http_answer struct http_answer answer = HTTP_ANSWER_INIT;
	cleanup_free char *path =
	    xasprintf("/containers/%s/logs?stdout=1&stderr=1&tail=%s",
		container_id, lines);
	const struct api_call call = {
		.method = "GET",
		.path = path,
		.timeout_ms = engine->timeout_ms,
		.setting = "engine_timeout",
	};

	if (check_id(container_id, dg) != 0 ||
	    api_ask(engine, &call, &answer, dg) != 0)
		return -1;
	if (answer.status != 200)
		return api_refuse(&call, &answer, dg);
	return container_read_log(
	    answer.body.buf, answer.body.len, out, err, dg);
}

void
container_add_log(
    const struct engine *engine, const char *container_id, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;

	if (container_ask_log(
		engine, container_id, LOG_LINES, &out, &err, &ignored) != 0)
		return;
	(void)diag_add_detail(dg, out.buf, out.len);
	(void)diag_add_detail(dg, err.buf, err.len);
}
