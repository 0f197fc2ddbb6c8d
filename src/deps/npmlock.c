/* SPDX-License-Identifier: MIT */
/* Reads package-lock.json. */
#include "deps/npmlock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/xalloc.h"

#define MAX_PATH ((size_t)4096)
#define MAX_NAME ((size_t)214) /* npm's own limit */

#define NAME_CHARS ASCII_ALNUM "-._~!*'()"

/* Relative, and without an empty component, "." and "..". */
static bool
path_is_sound(const char *path)
{
	if (strlen(path) > MAX_PATH || *path == '\0')
		return false;
	for (const char *p = path;; p++) {
		size_t len = strcspn(p, "/");

		if (len == 0 || strncmp(p, ".", len) == 0 ||
		    (len == 2 && strncmp(p, "..", 2) == 0))
			return false;
		p += len;
		if (*p == '\0')
			return true;
	}
}

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
	if (!path_is_sound(path))
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
