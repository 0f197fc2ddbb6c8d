/* SPDX-License-Identifier: MIT */
/*
 * userfile: changes a file of the configuration directory that the user also
 * edits.
 */
#ifndef DRYDOCK_USERFILE_H
#define DRYDOCK_USERFILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/strbuf.h"

struct diag;
struct paths;

struct userfile {
	struct strbuf text; /* of the file; the caller changes it */
	char *path; /* owned; for messages */
	char *name; /* owned; the file's name in dir_fd */
	int dir_fd; /* owned; locked until the release */
	mode_t mode;
	struct stat seen; /* of the file that was read; zero: absent */
};

#define USERFILE_INIT                             \
	{                                         \
		.text = STRBUF_INIT, .dir_fd = -1 \
	}

/*
 * Locks the directory and reads name, a path below the configuration directory.
 * Missing directories are created; an absent file is empty.  If name is a
 * symlink, its target is changed.  A file that paths_open_config()
 * refuses, or that is larger than max, fails in the same way.  If another
 * process keeps the lock, fails with DIAG_BUSY.
 */
int userfile_open(struct userfile *file, const struct paths *paths,
    const char *name, size_t max, struct diag *dg);

/*
 * Replaces the file atomically with text.  DIAG_BUSY if somebody changed the
 * file after it was read.
 */
int userfile_write(struct userfile *file, struct diag *dg);

void userfile_release(struct userfile *file);

#define cleanup_userfile __attribute__((cleanup(userfile_release)))

#endif /* DRYDOCK_USERFILE_H */
