/* SPDX-License-Identifier: MIT */
/*
 * watchlist: the files of a project that can run programs on the host although
 * the user did not ask for these programs.
 *
 * The list is compose/watched.json: an object with three lists.  "git" has the
 * files below each git directory, and "project" those below each directory of
 * the project.  Each entry is an object:
 *
 *   path    relative path; a component may be a pattern (fnmatch(3))
 *   except  pattern of names that do not count; optional
 *   keys    the members that count, in a file that is a JSON object; optional
 *   why     what runs the file, for the user
 *   source  the documentation of that
 *
 * "skip" has names of directories in which only git directories are searched.
 */
#ifndef DRYDOCK_WATCHLIST_H
#define DRYDOCK_WATCHLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strvec.h"

struct diag;

#define WATCHLIST_NAME "watched.json"
#define WATCHLIST_MAX ((size_t)64 << 10)

/* All strings are owned. */
struct watch_row {
	struct strvec path; /* its components, at least one */
	char *except; /* or NULL */
	struct strvec keys; /* empty: the whole file counts */
	char *why;
	char *source;
	bool git; /* relative to a git directory */
};

struct watchlist {
	struct watch_row *v; /* owned */
	size_t nr;
	struct strvec skip;
};

#define WATCHLIST_INIT               \
	{                            \
		NULL, 0, STRVEC_INIT \
	}

/* Parses the file's text.  A failure is DIAG_CONFIG and names the entry. */
int watchlist_parse(
    const char *text, size_t len, struct watchlist *ret_list, struct diag *dg);
void watchlist_release(struct watchlist *list);

#define cleanup_watchlist __attribute__((cleanup(watchlist_release)))

#endif /* DRYDOCK_WATCHLIST_H */
