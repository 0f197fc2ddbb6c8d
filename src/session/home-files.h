/* SPDX-License-Identifier: MIT */
/*
 * home-files: the user's own files for sessions' homes, home.d/AGENT of the
 * configuration directory, and what home.d has for all agents: entries whose
 * names begin with a dot, but .git.
 */
#ifndef DRYDOCK_HOME_FILES_H
#define DRYDOCK_HOME_FILES_H

#include <stdbool.h>

#include "sync/scan.h"

struct agent;
struct diag;
struct paths;
struct settings;

struct home_files {
	int fd; /* owned; -1: there is none */
	struct scan files; /* directories and files, in order */
};

#define HOME_FILES_INIT       \
	{                     \
		-1, SCAN_INIT \
	}

/*
 * Finds and checks all of the agent's, or of the common ones.  What is neither a file nor a directory, can be
 * written by others, has two names, holds credentials, an account or the
 * conversations, or exceeds a limit is DIAG_CONFIG and named.
 */
int home_files_open(struct home_files *ret, bool common,
    const struct paths *paths, const struct settings *settings,
    const struct agent *agent, struct diag *dg);

/*
 * Puts it on top of what is in a home.  An entry in whose way there is a link,
 * or a file where a directory is due or the other way round, is DIAG_CONFIG
 * before anything was copied.
 */
int home_files_copy(
    const struct home_files *home_files, int home_fd, struct diag *dg);

void home_files_release(struct home_files *home_files);

#define cleanup_home_files __attribute__((cleanup(home_files_release)))

#endif /* DRYDOCK_HOME_FILES_H */
