/* SPDX-License-Identifier: MIT */
/*
 * protected: the one list of places on the host that are nobody else's: no
 * project, no bind of an overlay's, and no copy that a link may bring along.
 */
#ifndef DRYDOCK_PROTECTED_H
#define DRYDOCK_PROTECTED_H

#include <stdbool.h>
#include <stddef.h>

struct protected_place {
	/* As policy.jq knows it, which says what relation is refused. */
	const char *group;
	const char *path; /* absolute, or below the home */
	const char *source; /* where it is documented what is there */
};

/* Keys and credentials: what homes never have, nor the snapshot. */
#define PROTECTED_CREDENTIALS "credentials"

/* The i-th row of the table, or NULL. */
const struct protected_place *protected_at(size_t i);

/* Whether path is dir or lies below it; both absolute, without a last slash. */
bool protected_is_below(const char *path, const char *dir);

/*
 * Whether the real path is, holds or lies in a place of home that keeps secrets
 * or programs, or in one of the kernel's own file systems.
 */
bool protected_has(const char *home, const char *path);

/* Whether a path below the home is, or lies in, what holds credentials. */
bool protected_is_credential(const char *path);

/*
 * Returned: the first directory of PATH (search) whose real path is in the
 * project, or NULL.
 */
char *protected_search_dir_in(const char *search, const char *project);

/*
 * Whether a directory of PATH is there because the caller's shell has entered
 * an environment of a project: a virtual environment of Python's or conda's,
 * direnv, or npm run.  Such an environment is left by one command.
 */
bool protected_is_activated(const char *dir);

#endif /* DRYDOCK_PROTECTED_H */
