/* SPDX-License-Identifier: MIT */
/* Edits the entries of packages in a package-lock.json. */
#include "deps/npmredirect.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/jsonedit.h"
#include "deps/npmedit.h"
#include "deps/npmlock.h"
#include "deps/npmmanifest.h"

#define WHAT "package-lock.json"

static void
replace(struct npmedit *e, const struct json *entry, const char *key,
    const char *token)
{
	jsonedit_replace(&e->changes, json_get(entry, key), token);
}

/* Replaces a value; one that npm left out is added behind another. */
static void
put(struct npmedit *e, const struct json *entry, const char *key,
    const char *behind, const char *token)
{
	if (json_get(entry, key) != NULL)
		replace(e, entry, key, token);
	else
		jsonedit_insert(&e->changes, entry,
		    jsonedit_index(entry, behind), key, token);
}

/* Returns true if the entry has the two values of the fragment. */
static bool
is_original(const struct npmedit *e, const struct json *entry,
    const struct npmfragment *f)
{
	return jsonedit_is(
		   e->changes.text, json_get(entry, "resolved"), f->resolved) &&
	    jsonedit_is(
		e->changes.text, json_get(entry, "integrity"), f->integrity);
}

static int
edit_package(struct npmedit *e, const char *path, const struct json *entry,
    struct diag *dg)
{
	const char *name = npmlock_name_of(path);
	const char *version = json_string(json_get(entry, "version"));
	bool is_ours = npmmanifest_is_ours(json_get(entry, "resolved"));
	const struct npmedit_entry *want;
	const struct npmedit_entry *had;

	if (name == NULL || version == NULL)
		return 0;
	want = npmedit_find(&e->want, name, version);
	had = npmedit_find(&e->had, name, version);
	if (!is_ours && want == NULL)
		return 0;
	if (want != NULL) {
		if (!is_ours && !is_original(e, entry, &want->fragment))
			return npmedit_refuse_changed(e, want, dg);
		replace(e, entry, "resolved", want->spec);
		put(e, entry, "integrity", "resolved", want->integrity);
		return 0;
	}
	if (had == NULL)
		return npmedit_refuse_orphan(e, name, dg);
	replace(e, entry, "resolved", had->fragment.resolved);
	put(e, entry, "integrity", "resolved", had->fragment.integrity);
	if (had->fragment.deprecated != NULL &&
	    json_get(entry, "deprecated") == NULL &&
	    json_get(entry, "integrity") != NULL)
		put(e, entry, "deprecated", "integrity",
		    had->fragment.deprecated);
	return 0;
}

/* An entry of the tree for npm 6, whose "version" leads to the copy. */
static int
edit_legacy(struct npmedit *e, const char *name, const struct json *entry,
    struct diag *dg)
{
	const struct json *version = json_get(entry, "version");
	cleanup_strbuf struct strbuf original = STRBUF_INIT;
	const struct npmedit_entry *want;
	const struct npmedit_entry *had;
	bool is_ours = npmmanifest_is_ours(version);

	if (!json_is_string(version))
		return 0;
	want = is_ours ? npmedit_find_spec(&e->want, name, version)
		       : npmedit_find(&e->want, name, json_string(version));
	had = npmedit_find_spec(&e->had, name, version);
	if (!is_ours && want == NULL)
		return 0;
	if (want != NULL) {
		strbuf_addf(&original, "\"%s\"", want->redirect->version);
		if (!is_ours &&
		    (!is_original(e, entry, &want->fragment) ||
			!jsonedit_is(e->changes.text, version, original.buf)))
			return npmedit_refuse_changed(e, want, dg);
		replace(e, entry, "version", want->spec);
		if (json_get(entry, "resolved") != NULL)
			replace(e, entry, "resolved", want->spec);
		put(e, entry, "integrity", "version", want->integrity);
		return 0;
	}
	if (had == NULL)
		return npmedit_refuse_orphan(e, name, dg);
	strbuf_addf(&original, "\"%s\"", had->redirect->version);
	replace(e, entry, "version", original.buf);
	put(e, entry, "resolved", "version", had->fragment.resolved);
	put(e, entry, "integrity", "version", had->fragment.integrity);
	return 0;
}

/* The range by which an entry of "packages" has a dependency, or NULL. */
static const struct json *
find_range(const struct json *package, const char *name)
{
	const struct json *range = NULL;

	for (size_t s = 0; range == NULL && s < NPMFRAGMENT_SECTIONS; s++)
		range =
		    json_get(json_get(package, npmfragment_sections[s]), name);
	return range;
}

/* npm also writes the redirect where a dependent had its range. */
static int
edit_requires(struct npmedit *e, const struct json *package,
    const struct json *requires, struct diag *dg)
{
	for (size_t i = 0; i < json_len(requires); i++) {
		const char *name = json_key_at(requires, i);
		const struct json *value = json_value_at(requires, i);
		const struct json *range = find_range(package, name);
		const struct npmedit_entry *want;
		cleanup_free char *token = NULL;

		if (!npmmanifest_is_ours(value))
			continue;
		want = npmedit_find_spec(&e->want, name, value);
		if (range == NULL)
			return npmedit_refuse_orphan(e, name, dg);
		if (want == NULL)
			token = xstrndup(e->changes.text + json_start(range),
			    json_end(range) - json_start(range));
		jsonedit_replace(
		    &e->changes, value, want != NULL ? want->spec : token);
	}
	return 0;
}

static int edit_legacy_tree(struct npmedit *e, const struct json *packages,
    const struct json *dependencies, const char *dir, struct diag *dg);

static int
edit_legacy_entry(struct npmedit *e, const struct json *packages,
    const char *dir, const char *name, const struct json *entry,
    struct diag *dg)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	const struct json *package;

	strbuf_addf(
	    &path, "%s%snode_modules/%s", dir, *dir != '\0' ? "/" : "", name);
	package = json_get(packages, path.buf);
	/* A member of a workspace: the entry of its directory follows. */
	if (json_bool(json_get(package, "link"), false)) {
		strbuf_reset(&path);
		strbuf_addstr(
		    &path, json_string_or(json_get(package, "resolved"), ""));
		package = json_get(packages, path.buf);
	}
	if (edit_legacy(e, name, entry, dg) != 0 ||
	    edit_requires(e, package, json_get(entry, "requires"), dg) != 0)
		return -1;
	return edit_legacy_tree(
	    e, packages, json_get(entry, "dependencies"), path.buf, dg);
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static int
edit_legacy_tree(struct npmedit *e, const struct json *packages,
    const struct json *dependencies, const char *dir, struct diag *dg)
{
	for (size_t i = 0; i < json_len(dependencies); i++)
		if (edit_legacy_entry(e, packages, dir,
			json_key_at(dependencies, i),
			json_value_at(dependencies, i), dg) != 0)
			return -1;
	return 0;
}

static int
edit_packages(struct npmedit *e, const struct json *packages, struct diag *dg)
{
	for (size_t i = 0; i < json_len(packages); i++) {
		const char *path = json_key_at(packages, i);
		const struct json *entry = json_value_at(packages, i);
		int rc = *path == '\0' ? npmedit_sections(e, entry, dg)
				       : edit_package(e, path, entry, dg);

		if (rc != 0)
			return -1;
	}
	return 0;
}

int
npmredirect_set_lock(const struct strbuf *text, const struct npmredirect *had,
    size_t nhad, const struct npmredirect *want, size_t nwant,
    struct strbuf *out, struct diag *dg)
{
	cleanup_npmedit struct npmedit e = NPMEDIT_INIT(WHAT, text);
	cleanup_json struct json *root = NULL;

	if (npmedit_open(&e, had, nhad, want, nwant, dg) != 0 ||
	    npmlock_parse_json(text->buf, text->len, WHAT, &root, dg) != 0 ||
	    edit_packages(&e, json_get(root, "packages"), dg) != 0 ||
	    edit_legacy_tree(&e, json_get(root, "packages"),
		json_get(root, "dependencies"), "", dg) != 0)
		return -1;
	jsonedit_finish(&e.changes, out);
	return 0;
}
