/* SPDX-License-Identifier: MIT */
/*
 * yarnlock: the patches that a yarn.lock has, and the workspaces.
 *
 * Versions 6 to 10 of the format are read: yarn 3.2 and later.  yarn 1 has no
 * patches of its own; its lock file is recognised.  What is no YAML
 * (yamlread.h), an entry or a patch that is malformed, and what is beyond the
 * limits below are DIAG_DATA; another version of the format is DIAG_CONFIG.
 */
#ifndef DRYDOCK_YARNLOCK_H
#define DRYDOCK_YARNLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"

struct diag;

#define YARNLOCK_MAX_SIZE ((size_t)32 * 1024 * 1024)
#define YARNLOCK_MAX_PATCHES 1000
#define YARNLOCK_MAX_WANTED 10000 /* of all patches */
#define YARNSPEC_MAX_PATHS 32
#define YARNSPEC_MAX_LOCATOR ((size_t)4096)

/*
 * "NAME@patch:SOURCE#PATH&PATH::version=V&hash=H&locator=L", how yarn writes a
 * package that is SOURCE ("NAME@npm:1.0.0") with patches.
 */
struct yarnspec {
	char *name; /* owned */
	char *source; /* owned; decoded */
	struct strvec paths; /* decoded; with flags: "optional!PATH" */
	char *version; /* owned; or NULL */
	char *hash; /* owned; or NULL */
	char *locator; /* owned; decoded; or NULL: of no workspace */
};

#define YARNSPEC_INIT                                     \
	{                                                 \
		NULL, NULL, STRVEC_INIT, NULL, NULL, NULL \
	}

/*
 * Returns false, and YARNSPEC_INIT, for a text that is no such spec or that is
 * beyond the limits above.
 */
bool yarnspec_parse(const char *text, struct yarnspec *ret_spec);
void yarnspec_release(struct yarnspec *spec);

/* Returns true for a patch that comes with yarn; path may have flags. */
bool yarnspec_is_builtin(const char *path);
/* Returns true if all patches of the spec come with yarn. */
bool yarnspec_is_only_builtin(const struct yarnspec *spec);
/* Returns the path behind the flags. */
const char *yarnspec_path(const char *path);

/* Returns the range of "NAME@RANGE" (borrowed), or NULL. */
const char *yarnspec_range(const char *text);
/* Returns the directory of "NAME@workspace:DIR" (borrowed), or NULL. */
const char *yarnspec_workspace(const char *locator);

struct yarnlock_patch {
	struct yarnspec *wanted; /* owned; what manifests say */
	size_t nwanted;
	struct yarnspec resolved; /* has a hash */
};

struct yarnlock {
	int version; /* 0: an empty file, or yarn 1's */
	bool classic; /* of yarn 1 */
	/* owned; in the file's order; without those that come with yarn */
	struct yarnlock_patch *v;
	size_t nr;
	struct strvec workspaces; /* directories, "." is the project's */
};

#define YARNLOCK_INIT                          \
	{                                      \
		0, false, NULL, 0, STRVEC_INIT \
	}

/*
 * Parses a text of at most YARNLOCK_MAX_SIZE bytes.  what is the file's name in
 * messages.  ret_lock is YARNLOCK_INIT before, and stays so on failure.
 */
int yarnlock_parse(struct yarnlock *ret_lock, const char *text, size_t len,
    const char *what, struct diag *dg);
void yarnlock_release(struct yarnlock *lock);

#define cleanup_yarnspec __attribute__((cleanup(yarnspec_release)))
#define cleanup_yarnlock __attribute__((cleanup(yarnlock_release)))

#endif /* DRYDOCK_YARNLOCK_H */
