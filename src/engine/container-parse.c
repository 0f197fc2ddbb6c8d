/* SPDX-License-Identifier: MIT */
/* container-parse: struct container from what the engine answers of one. */
#include "engine/container.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/inspect.h"

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
parse_state(const char *word, enum container_state *ret_state)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_names); i++) {
		if (strcmp(word, state_names[i]) != 0)
			continue;
		*ret_state = (enum container_state)i;
		return true;
	}
	return false;
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
	int pid;

	if (!parse_state(
		json_string_or(json_get(state, "Status"), ""), &c->state) ||
	    !parse_int(json_get(state, "Pid"), &pid) || pid < 0 ||
	    !parse_int(json_get(state, "ExitCode"), &c->exit_code))
		return false;
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
	return inspect_strings(json_get(config, "Env"), &c->env) &&
	    inspect_strings(json_get(config, "Entrypoint"), &c->entrypoint) &&
	    inspect_strings(json_get(config, "Cmd"), &c->entrypoint) &&
	    inspect_labels(labels, &c->labels);
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
	if (jsonw_finish(w, &text, dg) == -1) {
		dg->class = DIAG_ENGINE;
		return -1;
	}
	c->inspect = strbuf_detach(&text, NULL);
	return 0;
}

int
container_parse(
    const char *text, size_t len, struct container *c, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	*c = (struct container){ .id = NULL };
	if (json_parse(text, len, "the engine's answer about a container",
		&root, dg) == -1) {
		dg->class = DIAG_ENGINE;
		return -1;
	}
	return container_read(root, c, dg);
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
