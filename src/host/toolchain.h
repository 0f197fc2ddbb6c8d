/* SPDX-License-Identifier: MIT */
/*
 * toolchain: the description of one toolchain, read from toolchains/NAME.json.
 *
 * The file (host/catalog.h) is a JSON object.  An unknown key is an error.  All
 * keys are optional.
 *
 *	packages	list of Debian packages; or an object of such lists by
 *			the codename of a Debian release, with "default" for all
 *			other releases
 *	hosts		list of allowlist lines (host/allowlist.h)
 *	caches		list of objects: "path" below the cache directory;
 *			"variable" or "link" (a path below the home), by which
 *			the package manager finds the cache; and "source", the
 *			documentation of that
 *	shown_by	list of file names: a project with one of these files in
 *			its top directory uses the toolchain
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
	char *variable; /* owned; NULL: link is set */
	char *link; /* owned; NULL: variable is set */
};

struct toolchain {
	char *name; /* owned */
	/* owned; the user's file if it replaces a shipped one, else NULL */
	char *replacement;
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

/*
 * Returns NULL for a valid package name (Debian Policy 5.6.7), else static text
 * that describes the error.
 */
const char *toolchain_check_package(const char *word);

/*
 * Loads a toolchain.  ret_toolchain is TOOLCHAIN_INIT before.  A bad file is
 * DIAG_CONFIG and the message names the file and the key.  An unknown name is
 * DIAG_CONFIG and the message lists the known names.
 */
int toolchain_load(struct toolchain *ret_toolchain, const char *name,
    const struct paths *paths, struct diag *dg);

/*
 * Parses the text of a file.  label is the file's name in messages.
 * ret_toolchain is TOOLCHAIN_INIT before.
 */
int toolchain_parse(struct toolchain *ret_toolchain, const char *name,
    const char *label, const char *text, size_t len, struct diag *dg);
void toolchain_release(struct toolchain *toolchain);

/* The toolchains of a project, sorted by name, without duplicates. */
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

/*
 * Appends the names of the toolchains that the project uses according to its
 * files (shown_by), except those in *ret_names.  project_fd is the project's
 * directory.
 */
int toolchains_shown(const struct paths *paths, int project_fd,
    struct strvec *ret_names, struct diag *dg);

#define cleanup_toolchain __attribute__((cleanup(toolchain_release)))
#define cleanup_toolchains __attribute__((cleanup(toolchains_release)))

#endif /* DRYDOCK_TOOLCHAIN_H */
