/* SPDX-License-Identifier: MIT */
/* agent-sync: a strict parser of the "sync" object of agents/NAME.json. */
#include "host/agent-sync.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "host/catalog.h"
#include "host/text.h"

static const char *
check_word(const char *word)
{
	return *word != '\0' ? NULL : "is empty";
}

/* Reads a list of plain words.  An absent list is empty. */
static int
read_words(const struct json *object, const char *key, struct strvec *ret,
    struct diag *dg)
{
	const struct json *list = json_get(object, key);

	return list == NULL ? 0
			    : catalog_read_list(list, key, check_word, ret, dg);
}

static int
read_path(const struct json *object, const char *key, const char *fallback,
    char **ret_path, struct diag *dg)
{
	const struct json *value = json_get(object, key);
	const char *path = value == NULL ? fallback : json_string(value);

	if (path == NULL || !text_is_plain(path) || !text_is_below(path))
		return diag_set(
		    dg, DIAG_CONFIG, "%s: not a path below the home", key);
	*ret_path = xstrdup(path);
	return 0;
}

static int
check_keys(const struct json *object, const char *const *keys, struct diag *dg)
{
	if (!json_is_object(object))
		return diag_set(dg, DIAG_CONFIG, "not an object");
	for (size_t i = 0; i < json_len(object); i++) {
		const char *key = json_key_at(object, i);
		size_t n = 0;

		while (keys[n] != NULL && strcmp(keys[n], key) != 0)
			n++;
		if (keys[n] == NULL)
			return diag_set(
			    dg, DIAG_CONFIG, "unknown key \"%s\"", key);
	}
	return 0;
}

static int
read_source(struct agent_source *s, const struct json *object,
    const char *const *keys, struct diag *dg)
{
	if (check_keys(object, keys, dg) != 0 ||
	    read_path(object, "path", NULL, &s->from, dg) != 0 ||
	    read_path(object, "to", s->from, &s->to, dg) != 0 ||
	    read_words(object, "exclude", &s->exclude, dg) != 0 ||
	    read_words(object, "drop", &s->drop, dg) != 0 ||
	    read_words(object, "programs", &s->programs, dg) != 0)
		return -1;
	return read_words(object, "drop_at_seed", &s->drop_at_seed, dg);
}

static int
read_sources(struct agent_sources *sources, const struct json *list,
    const char *const *keys, struct diag *dg)
{
	size_t n = json_len(list);

	if (list != NULL && !json_is_array(list))
		return diag_set(dg, DIAG_CONFIG, "not a list");
	if (n == 0)
		return 0;
	sources->v = xcalloc(n, sizeof(*sources->v));
	for (size_t i = 0; i < n; i++) {
		struct agent_source *s = &sources->v[sources->nr++];

		strvec_init(&s->exclude);
		strvec_init(&s->drop);
		strvec_init(&s->drop_at_seed);
		strvec_init(&s->programs);
		if (read_source(s, json_at(list, i), keys, dg) != 0)
			return -1;
	}
	return 0;
}

int
agent_sync_read(
    struct agent_sync *sync, const struct json *value, struct diag *dg)
{
	static const char *const of_all[] = { "trees", "documents",
		"credentials", NULL };
	static const char *const of_tree[] = { "path", "exclude", NULL };
	static const char *const of_document[] = { "path", "to", "drop",
		"drop_at_seed", "programs", NULL };

	if (check_keys(value, of_all, dg) != 0)
		return diag_wrap(dg, "sync");
	if (read_sources(&sync->trees, json_get(value, "trees"), of_tree, dg) !=
	    0)
		return diag_wrap(dg, "sync: trees");
	if (read_sources(&sync->documents, json_get(value, "documents"),
		of_document, dg) != 0)
		return diag_wrap(dg, "sync: documents");
	if (read_words(value, "credentials", &sync->credentials, dg) != 0)
		return diag_wrap(dg, "sync");
	return 0;
}

bool
agent_sync_is_credential(const struct agent_sync *sync, const char *name)
{
	const struct strvec *list = &sync->credentials;

	for (size_t i = 0; i < list->nr; i++) {
		/* Some file systems ignore case. */
		if (fnmatch(list->v[i], name, FNM_CASEFOLD) == 0)
			return true;
	}
	return false;
}

bool
agent_sync_is_document(const struct agent_sync *sync, const char *name)
{
	const struct agent_sources *list = &sync->documents;

	for (size_t i = 0; i < list->nr; i++) {
		const char *from = list->v[i].from;
		const char *slash = strrchr(from, '/');
		const char *start = slash != NULL ? slash + 1 : from;

		if (strncasecmp(name, start, strlen(start)) == 0)
			return true;
	}
	return false;
}

bool
agent_source_excludes(const struct agent_source *tree, const char *path)
{
	const struct strvec *list = &tree->exclude;

	for (size_t i = 0; i < list->nr; i++) {
		if (fnmatch(list->v[i], path, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static void
release_sources(struct agent_sources *sources)
{
	for (size_t i = 0; i < sources->nr; i++) {
		struct agent_source *s = &sources->v[i];

		free(s->from);
		free(s->to);
		strvec_release(&s->exclude);
		strvec_release(&s->drop);
		strvec_release(&s->drop_at_seed);
		strvec_release(&s->programs);
	}
	free(sources->v);
	sources->v = NULL;
	sources->nr = 0;
}

void
agent_sync_release(struct agent_sync *sync)
{
	release_sources(&sync->trees);
	release_sources(&sync->documents);
	strvec_release(&sync->credentials);
}
