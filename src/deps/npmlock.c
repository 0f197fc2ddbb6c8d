/* SPDX-License-Identifier: MIT */
/* Reads package-lock.json, and finds a package and its dependents in it. */
#include "deps/npmlock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/npmmanifest.h"
#include "deps/npmrange.h"
#include "host/text.h"

#define MAX_PATH ((size_t)4096)
#define MAX_NAME ((size_t)214) /* npm's own limit */

#define NAME_CHARS ASCII_ALNUM "-._~!*'()"

static bool
name_is_sound(const char *name)
{
	size_t len = strlen(name);

	if (len > MAX_NAME)
		return false;
	if (*name == '@') {
		len = strspn(name + 1, NAME_CHARS);
		if (len == 0 || name[1] == '.' || name[1 + len] != '/')
			return false;
		name += len + 2;
	}
	return *name != '\0' && *name != '.' &&
	    name[strspn(name, NAME_CHARS)] == '\0';
}

const char *
npmlock_name_of(const char *path)
{
	static const char dir[] = "node_modules/";
	const char *found = NULL;

	for (const char *p = path; (p = strstr(p, dir)) != NULL;) {
		bool starts = p == path || p[-1] == '/';

		p += strlen(dir);
		if (starts)
			found = p;
	}
	return found;
}

/* Hashes stand between blanks, and each may have options after a '?'. */
bool
npmlock_read_integrity(const char *text, struct digest *ret)
{
	static const char mark[] = "sha512-";
	struct digest first = { .kind = DIGEST_NONE };

	for (const char *p = text; *p != '\0';) {
		size_t len = strcspn(p, " \t\r\n");
		struct digest d;

		if (strncmp(p, mark, strlen(mark)) == 0) {
			const char *hash = p + strlen(mark);

			if (!digest_parse_base64(DIGEST_SHA512, hash,
				strcspn(hash, "? \t\r\n"), &d))
				return false;
			if (first.kind != DIGEST_NONE &&
			    !digest_equal(&first, &d))
				return false;
			first = d;
		}
		p += len;
		p += strspn(p, " \t\r\n");
	}
	*ret = first;
	return true;
}

bool
npmlock_is_tarball(const char *resolved)
{
	return strncmp(resolved, "https://", 8) == 0 ||
	    strncmp(resolved, "http://", 7) == 0;
}

/* Returned: a copy; NULL stays NULL. */
static char *
copy(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

/* A member that is absent or a string; fails for any other value. */
static int
get_text(const struct json *entry, const char *key, const char **ret_text)
{
	const struct json *n = json_get(entry, key);

	*ret_text = json_string(n);
	return n == NULL || *ret_text != NULL ? 0 : -1;
}

/* Returns NULL, or static text that describes the error. */
static const char *
take_package(
    const char *path, const struct json *entry, struct npmlock_package *ret)
{
	const char *name;
	const char *version;
	const char *resolved;
	const char *integrity;

	if (!json_is_object(entry))
		return "not an object";
	if (strlen(path) > MAX_PATH || !text_is_below(path))
		return "not a path below the project";
	if (get_text(entry, "name", &name) != 0 ||
	    get_text(entry, "version", &version) != 0 ||
	    get_text(entry, "resolved", &resolved) != 0 ||
	    get_text(entry, "integrity", &integrity) != 0)
		return "a value that is not a string";
	if (name == NULL)
		name = npmlock_name_of(path);
	if (name != NULL && !name_is_sound(name))
		return "a bad name";
	if (version != NULL &&
	    (strlen(version) > MAX_NAME || *version == '\0' ||
		version[strspn(version, ASCII_ALNUM ".+-")] != '\0'))
		return "a bad version";
	if (integrity != NULL &&
	    !npmlock_read_integrity(integrity, &ret->integrity))
		return "a bad integrity";
	ret->path = xstrdup(path);
	/* A workspace's directory may have no name of its own. */
	ret->name = xstrdup(name != NULL ? name : path);
	ret->version = copy(version);
	ret->resolved = copy(resolved);
	return NULL;
}

static int
take_packages(struct npmlock *lock, const struct json *packages,
    const char *what, struct diag *dg)
{
	size_t nr = json_len(packages);

	if (nr > NPMLOCK_MAX_PACKAGES)
		return diag_set(dg, DIAG_DATA, "%s: more than %d packages",
		    what, NPMLOCK_MAX_PACKAGES);
	lock->v = xcalloc(nr + 1, sizeof(*lock->v));
	for (size_t i = 0; i < nr; i++) {
		const char *path = json_key_at(packages, i);
		const char *why;

		/* The project itself, and directories outside of it. */
		if (*path == '\0' || strncmp(path, "../", 3) == 0)
			continue;
		why = take_package(
		    path, json_value_at(packages, i), &lock->v[lock->nr]);
		if (why != NULL)
			return diag_set(
			    dg, DIAG_DATA, "%s: %s: %s", what, path, why);
		lock->nr++;
	}
	return 0;
}

static int
parse(struct npmlock *ret_lock, const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_npmlock struct npmlock lock = NPMLOCK_INIT;
	const struct json *packages;
	int64_t version;

	if (len > NPMLOCK_MAX_SIZE)
		return diag_set(dg, DIAG_DATA, "%s: more than %zu bytes", what,
		    NPMLOCK_MAX_SIZE);
	if (json_parse(text, len, what, &root, dg) != 0)
		return -1;
	if (!json_int(json_get(root, "lockfileVersion"), &version) ||
	    version < 2 || version > 3)
		return diag_set(
		    dg, DIAG_DATA, "%s: lockfileVersion is not 2 or 3", what);
	packages = json_get(root, "packages");
	if (!json_is_object(packages))
		return diag_set(
		    dg, DIAG_DATA, "%s: no object \"packages\"", what);
	lock.version = (int)version;
	if (take_packages(&lock, packages, what, dg) != 0)
		return -1;
	*ret_lock = lock;
	lock = (struct npmlock)NPMLOCK_INIT;
	*ret_root = steal_ptr(&root);
	return 0;
}

int
npmlock_parse(struct npmlock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	return parse(ret_lock, text, len, what, &root, dg);
}

int
npmlock_parse_json(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg)
{
	cleanup_npmlock struct npmlock lock = NPMLOCK_INIT;

	return parse(&lock, text, len, what, ret_root, dg);
}

void
npmlock_release(struct npmlock *lock)
{
	for (size_t i = 0; i < lock->nr; i++) {
		free(lock->v[i].path);
		free(lock->v[i].name);
		free(lock->v[i].version);
		free(lock->v[i].resolved);
	}
	free(lock->v);
	*lock = (struct npmlock)NPMLOCK_INIT;
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

bool
npmlock_is_package(const struct json *entry, const char *path, const char *name,
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

void
npmlock_find(const struct json *packages, const char *name, const char *version,
    struct npmlock_found *ret_found)
{
	struct npmlock_found f = { .locked = ECOSYSTEM_ABSENT };

	for (size_t i = 0;
	     f.locked != ECOSYSTEM_OTHER && i < json_len(packages); i++) {
		const char *path = json_key_at(packages, i);
		const struct json *entry = json_value_at(packages, i);
		enum ecosystem_locked locked = ECOSYSTEM_OTHER;
		const char *why;

		if (!npmlock_is_package(entry, path, name, version))
			continue;
		why = judge_entry(packages, entry, path, name, &locked);
		f.is_twice = why == NULL && f.entry != NULL &&
		    (strcmp(member(entry, "resolved"),
			 member(f.entry, "resolved")) != 0 ||
			strcmp(member(entry, "integrity"),
			    member(f.entry, "integrity")) != 0);
		if (f.is_twice)
			why = "differs from another entry of it";
		if (why == NULL && f.entry != NULL)
			continue;
		f.locked = why == NULL ? locked : ECOSYSTEM_OTHER;
		f.entry = entry;
		f.path = path;
		f.why = why;
	}
	if (f.locked == ECOSYSTEM_ORIGINAL || f.locked == ECOSYSTEM_REDIRECTED)
		(void)npmlock_read_integrity(
		    member(f.entry, "integrity"), &f.integrity);
	if (f.locked == ECOSYSTEM_REDIRECTED)
		f.resolved = member(f.entry, "resolved") + strlen("file:");
	*ret_found = f;
}

/* An entry of the package, of any version. */
struct place {
	const char *path;
	const struct json *entry;
};

struct dependents {
	const struct place *places; /* all of the package, sorted by path */
	size_t nr;
	const char *name;
	const char *version;
};

static int
compare_places(const void *a, const void *b)
{
	return strcmp(
	    ((const struct place *)a)->path, ((const struct place *)b)->path);
}

/* The entry that node finds from this path: in the nearest node_modules. */
static const struct json *
resolve(const struct dependents *d, const char *path)
{
	cleanup_strbuf struct strbuf at = STRBUF_INIT;
	size_t len = strlen(path);

	for (;;) {
		const struct place *found;
		struct place key = { NULL, NULL };

		strbuf_reset(&at);
		strbuf_add(&at, path, len);
		strbuf_addf(
		    &at, "%snode_modules/%s", len > 0 ? "/" : "", d->name);
		key.path = at.buf;
		found = bsearch(
		    &key, d->places, d->nr, sizeof(key), compare_places);
		if (found != NULL || len == 0)
			return found != NULL ? found->entry : NULL;
		while (len > 0 && path[len - 1] != '/')
			len--;
		if (len > 0)
			len--;
	}
}

static int
judge_spec(const struct dependents *d, const char *path, const char *spec,
    struct diag *dg)
{
	static const char front[] = "node_modules/";
	const struct json *entry = resolve(d, path);
	const char *found = json_string(json_get(entry, "version"));
	enum npmrange range;

	if (entry == NULL)
		return 0; /* optional, and not installed */
	range = npmrange_judge(spec, d->version);
	if (*path != '\0' && strncmp(path, front, strlen(front)) != 0 &&
	    range != NPMRANGE_NO)
		return diag_set(dg, DIAG_CONFIG,
		    "package-lock.json: %s, %s, depends on %s itself, and npm "
		    "update would give it the original; drydock cannot patch "
		    "it here",
		    path,
		    npmlock_name_of(path) == NULL
			? "a member of the workspace"
			: "in a member of the workspace",
		    d->name);
	if (found != NULL && strcmp(found, d->version) == 0) {
		if (range == NPMRANGE_YES)
			return 0;
		return diag_set(dg, DIAG_CONFIG,
		    "package-lock.json: %s has %s %s by \"%.80s\", which npm "
		    "does not lead to another place; drydock cannot patch it "
		    "here",
		    *path != '\0' ? path : "the project", d->name, d->version,
		    spec);
	}
	if (range == NPMRANGE_NO)
		return 0;
	return diag_set(dg, DIAG_CONFIG,
	    "package-lock.json: %s has %s %s, and its range \"%.80s\" may also "
	    "admit %s: npm would give it the patched copy; narrow that range, "
	    "or patch the other version",
	    *path != '\0' ? path : "the project", d->name,
	    found != NULL ? found : "elsewhere", spec, d->version);
}

int
npmlock_judge_dependents(const struct json *packages, const char *name,
    const char *version, struct diag *dg)
{
	cleanup_free struct place *places =
	    xcalloc(json_len(packages) + 1, sizeof(*places));
	struct dependents d = { places, 0, name, version };

	for (size_t i = 0; i < json_len(packages); i++) {
		const char *path = json_key_at(packages, i);
		const char *found = npmlock_name_of(path);

		if (found != NULL && strcmp(found, name) == 0)
			places[d.nr++] =
			    (struct place){ path, json_value_at(packages, i) };
	}
	qsort(places, d.nr, sizeof(*places), compare_places);
	for (size_t i = 0; i < json_len(packages); i++) {
		const struct json *entry = json_value_at(packages, i);

		for (size_t s = 0; s < NPMMANIFEST_SECTIONS; s++) {
			const struct json *spec = json_get(
			    json_get(entry, npmmanifest_sections[s]), name);

			if (json_is_string(spec) &&
			    judge_spec(&d, json_key_at(packages, i),
				json_string(spec), dg) != 0)
				return -1;
		}
	}
	return 0;
}
