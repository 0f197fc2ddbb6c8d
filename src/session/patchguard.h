/* SPDX-License-Identifier: MIT */
/*
 * patchguard: what a session has to do with its project's patched dependencies.
 *
 * A session of a project with patches does not start while a check fails
 * (deps/patchcheck.h): its build would use the original without a word.  If
 * only copies are missing, as in a fresh clone, they are made first.
 */
#ifndef DRYDOCK_PATCHGUARD_H
#define DRYDOCK_PATCHGUARD_H

#include "deps/packages.h"
#include "session/caches.h"

struct diag;
struct paths;

/* The host user's cache and all slots: a digest proves what is taken. */
struct patch_sources {
	struct package_sources packages; /* borrows the rest */
	struct cache_sources slots;
};

#define PATCH_SOURCES_INIT                                                \
	{                                                                 \
		.packages = { .home = NULL }, .slots = CACHE_SOURCES_INIT \
	}

/* ret_sources must not move afterwards.  paths and environ_ are borrowed. */
void patch_sources_open(const struct paths *paths, const char *project_path,
    const char *const *environ_, struct patch_sources *ret_sources);
void patch_sources_release(struct patch_sources *sources);

#define cleanup_patch_sources __attribute__((cleanup(patch_sources_release)))

/*
 * Refuses a start with DIAG_POLICY if a check of the project's patches finds
 * something; the message names the first finding and the command that mends it.
 * Makes missing copies, and opens the state directory for that.  project_fd may
 * be O_PATH.  A project without patches costs a few system calls.
 */
int patchguard_check(struct paths *paths, const char *project_path,
    int project_fd, const char *const *environ_, struct diag *dg);

/* Warns of what a check finds: at attach, and at the end of a session. */
void patchguard_warn(const char *project_path);

#endif /* DRYDOCK_PATCHGUARD_H */
