/* SPDX-License-Identifier: MIT */
/* Edits the overrides and the direct dependencies in a package.json. */
#include "deps/npmredirect.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/jsonedit.h"
#include "deps/npmedit.h"
#include "deps/npmmanifest.h"

#define WHAT "package.json"
#define OVERRIDES "overrides"

/* The index of a redirect in the list, or the list's length. */
static size_t
find_key(const struct npmedit_list *list, const char *key)
{
	size_t i = 0;

	while (i < list->nr && strcmp(list->v[i].key, key) != 0)
		i++;
	return i;
}

/*
 * How many redirects of the object are wanted and in the wanted order, from the
 * first.  npm takes the first override of a name for a direct dependency that
 * leads to a copy, so that the order counts.
 */
static size_t
count_kept(const struct npmedit *e, const struct json *overrides)
{
	size_t kept = 0;

	for (size_t i = 0; i < json_len(overrides); i++) {
		if (!npmmanifest_is_ours(json_value_at(overrides, i)))
			continue;
		if (find_key(&e->want, json_key_at(overrides, i)) != kept ||
		    kept == e->want.nr)
			return kept;
		kept++;
	}
	return kept;
}

/* Removes the redirects that are not wanted, and renews the others. */
static void
edit_overrides(struct npmedit *e, const struct json *root)
{
	const struct json *overrides = json_get(root, OVERRIDES);
	size_t kept = count_kept(e, overrides);
	size_t nr = json_len(overrides);
	size_t own = 0;
	size_t at;
	bool is_first = true;

	for (size_t i = 0; i < nr; i++)
		own += !npmmanifest_is_ours(json_value_at(overrides, i));
	if (nr > 0 && kept + own == 0) {
		at = jsonedit_index(root, OVERRIDES);
		jsonedit_remove(&e->changes, root, at, at == 0);
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		const struct json *value = json_value_at(overrides, i);
		bool is_ours = npmmanifest_is_ours(value);

		at = find_key(&e->want, json_key_at(overrides, i));
		if (is_ours && at >= kept) {
			jsonedit_remove(&e->changes, overrides, i, is_first);
			continue;
		}
		if (is_ours)
			jsonedit_replace(
			    &e->changes, value, e->want.v[at].spec);
		is_first = false;
	}
}

static int
edit_own(struct npmedit *e, const struct json *root, struct diag *dg)
{
	for (size_t i = 0; i < e->want.nr; i++)
		if (npmmanifest_judge_overrides(
			root, e->want.v[i].redirect->name, dg) != 0)
			return -1;
	if (npmedit_sections(e, root, dg) != 0)
		return -1;
	edit_overrides(e, root);
	return 0;
}

/* Adds the object with these redirects. */
static void
add_object(struct jsonedit *changes, const struct json *root,
    const struct jsonedit_format *f, const struct npmedit_list *want)
{
	cleanup_strbuf struct strbuf object = STRBUF_INIT;

	strbuf_addch(&object, '{');
	for (size_t i = 0; i < want->nr; i++) {
		if (i > 0)
			strbuf_addch(&object, ',');
		jsonedit_format_member(f, 2, want->v[i].key, &object);
		strbuf_addstr(&object, want->v[i].spec);
	}
	jsonedit_format_break(f, 1, &object);
	strbuf_addch(&object, '}');
	jsonedit_append(changes, root, f, 1, OVERRIDES, object.buf);
}

/* Adds the redirects that the text lacks. */
static int
add_missing(const struct npmedit_list *want, const struct strbuf *text,
    struct strbuf *out, struct diag *dg)
{
	cleanup_jsonedit struct jsonedit changes =
	    JSONEDIT_INIT(text->buf, text->len);
	cleanup_jsonedit_format struct jsonedit_format f = JSONEDIT_FORMAT_INIT;
	cleanup_json struct json *root = NULL;
	const struct json *overrides;

	if (npmmanifest_parse(text, &root, dg) != 0)
		return -1;
	jsonedit_format_read(&f, text->buf, text->len);
	overrides = json_get(root, OVERRIDES);
	if (overrides == NULL && want->nr > 0)
		add_object(&changes, root, &f, want);
	for (size_t i = 0; overrides != NULL && i < want->nr; i++)
		if (json_get(overrides, want->v[i].key) == NULL)
			jsonedit_append(&changes, overrides, &f, 2,
			    want->v[i].key, want->v[i].spec);
	jsonedit_finish(&changes, out);
	return 0;
}

int
npmredirect_set_manifest(const struct strbuf *text,
    const struct npmredirect *had, size_t nhad, const struct npmredirect *want,
    size_t nwant, struct strbuf *out, struct diag *dg)
{
	cleanup_npmedit struct npmedit e = NPMEDIT_INIT(WHAT, text);
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	cleanup_json struct json *root = NULL;

	if (npmedit_open(&e, had, nhad, want, nwant, dg) != 0 ||
	    npmmanifest_parse(text, &root, dg) != 0 ||
	    edit_own(&e, root, dg) != 0)
		return -1;
	jsonedit_finish(&e.changes, &own);
	return add_missing(&e.want, &own, out, dg);
}
