/* SPDX-License-Identifier: MIT */
/*
 * toolchain: what drydock knows of one toolchain, read from
 * toolchains/NAME.json.
 *
 * The file (host/catalog.h) is a JSON object; a key that is not listed here is
 * refused.  All keys are optional.
 *
 *	packages	list of Debian packages; or an object of such lists, by
 *			the codename of Debian's release, and "default" for all
 *			others
 *	hosts		list of allowlist lines (host/allowlist.h)
 *	caches		list of objects: "path" below the cache directory, and
 *			where the package manager looks for it, as "variable" or
 *			"link" (a path below the home); "source", where that is
 *			documented
 *	shown_by	list of file names: a project that has one of them at its
 *			top uses the toolchain
 *	reserved_env	list: variables that neither overlays nor pass_env may
 *			set, as patterns (host/reserved.h)
 */
#ifndef DRYDOCK_TOOLCHAIN_H
#define DRYDOCK_TOOLCHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"

struct diag;
struct paths;

#define TOOLCHAIN_ANY_SUITE "default"

struct toolchain_suite {
	char *name; /* owned; a codename, or TOOLCHAIN_ANY_SUITE */
	struct strvec packages;
};

struct toolchain_cache {
	char *path; /* owned */
	char *variable; /* owned; NULL: a link */
	char *link; /* owned; NULL: a variable */
};

struct toolchain {
	char *name; /* owned */
	char *replacement; /* the user's file, when it replaces a shipped one */
	struct toolchain_suite *suites; /* owned */
	size_t nsuites;
	struct toolchain_cache *caches; /* owned */
	size_t ncaches;
	struct strvec hosts; /* allowlist lines */
	struct strvec shown_by;
	struct strvec reserved_env; /* patterns */
};

#define TOOLCHAIN_INIT                                         \
	{                                                      \
		.hosts = STRVEC_INIT, .shown_by = STRVEC_INIT, \
		.reserved_env = STRVEC_INIT                    \
	}

/* Debian Policy 5.6.7. */
bool toolchain_is_package(const char *word);

/*
 * A bad file is DIAG_CONFIG and names the file and the key; so is an unknown
 * name, which lists those there are.  ret is TOOLCHAIN_INIT before.
 */
int toolchain_load(struct toolchain *ret_toolchain, const char *name,
    const struct paths *paths, struct diag *dg);

/* label: the file, for messages. */
int toolchain_parse(struct toolchain *ret_toolchain, const char *name,
    const char *label, const char *text, size_t len, struct diag *dg);
void toolchain_release(struct toolchain *toolchain);

/* Those that a project has on, sorted by name, each once. */
struct toolchains {
	struct toolchain *v; /* owned */
	size_t nr;
};

#define TOOLCHAINS_INIT \
	{               \
		NULL, 0 \
	}

int toolchains_load(struct toolchains *ret_toolchains,
    const struct strvec *names, const struct paths *paths, struct diag *dg);
void toolchains_release(struct toolchains *toolchains);

/* Appends the allowlist lines of all. */
void toolchains_add_hosts(
    const struct toolchains *toolchains, struct strvec *hosts);

/*
 * Appends the names of the toolchains by whose files the project shows that it
 * uses them, without those that are in *ret_names.  project_fd: its directory.
 */
int toolchains_shown(const struct paths *paths, int project_fd,
    struct strvec *ret_names, struct diag *dg);

#define cleanup_toolchain __attribute__((cleanup(toolchain_release)))
#define cleanup_toolchains __attribute__((cleanup(toolchains_release)))

#endif /* DRYDOCK_TOOLCHAIN_H */
