/* SPDX-License-Identifier: MIT */
/*
 * location: where a file is on the host, by device and inode.
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
struct mountinfo;

struct location {
	char *real; /* owned; the real path */
	struct stat *chain; /* owned; itself, then each directory it lies in */
	size_t nchain;
	struct location *below; /* owned; the mount points below it */
	size_t nbelow;
};

#define LOCATION_INIT                  \
	{                              \
		NULL, NULL, 0, NULL, 0 \
	}

/*
 * Fills *ret_location, without "below", for an O_PATH descriptor.  The
 * directories are looked up by the descriptor's real path.  If a bind mount
 * shows only a part of a file system there, the directories in which another
 * mount shows that part are added.  A failed lookup is DIAG_IO.  If the real
 * path has become another file, that is DIAG_POLICY.
 */
int location_find(int fd, const struct mountinfo *mounts,
    struct location *ret_location, struct diag *dg);

/*
 * Fills *ret_location for the entry "name" of a directory whose location is
 * known.  st is the entry's own lstat(2); the entry must not be a symlink.
 */
int location_find_in(const struct location *parent, const char *name,
    const struct stat *st, const struct mountinfo *mounts,
    struct location *ret_location, struct diag *dg);

/* Adds the mount points below: a bind of the location includes them. */
int location_find_below(
    struct location *location, const struct mountinfo *mounts, struct diag *dg);
void location_release(struct location *location);

/* Returns true if a and b are the same file. */
bool location_is(const struct location *a, const struct location *b);

/*
 * Returns true if b lies in a or in a mount below a.  Returns false if they are
 * the same.
 */
bool location_holds(const struct location *a, const struct location *b);

/*
 * Returns true if b, or what a mount below b shows, lies in a.  Returns false
 * if they are the same.
 */
bool location_has_part(const struct location *a, const struct location *b);

#define cleanup_location __attribute__((cleanup(location_release)))

#endif /* DRYDOCK_PLAN_LOCATION_H */
