/* SPDX-License-Identifier: MIT */
/*
 * workdir: a directory of one build, which goes with everything in it.
 */
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
 * In the state directory, which no session may have: $TMPDIR may lie in a
 * project, and the id of a built image that is read from here would be an
 * agent's to choose.  The caller holds built_lock(): what a killed build left
 * is removed first.  paths stays open until workdir_remove().
 */
int workdir_make(
    struct workdir *ret, const struct paths *paths, struct diag *dg);
/* Removes it; what cannot be removed is a warning with its path. */
void workdir_remove(struct workdir *work);

#define cleanup_workdir __attribute__((cleanup(workdir_remove)))

#endif /* DRYDOCK_WORKDIR_H */
