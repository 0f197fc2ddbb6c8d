/* SPDX-License-Identifier: MIT */
/*
 * protected: the single list of protected paths of the host.  None may be a
 * project, the source of an overlay's bind, or copied because a symlink leads
 * there.
 */
#ifndef DRYDOCK_PROTECTED_H
#define DRYDOCK_PROTECTED_H

#include <stdbool.h>
#include <stddef.h>

struct protected_place {
	/* The group name in policy.jq, which defines the refused relations. */
	const char *group;
	const char *path; /* absolute, or below the home */
	const char *source; /* documentation of the path */
};

/*
 * The group of keys and credentials.  Neither a session's home nor the snapshot
 * contains them.
 */
#define PROTECTED_CREDENTIALS "credentials"

/* The i-th row of the table, or NULL. */
const struct protected_place *protected_at(size_t i);

/*
 * Returns true if path is dir or lies below it.  Both are absolute and have no
 * trailing slash.
 */
bool protected_is_below(const char *path, const char *dir);

/*
 * Returns true if the real path equals, contains or lies in a path below home
 * that stores secrets or programs, or lies in /proc, /sys, /dev or /run.
 */
bool protected_has(const char *home, const char *path);

/*
 * Returns true if path, relative to the home, is or lies in a credential path.
 */
bool protected_is_credential(const char *path);

/*
 * Returned: the first directory of search (a PATH) whose real path lies in the
 * project, or NULL.
 */
char *protected_search_dir_in(const char *search, const char *project);

/*
 * Returns true if the caller's shell put dir into PATH by activating an
 * environment of a project: a virtual environment of Python or conda, direnv,
 * or npm run.  The user can leave such an environment with one command.
 */
bool protected_is_activated(const char *dir);

#endif /* DRYDOCK_PROTECTED_H */
