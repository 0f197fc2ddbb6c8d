/* SPDX-License-Identifier: MIT */
/*
 * seed: fills the home of a new session before a process runs in it.
 */
#ifndef DRYDOCK_SEED_H
#define DRYDOCK_SEED_H

#include <stdbool.h>

struct agent;
struct diag;
struct paths;
struct settings;
struct toolchains;

/* Path of the project's history in the agent's container. */
#define SEED_HISTORY_TARGET "/var/lib/drydock/history"

struct seed_spec {
	const struct paths *paths; /* the state directory is open */
	const struct settings *settings;
	const struct agent *agent;
	const char *image_id; /* the agent's image */
	const char *project; /* path; entries of other projects are left out */
	bool ssh_agent; /* git may sign by the session's ssh agent */
	bool *ret_git_signs; /* set if git is configured for that */
	bool token; /* the session gets a token */
	bool npm; /* the session may reach the registries of the user's npm */
	const char *const *environ_; /* NULL: no terminfo entry is copied */
	/* toolchains whose caches are in the slot; NULL: no slot */
	const struct toolchains *caches;
};

/*
 * Fills the empty directory home_fd with: the agent's synced snapshot, if there
 * is one; the user's git identity; with npm, the registries (not the
 * credentials) that the user's npm is set to; the user's own files from home.d;
 * and the agent's symlink to the history.  The snapshot is copied without hard
 * links and without the paths that the settings leave out.  The symlink replaces
 * an existing entry; its parent directories are made 0700.  If the session gets a
 * token, missing members are added to the agent's token_document.  A document
 * that is not a JSON object is left as it is, with a warning.  A symlink leads
 * to each cache that a toolchain finds by a path in the home, unless that path
 * exists.
 *
 * The terminfo entry for TERM is copied into .terminfo, unless the home has
 * one.  The entry must be compiled, must belong to the caller or root, and must
 * be in a place that ncurses searches (terminfo(5)).  Without such an entry
 * nothing happens.  A failed write is a warning.
 */
int seed_home(const struct seed_spec *spec, int home_fd, struct diag *dg);

#endif /* DRYDOCK_SEED_H */
