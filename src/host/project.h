/* SPDX-License-Identifier: MIT */
/*
 * project: the directory that a session works on.
 *
 * A project is its real path; the name is only for people, the key is what
 * files are named by: 16 hex digits of the path's SHA-256 and the name.
 */
#ifndef DRYDOCK_PROJECT_H
#define DRYDOCK_PROJECT_H

#include "host/mode.h"

struct diag;
struct paths;

struct project {
	char *path; /* owned; real, absolute path */
	char *name; /* owned; last component, only [A-Za-z0-9._-], for people */
	char *key; /* owned; file name safe, unique for the path */
	int fd; /* O_PATH|O_DIRECTORY, owned */
};

#define PROJECT_INIT                 \
	{                            \
		NULL, NULL, NULL, -1 \
	}

/*
 * Opens dir (NULL: the working directory).  Refuses, by name and with advice,
 * $HOME, /, and (DIAG_CONFIG) paths with a newline, colon or backslash; absent
 * or no directory is DIAG_CONFIG.
 */
int project_open(struct project *ret_project, const char *dir,
    const struct paths *paths, struct diag *dg);
void project_release(struct project *project);

/* What a project's key begins with: hex digits of its path's SHA-256. */
#define PROJECT_DIGITS 16
void project_digits(const char *path, char ret_digits[PROJECT_DIGITS + 1]);

/*
 * Returned: where an agent's conversations of this project and mode are, below
 * the state directory; its last part is of the project and the mode alone.
 */
char *project_history(const struct project *project, const struct paths *paths,
    const char *agent, enum mode mode);

#define cleanup_project __attribute__((cleanup(project_release)))

#endif /* DRYDOCK_PROJECT_H */
