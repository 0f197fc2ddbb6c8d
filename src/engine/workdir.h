/* SPDX-License-Identifier: MIT */
/*
 * workdir: a temporary directory that goes with everything in it.
 */
#ifndef DRYDOCK_WORKDIR_H
#define DRYDOCK_WORKDIR_H

#include <sys/types.h>

struct diag;

struct workdir {
	char *path; /* owned; NULL: none */
};

#define WORKDIR_INIT \
	{            \
		NULL \
	}

/* Below parent; NULL is $TMPDIR where it is absolute, else /tmp. */
int workdir_make(
    struct workdir *ret, const char *parent, mode_t mode, struct diag *dg);
/* Removes it; what cannot be removed is a warning with its path. */
void workdir_remove(struct workdir *work);

#define cleanup_workdir __attribute__((cleanup(workdir_remove)))

#endif /* DRYDOCK_WORKDIR_H */
