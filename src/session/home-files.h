/* SPDX-License-Identifier: MIT */
/*
 * home-files: the user's own files for sessions' homes.
 *
 * They are home.d/AGENT in the configuration directory, and the common files in
 * home.d itself: entries whose names begin with a dot, except .git.
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
	int fd; /* owned; -1 when there is no such directory */
	struct scan files; /* directories and files, parents first */
};

#define HOME_FILES_INIT       \
	{                     \
		-1, SCAN_INIT \
	}

/*
 * Lists and checks all files of the agent, or the common ones.  An entry is
 * DIAG_CONFIG, with its name, if it is neither a file nor a directory, is
 * writable by others or owned by another user, is hard-linked, holds
 * credentials, an account or the conversations, or exceeds a limit.  A
 * directory that lies in a known project is DIAG_POLICY.
 */
int home_files_open(struct home_files *ret, bool common,
    const struct paths *paths, const struct settings *settings,
    const struct agent *agent, struct diag *dg);

/*
 * Copies the files into a home and replaces existing files.  A symlink in the
 * way, or a file in place of a directory or the reverse, is DIAG_CONFIG before
 * anything is copied.
 */
int home_files_copy(
    const struct home_files *home_files, int home_fd, struct diag *dg);

void home_files_release(struct home_files *home_files);

#define cleanup_home_files __attribute__((cleanup(home_files_release)))

#endif /* DRYDOCK_HOME_FILES_H */
