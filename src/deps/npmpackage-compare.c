/* SPDX-License-Identifier: MIT */
/* Judges what a patch changes of a package: its package.json and its files. */
#include "deps/npmpackage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"

#define LABEL_MAX ((size_t)200)

static const char *const free_keys[] = { "author", "browser", "bugs",
	"contributors", "description", "devDependencies", "exports", "files",
	"homepage", "imports", "jsdelivr", "jsnext:main", "keywords", "main",
	"maintainers", "man", "module", "publishConfig", "react-native",
	"readme", "repository", "sideEffects", "style", "svelte", "type",
	"types", "typesVersions", "typings", "unpkg" };

/* npm runs them when it installs; the lock has that there are some. */
static const char *const install_scripts[] = { "dependencies", "install",
	"postinstall", "postprepare", "preinstall", "prepare", "preprepare",
	"prepublish" };

struct member {
	const char *key;
	const struct json *value;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;

	return strcmp(x->key, y->key);
}

/* Returned: an object's members, sorted by key. */
static struct member *
sorted_members(const struct json *object)
{
	size_t nr = json_len(object);
	struct member *v = xcalloc(nr + 1, sizeof(*v));

	for (size_t i = 0; i < nr; i++)
		v[i] = (struct member){ json_key_at(object, i),
			json_value_at(object, i) };
	qsort(v, nr, sizeof(*v), compare_keys);
	return v;
}

/* How two values are compared. */
enum level {
	LEVEL_PACKAGE, /* the whole document; some keys are free */
	LEVEL_SCRIPTS, /* its "scripts": only install_scripts count */
	LEVEL_VALUE,
};

static bool
is_in(const char *key, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(key, list[i]) == 0)
			return true;
	return false;
}

static bool
is_free(enum level level, const char *key)
{
	if (level == LEVEL_PACKAGE)
		return is_in(key, free_keys, ARRAY_SIZE(free_keys));
	return level == LEVEL_SCRIPTS &&
	    !is_in(key, install_scripts, ARRAY_SIZE(install_scripts));
}

static bool same(const struct json *a, const struct json *b, enum level level,
    struct strbuf *label);

/* Compares a member of both, or of one (the other's value is NULL). */
static bool
same_member(const char *key, const struct json *a, const struct json *b,
    enum level level, struct strbuf *label)
{
	bool is_scripts = level == LEVEL_PACKAGE &&
	    strcmp(key, "scripts") == 0 && (a == NULL || json_is_object(a)) &&
	    (b == NULL || json_is_object(b));
	size_t len = label->len;

	if (is_free(level, key))
		return true;
	strbuf_addf(label, "%s%s", len > 0 ? "." : "", key);
	if (label->len > LABEL_MAX)
		strbuf_setlen(label, LABEL_MAX);
	if (!same(a, b, is_scripts ? LEVEL_SCRIPTS : LEVEL_VALUE, label))
		return false;
	strbuf_setlen(label, len);
	return true;
}

static bool
same_objects(const struct json *a, const struct json *b, enum level level,
    struct strbuf *label)
{
	cleanup_free struct member *x = sorted_members(a);
	cleanup_free struct member *y = sorted_members(b);
	size_t nx = json_len(a);
	size_t ny = json_len(b);
	size_t i = 0;
	size_t j = 0;

	while (i < nx || j < ny) {
		int order = i == nx ? 1
		    : j == ny       ? -1
				    : strcmp(x[i].key, y[j].key);
		const char *key = order <= 0 ? x[i].key : y[j].key;
		const struct json *left = order <= 0 ? x[i++].value : NULL;
		const struct json *right = order >= 0 ? y[j++].value : NULL;

		if (!same_member(key, left, right, level, label))
			return false;
	}
	return true;
}

static bool
same_arrays(const struct json *a, const struct json *b)
{
	cleanup_strbuf struct strbuf ignored = STRBUF_INIT;

	if (json_len(a) != json_len(b))
		return false;
	for (size_t i = 0; i < json_len(a); i++)
		if (!same(json_at(a, i), json_at(b, i), LEVEL_VALUE, &ignored))
			return false;
	return true;
}

/* If the values differ, label names where. */
static bool
same(const struct json *a, const struct json *b, enum level level,
    struct strbuf *label)
{
	/* Without scripts is without those that count. */
	if (level != LEVEL_VALUE || (json_is_object(a) && json_is_object(b)))
		return same_objects(a, b, level, label);
	if (json_is_array(a) && json_is_array(b))
		return same_arrays(a, b);
	if (json_is_string(a) && json_is_string(b))
		return strcmp(json_string(a), json_string(b)) == 0;
	if (json_number(a) != NULL && json_number(b) != NULL)
		return strcmp(json_number(a), json_number(b)) == 0;
	if (json_is_bool(a) && json_is_bool(b))
		return json_bool(a, false) == json_bool(b, false);
	return json_is_null(a) && json_is_null(b);
}

static int
parse(const char *text, size_t len, const char *which, const char *what,
    struct json **ret_root, struct diag *dg)
{
	cleanup_free char *name =
	    xasprintf("%s: the %s " NPMPACKAGE_MANIFEST, what, which);

	if (len > NPMPACKAGE_MANIFEST_MAX)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", name,
		    NPMPACKAGE_MANIFEST_MAX);
	if (json_parse(text, len, name, ret_root, dg) != 0)
		return -1;
	if (!json_is_object(*ret_root))
		return diag_set(
		    dg, DIAG_DATA, "%s: it is not a JSON object", name);
	return 0;
}

int
npmpackage_compare(const char *before, size_t before_len, const char *after,
    size_t after_len, const char *what, struct diag *dg)
{
	cleanup_json struct json *a = NULL;
	cleanup_json struct json *b = NULL;
	cleanup_strbuf struct strbuf label = STRBUF_INIT;

	/* Also a text that cannot be judged may stay as it is. */
	if (before_len == after_len &&
	    (before_len == 0 || memcmp(before, after, before_len) == 0))
		return 0;
	if (parse(before, before_len, "original", what, &a, dg) != 0 ||
	    parse(after, after_len, "patched", what, &b, dg) != 0)
		return -1;
	if (same(a, b, LEVEL_PACKAGE, &label))
		return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "%s: the patch changes \"%s\" in " NPMPACKAGE_MANIFEST
	    ", which can change what npm resolves or what its lock records; "
	    "take that out of the patch",
	    what, label.buf);
}

int
npmpackage_judge_names(
    const struct strvec *names, const char *what, struct diag *dg)
{
	static const char shrinkwrap[] = "npm-shrinkwrap.json";
	static const char bundled[] = "node_modules/";

	for (size_t i = 0; i < names->nr; i++)
		if (strcmp(names->v[i], shrinkwrap) == 0 ||
		    strncmp(names->v[i], bundled, strlen(bundled)) == 0)
			return diag_set(dg, DIAG_CONFIG,
			    "%s: the patch changes %s, which can change what "
			    "npm resolves; take that out of the patch",
			    what, names->v[i]);
	return 0;
}
