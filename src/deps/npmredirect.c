/* SPDX-License-Identifier: MIT */
/* Reads how a package.json and a package-lock.json have a package. */
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
#include "deps/npmdependents.h"
#include "deps/npmfragment.h"
#include "deps/npmlock.h"
#include "deps/npmmanifest.h"
#include "deps/npmpackage.h"
#include "deps/npmrange.h"
#include "deps/patchledger.h"

#define MANIFEST "package.json"
#define LOCK "package-lock.json"

static int
set_other(struct npmredirect_found *f, const char *path, const char *why)
{
	f->locked = ECOSYSTEM_OTHER;
	f->path = path;
	f->why = why;
	return -1;
}

static const char *
member(const struct json *entry, const char *key)
{
	return json_string_or(json_get(entry, key), "");
}

/*
 * Returns true if a package above this one brings a shrinkwrap, which npm
 * follows there instead of the lock file and overrides.
 */
static bool
is_shrinkwrapped(const struct json *packages, const char *path)
{
	static const char below[] = "/node_modules/";

	for (const char *at = strstr(path, below); at != NULL;
	     at = strstr(at + 1, below)) {
		cleanup_free char *above = xstrndup(path, (size_t)(at - path));

		if (json_bool(
			json_get(json_get(packages, above), "hasShrinkwrap"),
			false))
			return true;
	}
	return false;
}

/* Returns what is wrong with an entry of the package, or NULL. */
static const char *
judge_entry(const struct json *packages, const struct json *entry,
    const char *path, const char *name, enum ecosystem_locked *ret_locked)
{
	const char *path_name = npmlock_name_of(path);
	const char *resolved = member(entry, "resolved");
	const char *real = json_string_or(json_get(entry, "name"), path_name);
	struct digest digest;

	if (json_bool(json_get(entry, "link"), false) || path_name == NULL)
		return "is a directory or link";
	if (strcmp(path_name, name) != 0 || strcmp(real, name) != 0)
		return "is an alias";
	if (json_bool(json_get(entry, "inBundle"), false))
		return "is bundled with another package";
	if (is_shrinkwrapped(packages, path))
		return "is of a package that brings its own lock file";
	if (npmmanifest_is_ours(json_get(entry, "resolved"))) {
		*ret_locked = ECOSYSTEM_REDIRECTED;
		return NULL;
	}
	if (!npmlock_is_tarball(resolved))
		return "is not from a registry";
	if (!npmlock_read_integrity(member(entry, "integrity"), &digest) ||
	    digest.kind == DIGEST_NONE)
		return "has no SHA-512";
	*ret_locked = ECOSYSTEM_ORIGINAL;
	return NULL;
}

/* Returns true if the entry is the package's, or stands in its place. */
static bool
is_package(const struct json *entry, const char *path, const char *name,
    const char *version)
{
	const char *path_name = npmlock_name_of(path);
	bool is_named = strcmp(member(entry, "name"), name) == 0 ||
	    (path_name != NULL && strcmp(path_name, name) == 0);

	if (*path == '\0' || !is_named)
		return false;
	return json_bool(json_get(entry, "link"), false) ||
	    strcmp(member(entry, "version"), version) == 0;
}

/* Returns -1 after an entry that decides: ret->locked is then OTHER. */
static int
take_entry(struct npmredirect_found *ret, const struct json *packages,
    const struct json *entry, const char *path, const char *name)
{
	enum ecosystem_locked locked;
	const char *why = judge_entry(packages, entry, path, name, &locked);

	if (why != NULL)
		return set_other(ret, path, why);
	if (ret->entry == NULL) {
		ret->locked = locked;
		ret->entry = entry;
		ret->path = path;
		return 0;
	}
	ret->is_twice = strcmp(member(entry, "resolved"),
			    member(ret->entry, "resolved")) != 0 ||
	    strcmp(member(entry, "integrity"),
		member(ret->entry, "integrity")) != 0;
	return ret->is_twice
	    ? set_other(ret, path, "differs from another entry of it")
	    : 0;
}

void
npmredirect_find_in(const struct json *packages, const char *name,
    const char *version, struct npmredirect_found *ret_found)
{
	struct npmredirect_found f = { .locked = ECOSYSTEM_ABSENT };

	for (size_t i = 0; i < json_len(packages); i++) {
		const char *path = json_key_at(packages, i);
		const struct json *entry = json_value_at(packages, i);

		if (is_package(entry, path, name, version) &&
		    take_entry(&f, packages, entry, path, name) != 0)
			break;
	}
	if (f.locked == ECOSYSTEM_ORIGINAL || f.locked == ECOSYSTEM_REDIRECTED)
		(void)npmlock_read_integrity(
		    member(f.entry, "integrity"), &f.integrity);
	if (f.locked == ECOSYSTEM_REDIRECTED)
		f.resolved = member(f.entry, "resolved") + strlen("file:");
	*ret_found = f;
}

int
npmredirect_find(const struct strbuf *lock, const char *name,
    const char *version, enum ecosystem_locked *ret_locked, char **ret_path,
    struct digest *ret_integrity, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	struct npmredirect_found f;

	if (npmlock_parse_json(lock->buf, lock->len, LOCK, &root, dg) != 0)
		return -1;
	npmredirect_find_in(json_get(root, "packages"), name, version, &f);
	*ret_locked = f.locked;
	*ret_path =
	    f.locked == ECOSYSTEM_REDIRECTED ? xstrdup(f.resolved) : NULL;
	*ret_integrity = f.integrity;
	return 0;
}

/* Returned: the bytes of a value, or NULL. */
static char *
take_token(const struct strbuf *text, const struct json *value)
{
	if (value == NULL)
		return NULL;
	return xstrndup(
	    text->buf + json_start(value), json_end(value) - json_start(value));
}

/*
 * Returned: what all entries of the package have as "deprecated", or NULL.  npm
 * drops it from redirected entries, and those that never had it get none.
 */
static char *
take_deprecated(const struct strbuf *lock, const struct json *packages,
    const char *name, const char *version)
{
	cleanup_free char *token = NULL;

	for (size_t i = 0; i < json_len(packages); i++) {
		const struct json *entry = json_value_at(packages, i);
		const struct json *value = json_get(entry, "deprecated");

		if (!is_package(entry, json_key_at(packages, i), name, version))
			continue;
		if (value == NULL ||
		    (token != NULL && !jsonedit_is(lock->buf, value, token)))
			return NULL;
		if (token == NULL)
			token = take_token(lock, value);
	}
	return steal_ptr(&token);
}

static int
find_original(const struct json *packages, const char *name,
    const char *version, const struct json **ret_entry, struct diag *dg)
{
	struct npmredirect_found f;

	npmredirect_find_in(packages, name, version, &f);
	if (f.locked == ECOSYSTEM_ABSENT)
		return diag_set(dg, DIAG_CONFIG, LOCK " does not have %s %s",
		    name, version);
	if (f.locked == ECOSYSTEM_OTHER)
		return diag_set(dg, DIAG_CONFIG,
		    LOCK ": %s %s cannot be patched: \"%.200s\" %s", name,
		    version, f.path, f.why);
	if (f.locked == ECOSYSTEM_REDIRECTED)
		return diag_set(dg, DIAG_CONFIG,
		    LOCK ": %s %s is patched already", name, version);
	*ret_entry = f.entry;
	return 0;
}

/* Takes a direct dependency of the project, if it admits the version. */
static int
take_spec(struct npmfragment *f, size_t section, const struct strbuf *text,
    const struct json *manifest, const char *name, const char *version,
    struct diag *dg)
{
	const char *key = npmfragment_sections[section];
	const struct json *value = json_get(json_get(manifest, key), name);

	if (value == NULL)
		return 0;
	switch (npmrange_judge(json_string_or(value, "file:"), version)) {
	case NPMRANGE_NO:
		return 0;
	case NPMRANGE_YES:
		f->specs[section] = take_token(text, value);
		return 0;
	case NPMRANGE_UNKNOWN:
		break;
	}
	return diag_set(dg, DIAG_CONFIG,
	    MANIFEST ": \"%s\" has %s by \"%.100s\", which drydock cannot "
		     "judge; write it as a range of versions",
	    key, name, json_string_or(value, ""));
}

/* npm copies the project's dependencies to the lock. */
static int
check_copies(const struct npmfragment *f, const struct strbuf *text,
    const struct json *packages, const char *name, struct diag *dg)
{
	const struct json *root = json_get(packages, "");

	for (size_t i = 0; i < NPMFRAGMENT_SECTIONS; i++) {
		const struct json *copy =
		    json_get(json_get(root, npmfragment_sections[i]), name);
		cleanup_free char *token = take_token(text, copy);

		if (token != NULL && f->specs[i] != NULL &&
		    strcmp(token, f->specs[i]) != 0)
			return diag_set(dg, DIAG_CONFIG,
			    LOCK " has %s by another range than " MANIFEST
				 "; run npm install first",
			    name);
	}
	return 0;
}

int
npmredirect_fragment(const struct strbuf *manifest, const struct strbuf *lock,
    const char *name, const char *version, struct strbuf *out, struct diag *dg)
{
	cleanup_npmfragment struct npmfragment f = NPMFRAGMENT_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_json struct json *lock_root = NULL;
	const struct json *packages;
	const struct json *entry;

	if (npmmanifest_parse(manifest, &root, dg) != 0 ||
	    npmlock_parse_json(lock->buf, lock->len, LOCK, &lock_root, dg) != 0)
		return -1;
	packages = json_get(lock_root, "packages");
	if (find_original(packages, name, version, &entry, dg) != 0 ||
	    npmmanifest_judge_overrides(root, name, dg) != 0)
		return -1;
	f.resolved = take_token(lock, json_get(entry, "resolved"));
	f.integrity = take_token(lock, json_get(entry, "integrity"));
	f.deprecated = take_deprecated(lock, packages, name, version);
	for (size_t i = 0; i < NPMFRAGMENT_SECTIONS; i++)
		if (take_spec(&f, i, manifest, root, name, version, dg) != 0)
			return -1;
	if (check_copies(&f, lock, packages, name, dg) != 0 ||
	    npmdependents_judge(packages, name, version, dg) != 0)
		return -1;
	npmfragment_write(&f, out);
	return 0;
}

int
npmredirect_judge(const char *fragment, const char *name, const char *version,
    const struct digest *pristine, struct diag *dg)
{
	cleanup_npmfragment struct npmfragment f = NPMFRAGMENT_INIT;
	struct digest found;

	if (npmfragment_parse(&f, fragment, name, version, &found, dg) != 0)
		return -1;
	if (digest_equal(&found, pristine))
		return 0;
	return diag_set(dg, DIAG_DATA,
	    "the kept values of %s %s have another integrity", name, version);
}

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
	for (size_t i = 0; i < ledger->nr; i++) {
		cleanup_free char *copy = patchledger_copy_path(&ledger->v[i]);

		strvec_pushf(&r->paths, "%s/" NPMPACKAGE_FILE, copy);
	}
	for (r->nr = 0; r->nr < ledger->nr; r->nr++) {
		const struct patchledger_entry *e = &ledger->v[r->nr];

		r->v[r->nr] = (struct npmredirect){
			.name = e->name,
			.version = e->version,
			.path = r->paths.v[r->nr],
			.integrity = &e->integrity,
			.fragment = e->fragment,
		};
	}
}
