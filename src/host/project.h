/* SPDX-License-Identifier: MIT */
/*
 * project: the directory that a session works on.
 *
 * The real path identifies a project.  The name is for display only.  The key
 * names files: 16 hex digits of the path's SHA-256, a dash and the name.
 */
#ifndef DRYDOCK_PROJECT_H
#define DRYDOCK_PROJECT_H

#include "host/mode.h"

struct diag;
struct paths;

struct project {
	char *path; /* owned; real, absolute path */
	/* owned; last component, only [A-Za-z0-9._-]; for display */
	char *name;
	char *key; /* owned; file name safe, unique for the path */
	/* owned; projects/KEY, below the configuration directory */
	char *config;
	int fd; /* O_PATH|O_DIRECTORY, owned */
};

#define PROJECT_INIT                       \
	{                                  \
		NULL, NULL, NULL, NULL, -1 \
	}

/*
 * Opens dir (NULL: the working directory).  Fails with DIAG_POLICY, and with
 * advice, for /, $HOME, a directory that contains $HOME, drydock's own
 * directories, and a path through a symlink that an agent or another user could
 * have made.  Fails with DIAG_CONFIG for a path with a newline, colon or
 * backslash, and when dir is absent or not a directory.
 */
int project_open(struct project *ret_project, const char *dir,
    const struct paths *paths, struct diag *dg);
void project_release(struct project *project);

/*
 * Fails with DIAG_CONFIG for a path that the engine cannot mount.  what is the
 * kind of the path, "project".
 */
int project_check_path(const char *path, const char *what, struct diag *dg);

/* The prefix of a project's key: hex digits of the SHA-256 of its path. */
#define PROJECT_DIGITS 16
void project_digits(const char *path, char ret_digits[PROJECT_DIGITS + 1]);

/*
 * Returned: the history directory for an agent's conversations with this
 * project and mode, below the state directory.  Its last component depends only
 * on the project and the mode.
 */
char *project_history(const struct project *project, const struct paths *paths,
    const char *agent, enum mode mode);

/*
 * Returned: the path of the project's file of that name below the configuration
 * directory, or without a project (NULL) of the one for all projects.
 */
char *project_file(const struct project *project, const char *name);

#define cleanup_project __attribute__((cleanup(project_release)))

#endif /* DRYDOCK_PROJECT_H */
