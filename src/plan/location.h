/* SPDX-License-Identifier: MIT */
/*
 * location: where a file is, told in ways that no name can hide.
 */
#ifndef DRYDOCK_PLAN_LOCATION_H
#define DRYDOCK_PLAN_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct diag;
struct proc_mounts;

/* A path within one file system, which may be mounted in several places. */
struct fs_path {
	char *device; /* owned; "8:1" */
	char *path; /* owned */
};

struct location {
	char *real; /* owned */
	struct stat *chain; /* owned; itself, its parent ... the root */
	size_t nchain;
	struct fs_path *on; /* owned; itself, then what is mounted below it */
	size_t non;
};

#define LOCATION_INIT                  \
	{                              \
		NULL, NULL, 0, NULL, 0 \
	}

/*
 * Fills *ret_location for an O_PATH descriptor.  Parents are looked up by the
 * descriptor's own path.
 */
int location_find(int fd, const struct proc_mounts *mounts,
    struct location *ret_location, struct diag *dg);

/*
 * Fills *ret_location for what stands under a name in a directory that was
 * found, and is no link: st is its own.
 */
int location_find_in(const struct location *parent, const char *name,
    const struct stat *st, const struct proc_mounts *mounts,
    struct location *ret_location, struct diag *dg);
void location_release(struct location *location);

bool location_is(const struct location *a, const struct location *b);
bool location_holds(const struct location *a, const struct location *b);

/* Whether a holds b, or something that is mounted below b. */
bool location_shares(const struct location *a, const struct location *b);

#define cleanup_location __attribute__((cleanup(location_release)))

#endif /* DRYDOCK_PLAN_LOCATION_H */
