/* SPDX-License-Identifier: MIT */
/*
 * location: where a file is on the host, independent of its name.
 *
 * A symlink, another name and a bind mount on the host do not hide the
 * location.
 */
#ifndef DRYDOCK_PLAN_LOCATION_H
#define DRYDOCK_PLAN_LOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct diag;
struct proc_mounts;

/* A path within one file system, which may be mounted at several targets. */
struct fs_path {
	char *device; /* owned; st_dev as "8:1" */
	char *path; /* owned */
};

struct location {
	char *real; /* owned; the real path */
	struct stat *chain; /* owned; itself, its parent, ... the root */
	size_t nchain;
	struct fs_path *on; /* owned; itself, then the mounts below it */
	size_t non;
};

#define LOCATION_INIT                  \
	{                              \
		NULL, NULL, 0, NULL, 0 \
	}

/*
 * Fills *ret_location for an O_PATH descriptor.  The parents are looked up by
 * the descriptor's real path.  A failed lookup is DIAG_IO.  If the real path
 * has become another file, that is DIAG_POLICY.
 */
int location_find(int fd, const struct proc_mounts *mounts,
    struct location *ret_location, struct diag *dg);

/*
 * Fills *ret_location for the entry "name" of a directory whose location is
 * known.  st is the entry's own lstat(2); the entry must not be a symlink.
 */
int location_find_in(const struct location *parent, const char *name,
    const struct stat *st, const struct proc_mounts *mounts,
    struct location *ret_location, struct diag *dg);
void location_release(struct location *location);

/* Returns true if a and b are the same file, by inode or by device and path. */
bool location_is(const struct location *a, const struct location *b);

/*
 * Returns true if b lies below a, or if a mount of a shows b.  Returns false if
 * they are the same.
 */
bool location_holds(const struct location *a, const struct location *b);

/*
 * Returns true if a holds b or something that is mounted below b.  Unlike
 * location_holds(), ignores what is mounted below a.  Returns false if a and b
 * are the same.
 */
bool location_shares(const struct location *a, const struct location *b);

#define cleanup_location __attribute__((cleanup(location_release)))

#endif /* DRYDOCK_PLAN_LOCATION_H */
