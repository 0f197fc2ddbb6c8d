/* SPDX-License-Identifier: MIT */
/*
 * project-bed: a session, and a project with files that can run programs on the
 * host.  What goes wrong is a failed check.
 */
#ifndef DRYDOCK_TESTS_PROJECT_BED_H
#define DRYDOCK_TESTS_PROJECT_BED_H

#include <sys/types.h>

#include "base/strbuf.h"
#include "host/paths.h"

struct changes;

struct bed {
	struct paths paths;
	struct strbuf list; /* the watched files' */
	char *project;
	int project_fd;
	int session_fd;
};

/* Makes an empty project, a session's directory and the state directory. */
void bed_init(struct bed *bed);

/* The same with a project of all kinds of watched files, and its start. */
void bed_fill(struct bed *bed);
void bed_release(struct bed *bed);

/* Makes or replaces a file. */
void bed_write(int fd, const char *name, const char *text, mode_t mode);
/* Makes a directory and those of its path. */
void bed_dirs(int fd, const char *path);
/* Makes a git directory. */
void bed_git(int fd, const char *path);
/* Changes .git/config, so that git would run a program. */
void bed_fsmonitor(int fd);

/* Stores the start's state of the whole project. */
void bed_begin_whole(struct bed *bed);
/* Returned: "WORD PATH|WORD PATH" of all changes. */
char *bed_describe(const struct changes *c);
/* Compares all changes with such a text. */
void bed_expect(struct bed *bed, const char *what, const char *want);
/* Puts all back and expects the start's state. */
void bed_put_back(struct bed *bed, const char *what);

#define cleanup_bed __attribute__((cleanup(bed_release)))

#endif /* DRYDOCK_TESTS_PROJECT_BED_H */
