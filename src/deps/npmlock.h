/* SPDX-License-Identifier: MIT */
/*
 * npmlock: the packages of a package-lock.json, lockfileVersion 2 or 3.
 *
 * Reads the object "packages", whose keys are paths below the project.  A
 * document that is not strict JSON (base/json.h), an absolute path, a path with
 * ".." behind its front, a bad name or version, and an integrity that has a
 * malformed SHA-512 are DIAG_DATA; the message names the entry.
 */
#ifndef DRYDOCK_NPMLOCK_H
#define DRYDOCK_NPMLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "deps/ecosystem.h"

struct json;

#define NPMLOCK_MAX_SIZE ((size_t)32 * 1024 * 1024)
#define NPMLOCK_MAX_PACKAGES 50000

struct npmlock_package {
	char *path; /* owned; "node_modules/a/node_modules/@s/b" */
	char *name; /* owned; "@s/b" */
	char *version; /* owned; or NULL */
	char *resolved; /* owned; URL or path of the tarball, or NULL */
	/*
	 * SHA-512 of the tarball, or DIGEST_NONE: a link, a git dependency, or
	 * an old entry with SHA-1 alone, for which collisions exist.
	 */
	struct digest integrity;
};

struct npmlock {
	int version; /* 2 or 3 */
	/* owned; in the file's order; only what is below the project */
	struct npmlock_package *v;
	size_t nr;
};

#define NPMLOCK_INIT       \
	{                  \
		0, NULL, 0 \
	}

/*
 * Parses a text of at most NPMLOCK_MAX_SIZE bytes.  what is the file's name in
 * messages.  ret_lock is NPMLOCK_INIT before, and stays so on failure.
 */
int npmlock_parse(struct npmlock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg);
void npmlock_release(struct npmlock *lock);

/* Judges the text in the same way and returns the document, to be edited. */
int npmlock_parse_json(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg);

/* Returns what is behind the last "node_modules/" of a path, or NULL. */
const char *npmlock_name_of(const char *path);

/*
 * Reads the SHA-512 of an integrity.  DIGEST_NONE: it has none.  Returns false
 * if one is malformed or two differ.
 */
bool npmlock_read_integrity(const char *text, struct digest *ret);

/* Returns true if a "resolved" is the URL of a tarball (http or https). */
bool npmlock_is_tarball(const char *resolved);

/*
 * How a lock has a package: original, redirected, or other: bundled, an alias,
 * a link, from no registry, without SHA-512, or several entries that differ.
 * The texts are borrowed from the document.
 */
struct npmlock_found {
	enum ecosystem_locked locked;
	/* The entry that decides: the first, or the one that is OTHER. */
	const struct json *entry;
	const char *path; /* of the entry, or NULL: ABSENT */
	struct digest integrity; /* SHA-512, or DIGEST_NONE */
	const char *resolved; /* of REDIRECTED: the path behind "file:" */
	const char *why; /* of OTHER; static */
	bool is_twice; /* OTHER: two entries differ */
};

/* Finds a package in a lock's object "packages". */
void npmlock_find(const struct json *packages, const char *name,
    const char *version, struct npmlock_found *ret_found);

/* Returns true if the entry is the package's, or stands in its place. */
bool npmlock_is_package(const struct json *entry, const char *path,
    const char *name, const char *version);

/*
 * Fails with DIAG_CONFIG if npm would not apply the override "NAME@VERSION" to
 * exactly those dependents that have VERSION: one that has another version
 * whose range admits VERSION, one that has VERSION out of its range, and ranges
 * that cannot be judged.  A member of the workspace is refused, too, and what
 * lies in its node_modules: npm 10 applies no override to the dependencies of
 * these when it reads the lock.  packages is the lock's object.
 */
int npmlock_judge_dependents(const struct json *packages, const char *name,
    const char *version, struct diag *dg);

#define cleanup_npmlock __attribute__((cleanup(npmlock_release)))

#endif /* DRYDOCK_NPMLOCK_H */
