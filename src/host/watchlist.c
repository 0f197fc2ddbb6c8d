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
read_text(
    const struct json *value, const char *key, char **ret_text, struct diag *dg)
{
	const char *text = json_string(value);

	if (text == NULL || *text == '\0' || !text_is_plain(text))
		return diag_set(dg, DIAG_CONFIG, "%s: not plain text", key);
	free(*ret_text);
	*ret_text = xstrdup(text);
	return 0;
}

static int
read_path(struct watch_row *row, const struct json *value, struct diag *dg)
{
	const char *path = json_string(value);

	if (path == NULL || !text_is_below(path))
		return diag_set(dg, DIAG_CONFIG, "path: not a relative path");
	strvec_split(&row->path, path, '/');
	if (row->path.nr == 0 || row->path.nr > COMPONENTS_MAX)
		return diag_set(dg, DIAG_CONFIG, "path: over %d components",
		    COMPONENTS_MAX);
	return 0;
}

static int
read_member(struct watch_row *row, const char *key, const struct json *value,
    struct diag *dg)
{
	if (strcmp(key, "path") == 0)
		return read_path(row, value, dg);
	if (strcmp(key, "except") == 0)
		return read_text(value, key, &row->except, dg);
	if (strcmp(key, "keys") == 0)
		return catalog_read_list(value, key, NULL, &row->keys, dg);
	if (strcmp(key, "why") == 0)
		return read_text(value, key, &row->why, dg);
	if (strcmp(key, "source") == 0)
		return read_text(value, key, &row->source, dg);
	return diag_set(dg, DIAG_CONFIG, "unknown key \"%s\"", key);
}

static int
read_row(struct watch_row *row, const struct json *value, struct diag *dg)
{
	if (!json_is_object(value))
		return diag_set(dg, DIAG_CONFIG, "not an object");
	for (size_t i = 0; i < json_len(value); i++)
		if (read_member(row, json_key_at(value, i),
			json_value_at(value, i), dg) != 0)
			return -1;
	if (row->path.nr == 0 || row->why == NULL || row->source == NULL)
		return diag_set(
		    dg, DIAG_CONFIG, "path, why and source are needed");
	return 0;
}

static int
read_rows(struct watchlist *list, const struct json *value, const char *key,
    bool git, struct diag *dg)
{
	if (!json_is_array(value))
		return diag_set(dg, DIAG_CONFIG, "%s: not a list", key);
	for (size_t i = 0; i < json_len(value); i++) {
		struct watch_row *row;

		list->v =
		    xreallocarray(list->v, list->nr + 1, sizeof(*list->v));
		row = &list->v[list->nr++];
		*row = (struct watch_row){
			.path = STRVEC_INIT, .keys = STRVEC_INIT, .git = git
		};
		if (read_row(row, json_at(value, i), dg) != 0)
			return diag_wrap(dg, "%s: entry %zu", key, i + 1);
	}
	return 0;
}

static int
read_git(void *into, const struct json *value, struct diag *dg)
{
	return read_rows(into, value, "git", true, dg);
}

static int
read_project(void *into, const struct json *value, struct diag *dg)
{
	return read_rows(into, value, "project", false, dg);
}

int
watchlist_parse(
    const char *text, size_t len, struct watchlist *ret_list, struct diag *dg)
{
	static const struct catalog_field fields[] = {
		{ .key = "skip",
		    .list = offsetof(struct watchlist, skip),
		    .check = check_component },
		{ .key = "git", .read = read_git },
		{ .key = "project", .read = read_project },
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
