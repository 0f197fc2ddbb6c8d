/* SPDX-License-Identifier: MIT */
/*
 * Answers of the API that a test wrote down, in files of stub.d: KEY is the
 * name of the call (world-serve.c).
 *
 *   KEY.out     the body; of inspect and image-inspect a list of all that
 *               there are, out of which answers and listings come
 *   KEY.err     words of a failure: the body's message
 *   KEY.rc      the status; 0 is well, and what is below 100 is 500
 *   KEY.fault   a fault and its value, as in the world's script
 *
 * KEY.N.out and so on count for the Nth call of KEY alone.  Without any, the
 * answers are those of an engine that has nothing.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/xalloc.h"

/* NULL when there is no such file. */
static char *
read_script(const struct world *w, const char *what)
{
	cleanup_free char *nth =
	    xasprintf("%s/%s.%d.%s", w->dir, w->key, w->n, what);
	cleanup_free char *each = xasprintf("%s/%s.%s", w->dir, w->key, what);
	char *text = world_read(nth, true);

	return text != NULL ? text : world_read(each, true);
}

void
world_read_fault(struct world *w)
{
	cleanup_free char *text = read_script(w, "fault");
	int end = 0;

	w->value = xstrdup("");
	if (text == NULL || sscanf(text, "%31s%n", w->fault, &end) != 1)
		return;
	free(w->value);
	w->value = xstrdup(text + end + strspn(text + end, " "));
	w->value[strcspn(w->value, "\n")] = '\0';
}

void
world_deny(struct world *w)
{
	cleanup_free char *words = xasprintf("No such %s: %s",
	    strcmp(w->key, "image-inspect") == 0 ? "image" : "container",
	    w->subject);

	world_message(w, 404, words);
}

static bool
is_asked_for(const struct world *w, const struct json *object)
{
	const struct json *tags = json_get(object, "RepoTags");

	for (size_t i = 0; i < json_len(tags); i++)
		if (strcmp(json_string_or(json_at(tags, i), ""), w->subject) ==
		    0)
			return true;
	return strcmp(json_string_or(json_get(object, "Id"), ""), w->subject) ==
	    0;
}

/* The one of a list that is asked for. */
static void
answer_from_list(struct world *w, const char *text)
{
	cleanup_json struct json *list = world_parse(text, w->key);

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *object = json_at(list, i);
		struct jsonw *j;

		if (!is_asked_for(w, object))
			continue;
		j = jsonw_new(false);
		jsonw_node(j, object);
		if (jsonw_finish(j, &w->out, NULL) != 0)
			world_die("%s", w->key);
		return;
	}
	world_deny(w);
}

/* What is asked for by its labels is among what can be inspected. */
static void
list_all(struct world *w, const char *inspected)
{
	cleanup_free char *path = xasprintf("%s/%s", w->dir, inspected);
	cleanup_free char *text = world_read(path, true);
	cleanup_json struct json *all =
	    text == NULL ? NULL : world_parse(text, path);

	strbuf_addch(&w->out, '[');
	for (size_t i = 0; i < json_len(all); i++) {
		const struct json *object = json_at(all, i);
		const struct json *labels =
		    json_get(json_get(object, "Config"), "Labels");

		if (world_has_labels(w, labels))
			world_list(w,
			    json_string_or(json_get(object, "Id"), ""), labels);
	}
	strbuf_addstr(&w->out, "]\n");
}

static void
answer_default(struct world *w)
{
	const char *key = w->key;

	if (strcmp(key, "version") == 0)
		strbuf_addstr(&w->out, WORLD_VERSION);
	else if (strcmp(key, "info") == 0)
		strbuf_addf(&w->out,
		    "{\"ID\":\"stub\",\"DockerRootDir\":\"%s\","
		    "\"ServerVersion\":\"26.1.5\",\"OperatingSystem\":"
		    "\"Stub\",\"OSType\":\"linux\",\"CgroupVersion\":\"2\","
		    "\"SecurityOptions\":[\"name=seccomp,profile=builtin\"]}",
		    w->dir);
	else if (strcmp(key, "ps") == 0)
		list_all(w, "inspect.out");
	else if (strcmp(key, "image-ls") == 0)
		list_all(w, "image-inspect.out");
	else if (strcmp(key, "inspect") == 0 ||
	    strcmp(key, "image-inspect") == 0)
		world_deny(w);
	else if (strcmp(key, "logs") == 0)
		w->status = 200;
}

static int
read_status(const struct world *w)
{
	cleanup_free char *text = read_script(w, "rc");
	int rc = text == NULL ? 0 : (int)strtol(text, NULL, 10);

	return rc != 0 && rc < 100 ? 500 : rc;
}

void
world_recite(struct world *w)
{
	cleanup_free char *out = read_script(w, "out");
	cleanup_free char *err = read_script(w, "err");
	int status = read_status(w);

	if (status >= 400) {
		if (err != NULL)
			err[strcspn(err, "\n")] = '\0';
		world_message(w, status, err != NULL ? err : "no");
		if (err == NULL && out != NULL) {
			strbuf_reset(&w->out);
			strbuf_addstr(&w->out, out);
		}
	} else if (out == NULL) {
		answer_default(w);
	} else if (strstr(w->key, "inspect") != NULL && *out == '[') {
		answer_from_list(w, out);
	} else {
		strbuf_addstr(&w->out, out);
		w->status = 200;
	}
	if (status != 0)
		w->status = status;
}
