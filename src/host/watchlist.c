/* SPDX-License-Identifier: MIT */
/* watchlist: parses the list of files that can run programs on the host. */
#include "host/watchlist.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "host/catalog.h"
#include "host/text.h"

enum {
	COMPONENTS_MAX = 8
};

static void
row_release(struct watch_row *row)
{
	strvec_release(&row->path);
	strvec_release(&row->keys);
	free(row->except);
	free(row->why);
	free(row->source);
}

static const char *
check_component(const char *word)
{
	return fs_is_component(word) ? NULL : "is not a file name";
}

static int
read_path(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	struct strvec *components = member;
	const char *path = json_string(value);

	if (path == NULL || !text_is_below(path))
		return diag_set(
		    dg, DIAG_CONFIG, "%s: not a relative path", key);
	strvec_split(components, path, '/');
	if (components->nr > COMPONENTS_MAX)
		return diag_set(dg, DIAG_CONFIG, "%s: over %d components", key,
		    COMPONENTS_MAX);
	return 0;
}

#define ROW(member) offsetof(struct watch_row, member)

static const struct catalog_field row_fields[] = {
	{ "path", ROW(path), read_path, NULL },
	{ "except", ROW(except), catalog_read_text, NULL },
	{ "keys", ROW(keys), NULL, NULL },
	{ "why", ROW(why), catalog_read_text, NULL },
	{ "source", ROW(source), catalog_read_text, NULL },
};

static int
read_row(struct watch_row *row, const struct json *value, struct diag *dg)
{
	if (catalog_read_object(
		value, row_fields, ARRAY_SIZE(row_fields), row, dg) != 0)
		return -1;
	if (row->path.nr == 0 || row->why == NULL || row->source == NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "path, why and source are needed");
	return 0;
}

static int
read_rows(
    void *member, const char *key, const struct json *value, struct diag *dg)
{
	struct watchlist *list = member;

	if (!json_is_array(value))
		return diag_set(dg, DIAG_CONFIG, "%s: not a list", key);
	for (size_t i = 0; i < json_len(value); i++) {
		struct watch_row *row;

		list->v =
		    xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
		row = &list->v[list->nr++];
		*row = (struct watch_row){ .path = STRVEC_INIT,
			.keys = STRVEC_INIT,
			.git = strcmp(key, "git") == 0 };
		if (read_row(row, json_at(value, i), dg) != 0)
			return diag_wrap(dg, "%s: entry %zu", key, i + 1);
	}
	return 0;
}

int
watchlist_parse(
    const char *text, size_t len, struct watchlist *ret_list, struct diag *dg)
{
	static const struct catalog_field fields[] = {
		{ "skip", offsetof(struct watchlist, skip), NULL,
		    check_component },
		{ "git", 0, read_rows, NULL },
		{ "project", 0, read_rows, NULL },
	};
	cleanup_watchlist struct watchlist list = WATCHLIST_INIT;

	if (catalog_parse(WATCHLIST_NAME, text, len, fields, ARRAY_SIZE(fields),
		&list, dg) != 0)
		return -1;
	*ret_list = list;
	list = (struct watchlist)WATCHLIST_INIT;
	return 0;
}

void
watchlist_release(struct watchlist *list)
{
	for (size_t i = 0; i < list->nr; i++)
		row_release(&list->v[i]);
	free(list->v);
	strvec_release(&list->skip);
	*list = (struct watchlist)WATCHLIST_INIT;
}
