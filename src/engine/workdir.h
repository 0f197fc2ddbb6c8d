/* SPDX-License-Identifier: MIT */
/*
 * workdir: a temporary directory that goes with everything in it.
 */
#ifndef DRYDOCK_WORKDIR_H
#define DRYDOCK_WORKDIR_H

struct diag;

struct workdir {
	char *path; /* owned; NULL: none */
};

#define WORKDIR_INIT \
	{            \
		NULL \
	}

/*
 * In /tmp, which no session may have: $TMPDIR may lie in a project, and the id
 * of a built image that is read from here would be an agent's to choose.
 */
int workdir_make(struct workdir *ret, struct diag *dg);
/* Removes it; what cannot be removed is a warning with its path. */
void workdir_remove(struct workdir *work);

#define cleanup_workdir __attribute__((cleanup(workdir_remove)))

#endif /* DRYDOCK_WORKDIR_H */
