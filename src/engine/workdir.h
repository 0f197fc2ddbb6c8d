/* SPDX-License-Identifier: MIT */
/* workdir: a temporary directory of one build. */
#ifndef DRYDOCK_WORKDIR_H
#define DRYDOCK_WORKDIR_H

struct diag;
struct paths;

struct workdir {
	char *path; /* owned; NULL: none */
	int state_fd; /* borrowed */
};

#define WORKDIR_INIT     \
	{                \
		NULL, -1 \
	}

/*
 * Makes the directory below the state directory, which no session can access.
 * $TMPDIR could be inside a project, where an agent could forge the image id
 * that drydock reads from the directory.  The caller holds built_lock():
 * directories left by killed builds are removed first.  paths stays open until
 * workdir_remove().
 */
int workdir_make(
    struct workdir *ret, const struct paths *paths, struct diag *dg);
/*
 * Removes the directory and its contents.  A failure is a warning with the
 * path.
 */
void workdir_remove(struct workdir *work);

#define cleanup_workdir __attribute__((cleanup(workdir_remove)))

#endif /* DRYDOCK_WORKDIR_H */
