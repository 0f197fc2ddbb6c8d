/* SPDX-License-Identifier: MIT */
/* Edits the redirects in package.json and package-lock.json. */
#include "deps/npmredirect.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/jsonedit.h"
#include "deps/npmfragment.h"
#include "deps/npmlock.h"
#include "deps/npmmanifest.h"
#include "deps/npmpackage.h"
#include "deps/npmrange.h"
#include "deps/patchledger.h"

#define MANIFEST "package.json"
#define LOCK "package-lock.json"
#define OVERRIDES "overrides"
#define HEX_LEN 12
#define TARBALL "/package.tar"

bool
npmredirect_has_mark(const char *text, size_t len)
{
	return memmem(text, len, NPMREDIRECT_FRONT,
		   strlen(NPMREDIRECT_FRONT)) != NULL;
}

void
npmredirects_release(struct npmredirects *r)
{
	free(r->v);
	strvec_release(&r->paths);
}

void
npmredirects_fill(struct npmredirects *r, const struct patchledger *ledger)
{
	r->v = xcalloc(ledger->nr + 1, sizeof(*r->v));
	for (r->nr = 0; r->nr < ledger->nr; r->nr++) {
		const struct patchledger_entry *e = &ledger->v[r->nr];
		cleanup_free char *copy = patchledger_copy_path(e);

		strvec_pushf(&r->paths, "%s/" NPMPACKAGE_FILE, copy);
		r->v[r->nr] = (struct npmredirect){
			.name = e->name,
			.version = e->version,
			.path = r->paths.v[r->nr],
			.integrity = &e->integrity,
			.fragment = e->fragment,
		};
	}
}

/* What a redirect needs in a text. */
struct entry {
	const struct npmredirect *redirect; /* borrowed */
	struct npmfragment fragment;
	char *key; /* owned; NAME@VERSION */
	char *spec; /* owned; the token "file:PATH" */
	char *integrity; /* owned; the token */
};

struct list {
	struct entry *v; /* owned */
	size_t nr;
};

/* A text, and the redirects that it had and is to have. */
struct edit {
	const char *what; /* the file's name in messages */
	struct list had;
	struct list want;
	struct jsonedit changes;
};

/*
 * Parses the fragments: DIAG_DATA.  Direct dependencies come first, and the
 * order is otherwise the given one.
 */
static int
open_list(
    struct list *list, const struct npmredirects *redirects, struct diag *dg)
{
	size_t nr = redirects != NULL ? redirects->nr : 0;
	size_t ndirect = 0;

	list->v = xcalloc(nr + 1, sizeof(*list->v));
	for (; list->nr < nr; list->nr++) {
		const struct npmredirect *r = &redirects->v[list->nr];
		struct entry entry = { .redirect = r };
		struct strbuf token = STRBUF_INIT;
		size_t at = list->nr;

		if (npmfragment_parse(&entry.fragment, r->fragment, r->name,
			r->version, dg) != 0)
			return -1;
		entry.key = xasprintf("%s@%s", r->name, r->version);
		entry.spec = xasprintf("\"file:%s\"", r->path);
		strbuf_addstr(&token, "\"sha512-");
		digest_add_base64(&token, r->integrity);
		strbuf_addch(&token, '"');
		entry.integrity = strbuf_detach(&token, NULL);
		if (npmfragment_is_direct(&entry.fragment))
			at = ndirect++;
		memmove(&list->v[at + 1], &list->v[at],
		    (list->nr - at) * sizeof(*list->v));
		list->v[at] = entry;
	}
	return 0;
}

static void
close_list(struct list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		npmfragment_release(&list->v[i].fragment);
		free(list->v[i].key);
		free(list->v[i].spec);
		free(list->v[i].integrity);
	}
	free(list->v);
}

static void
edit_release(struct edit *e)
{
	close_list(&e->had);
	close_list(&e->want);
	jsonedit_release(&e->changes);
}

#define cleanup_edit __attribute__((cleanup(edit_release)))

/* Returns the entry of a package, or NULL. */
static const struct entry *
find_version(const struct list *list, const char *name, const char *version)
{
	for (size_t i = 0; i < list->nr; i++)
		if (strcmp(list->v[i].redirect->name, name) == 0 &&
		    strcmp(list->v[i].redirect->version, version) == 0)
			return &list->v[i];
	return NULL;
}

/*
 * The entry whose copy a redirect of this name leads to, of any patch; NULL if
 * spec is no redirect of ours.
 */
static const struct entry *
find_copy(const struct list *list, const char *name, const struct json *spec)
{
	const char *path;
	size_t len;
	size_t tail = HEX_LEN + strlen(TARBALL);

	if (!npmmanifest_is_ours(spec))
		return NULL;
	path = json_string(spec) + strlen("file:");
	len = strlen(path);
	for (size_t i = 0; i < list->nr; i++) {
		const struct npmredirect *r = list->v[i].redirect;

		if (strcmp(r->name, name) == 0 &&
		    (strcmp(path, r->path) == 0 ||
			(len > tail && strlen(r->path) == len &&
			    strncmp(path, r->path, len - tail) == 0 &&
			    strcmp(path + len - strlen(TARBALL), TARBALL) ==
				0)))
			return &list->v[i];
	}
	return NULL;
}

/* Refuses a redirect of ours that no list has. */
static int
refuse_orphan(const struct edit *e, const char *name, struct diag *dg)
{
	return diag_set(dg, DIAG_CONFIG,
	    "%s leads %s to a copy that " PATCHLEDGER_PATH " does not have; "
	    "restore either file, or write the range of versions there",
	    e->what, name);
}

/* Refuses values that are neither ours nor the kept ones. */
static int
refuse_changed(const struct edit *e, const struct entry *entry, struct diag *dg)
{
	return diag_set(dg, DIAG_CONFIG,
	    "%s has %s in another way than when it was patched; run: drydock "
	    "patch remove %s; then patch it again",
	    e->what, entry->key, entry->redirect->name);
}

/* The entry of want that has redirected this section's dependency. */
static const struct entry *
find_direct(const struct list *list, const char *name, size_t section)
{
	for (size_t i = 0; i < list->nr; i++)
		if (strcmp(list->v[i].redirect->name, name) == 0 &&
		    list->v[i].fragment.specs[section] != NULL)
			return &list->v[i];
	return NULL;
}

/* A range that admits a patched version would contradict the override. */
static int
judge_spec(const struct edit *e, const char *name, const struct json *spec,
    struct diag *dg)
{
	for (size_t i = 0; i < e->want.nr; i++) {
		const struct entry *entry = &e->want.v[i];

		if (strcmp(entry->redirect->name, name) == 0 &&
		    npmrange_judge(json_string_or(spec, "file:"),
			entry->redirect->version) != NPMRANGE_NO)
			return refuse_changed(e, entry, dg);
	}
	return 0;
}

static int
edit_spec(struct edit *e, size_t section, const char *name,
    const struct json *spec, struct diag *dg)
{
	const struct entry *want = find_direct(&e->want, name, section);
	const struct entry *had;

	if (npmmanifest_is_ours(spec)) {
		had = find_direct(&e->had, name, section);
		if (want != NULL)
			jsonedit_replace(&e->changes, spec, want->spec);
		else if (had != NULL)
			jsonedit_replace(
			    &e->changes, spec, had->fragment.specs[section]);
		else
			return refuse_orphan(e, name, dg);
		return 0;
	}
	if (want == NULL)
		return judge_spec(e, name, spec, dg);
	if (!jsonedit_is(e->changes.text, spec, want->fragment.specs[section]))
		return refuse_changed(e, want, dg);
	jsonedit_replace(&e->changes, spec, want->spec);
	return 0;
}

/* Redirects or restores the direct dependencies in an object's sections. */
static int
edit_sections(struct edit *e, const struct json *object, struct diag *dg)
{
	for (size_t s = 0; s < NPMMANIFEST_SECTIONS; s++) {
		const struct json *section =
		    json_get(object, npmmanifest_sections[s]);

		for (size_t i = 0; i < json_len(section); i++)
			if (edit_spec(e, s, json_key_at(section, i),
				json_value_at(section, i), dg) != 0)
				return -1;
	}
	return 0;
}

/* The index of a redirect in the list, or the list's length. */
static size_t
find_key(const struct list *list, const char *key)
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
count_kept(const struct edit *e, const struct json *overrides)
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
edit_overrides(struct edit *e, const struct json *root)
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

/* Adds the object with these redirects. */
static void
add_object(struct jsonedit *changes, const struct json *root,
    const struct jsonedit_format *f, const struct list *want)
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
add_missing(const struct list *want, const struct strbuf *text,
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
    const struct npmredirects *had, const struct npmredirects *want,
    struct strbuf *out, struct diag *dg)
{
	cleanup_edit struct edit e = { .what = MANIFEST,
		.changes = JSONEDIT_INIT(text->buf, text->len) };
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	cleanup_json struct json *root = NULL;

	if (open_list(&e.had, had, dg) != 0 ||
	    open_list(&e.want, want, dg) != 0 ||
	    npmmanifest_parse(text, &root, dg) != 0)
		return -1;
	for (size_t i = 0; i < e.want.nr; i++)
		if (npmmanifest_judge_overrides(
			root, e.want.v[i].redirect->name, dg) != 0)
			return -1;
	if (edit_sections(&e, root, dg) != 0)
		return -1;
	edit_overrides(&e, root);
	jsonedit_finish(&e.changes, &own);
	return add_missing(&e.want, &own, out, dg);
}

/* Replaces a value; one that npm left out is added behind another. */
static void
put(struct edit *e, const struct json *entry, const char *key,
    const char *behind, const char *token)
{
	const struct json *old = json_get(entry, key);

	if (old != NULL)
		jsonedit_replace(&e->changes, old, token);
	else
		jsonedit_insert(&e->changes, entry,
		    jsonedit_index(entry, behind), key, token);
}

/* Returns true if the entry has the two values of the fragment. */
static bool
is_original(
    const struct edit *e, const struct json *entry, const struct npmfragment *f)
{
	return jsonedit_is(
		   e->changes.text, json_get(entry, "resolved"), f->resolved) &&
	    jsonedit_is(
		e->changes.text, json_get(entry, "integrity"), f->integrity);
}

static int
edit_package(
    struct edit *e, const char *path, const struct json *entry, struct diag *dg)
{
	const char *name = npmlock_name_of(path);
	const char *version = json_string(json_get(entry, "version"));
	bool is_ours = npmmanifest_is_ours(json_get(entry, "resolved"));
	const struct entry *want;
	const struct entry *had;

	if (name == NULL || version == NULL)
		return 0;
	want = find_version(&e->want, name, version);
	had = find_version(&e->had, name, version);
	if (!is_ours && want == NULL)
		return 0;
	if (want != NULL) {
		if (!is_ours && !is_original(e, entry, &want->fragment))
			return refuse_changed(e, want, dg);
		put(e, entry, "resolved", "version", want->spec);
		put(e, entry, "integrity", "resolved", want->integrity);
		return 0;
	}
	if (had == NULL)
		return refuse_orphan(e, name, dg);
	put(e, entry, "resolved", "version", had->fragment.resolved);
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
edit_legacy(
    struct edit *e, const char *name, const struct json *entry, struct diag *dg)
{
	const struct json *version = json_get(entry, "version");
	cleanup_strbuf struct strbuf original = STRBUF_INIT;
	const struct entry *want;
	const struct entry *had;
	bool is_ours = npmmanifest_is_ours(version);

	if (!json_is_string(version))
		return 0;
	want = is_ours ? find_copy(&e->want, name, version)
		       : find_version(&e->want, name, json_string(version));
	had = find_copy(&e->had, name, version);
	if (!is_ours && want == NULL)
		return 0;
	if (want != NULL) {
		strbuf_addf(&original, "\"%s\"", want->redirect->version);
		if (!is_ours &&
		    (!is_original(e, entry, &want->fragment) ||
			!jsonedit_is(e->changes.text, version, original.buf)))
			return refuse_changed(e, want, dg);
		jsonedit_replace(&e->changes, version, want->spec);
		if (json_get(entry, "resolved") != NULL)
			put(e, entry, "resolved", "version", want->spec);
		put(e, entry, "integrity", "version", want->integrity);
		return 0;
	}
	if (had == NULL)
		return refuse_orphan(e, name, dg);
	strbuf_addf(&original, "\"%s\"", had->redirect->version);
	jsonedit_replace(&e->changes, version, original.buf);
	put(e, entry, "resolved", "version", had->fragment.resolved);
	put(e, entry, "integrity", "version", had->fragment.integrity);
	return 0;
}

/* npm also writes the redirect where a dependent had its range. */
static int
edit_requires(struct edit *e, const struct json *package,
    const struct json *requires, struct diag *dg)
{
	for (size_t i = 0; i < json_len(requires); i++) {
		const char *name = json_key_at(requires, i);
		const struct json *value = json_value_at(requires, i);
		const struct json *range = NULL;
		const struct entry *want;
		cleanup_free char *token = NULL;

		if (!npmmanifest_is_ours(value))
			continue;
		for (size_t s = 0; range == NULL && s < NPMMANIFEST_SECTIONS;
		     s++)
			range = json_get(
			    json_get(package, npmmanifest_sections[s]), name);
		if (range == NULL)
			return refuse_orphan(e, name, dg);
		want = find_copy(&e->want, name, value);
		token = want != NULL ? xstrdup(want->spec)
				     : jsonedit_token(e->changes.text, range);
		jsonedit_replace(&e->changes, value, token);
	}
	return 0;
}

/* Recursion is bounded by JSON_MAX_DEPTH. */
static int
edit_legacy_tree(struct edit *e, const struct json *packages,
    const struct json *dependencies, const char *dir, struct diag *dg)
{
	for (size_t i = 0; i < json_len(dependencies); i++) {
		const char *name = json_key_at(dependencies, i);
		const struct json *entry = json_value_at(dependencies, i);
		cleanup_free char *place = xasprintf(
		    "%s%snode_modules/%s", dir, *dir != '\0' ? "/" : "", name);
		const struct json *package = json_get(packages, place);
		const char *path = place;

		/* A member of a workspace: the entry of its directory. */
		if (json_bool(json_get(package, "link"), false)) {
			path =
			    json_string_or(json_get(package, "resolved"), "");
			package = json_get(packages, path);
		}
		if (edit_legacy(e, name, entry, dg) != 0 ||
		    edit_requires(
			e, package, json_get(entry, "requires"), dg) != 0 ||
		    edit_legacy_tree(e, packages,
			json_get(entry, "dependencies"), path, dg) != 0)
			return -1;
	}
	return 0;
}

int
npmredirect_set_lock(const struct strbuf *text, const struct npmredirects *had,
    const struct npmredirects *want, struct strbuf *out, struct diag *dg)
{
	cleanup_edit struct edit e = { .what = LOCK,
		.changes = JSONEDIT_INIT(text->buf, text->len) };
	cleanup_json struct json *root = NULL;
	const struct json *packages;

	if (open_list(&e.had, had, dg) != 0 ||
	    open_list(&e.want, want, dg) != 0 ||
	    npmlock_parse_json(text->buf, text->len, LOCK, &root, dg) != 0)
		return -1;
	packages = json_get(root, "packages");
	for (size_t i = 0; i < json_len(packages); i++) {
		const char *path = json_key_at(packages, i);
		const struct json *entry = json_value_at(packages, i);
		int rc = *path == '\0' ? edit_sections(&e, entry, dg)
				       : edit_package(&e, path, entry, dg);

		if (rc != 0)
			return -1;
	}
	if (edit_legacy_tree(
		&e, packages, json_get(root, "dependencies"), "", dg) != 0)
		return -1;
	jsonedit_finish(&e.changes, out);
	return 0;
}
