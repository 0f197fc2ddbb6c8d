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

static const char *
check_word(const char *word)
{
	return *word != '\0' ? NULL : "is empty";
}

#define SOURCE(member) offsetof(struct agent_source, member)

static const struct catalog_field tree_fields[] = {
	{ "path", SOURCE(from), catalog_read_path, NULL },
	{ "exclude", SOURCE(exclude), NULL, check_word },
};

static const struct catalog_field document_fields[] = {
	{ "path", SOURCE(from), catalog_read_path, NULL },
	{ "to", SOURCE(to), catalog_read_path, NULL },
	{ "drop", SOURCE(drop), NULL, check_word },
	{ "drop_at_seed", SOURCE(drop_at_seed), NULL, check_word },
	{ "programs", SOURCE(programs), NULL, check_word },
};

static int
read_source(struct agent_source *s, const struct json *object, bool tree,
    struct diag *dg)
{
	if (catalog_read_object(object, tree ? tree_fields : document_fields,
		tree ? ARRAY_SIZE(tree_fields) : ARRAY_SIZE(document_fields), s,
		dg) != 0)
		return -1;
	if (s->from == NULL)
		return catalog_read_path(&s->from, "path", NULL, dg);
	if (s->to == NULL)
		s->to = xstrdup(s->from);
	return 0;
}

static int
read_sources(
    void *member, const char *key, const struct json *list, struct diag *dg)
{
	struct agent_sources *sources = member;
	bool tree = strcmp(key, "trees") == 0;

	if (!json_is_array(list))
		return diag_set(dg, DIAG_CONFIG, "%s: not a list", key);
	sources->v = xcalloc(json_len(list) + 1, sizeof(*sources->v));
	for (size_t i = 0; i < json_len(list); i++) {
		struct agent_source *s = &sources->v[sources->nr++];

		strvec_init(&s->exclude);
		strvec_init(&s->drop);
		strvec_init(&s->drop_at_seed);
		strvec_init(&s->programs);
		if (read_source(s, json_at(list, i), tree, dg) != 0)
			return diag_wrap(dg, "%s", key);
	}
	return 0;
}

#define SYNC(member) offsetof(struct agent_sync, member)

static const struct catalog_field fields[] = {
	{ "trees", SYNC(trees), read_sources, NULL },
	{ "documents", SYNC(documents), read_sources, NULL },
	{ "credentials", SYNC(credentials), NULL, check_word },
};

int
agent_sync_read(
    void *sync, const char *key, const struct json *value, struct diag *dg)
{
	return catalog_read_object(
		   value, fields, ARRAY_SIZE(fields), sync, dg) == 0
	    ? 0
	    : diag_wrap(dg, "%s", key);
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
