/* SPDX-License-Identifier: MIT */
/*
 * below: finds entries of a project by their names, at any depth.
 *
 * A directory with a lock file is a project of its own, and tools read the
 * configuration of the directory that they are run in.
 */
#ifndef DRYDOCK_BELOW_H
#define DRYDOCK_BELOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"
#include "deps/packages.h"

struct diag;
struct toolchains;

/* Of entries, and of directories in each other, that are looked at. */
#define BELOW_MAX 200000
#define BELOW_DEPTH 32

/*
 * Calls found() with the path, below the project, of each entry that has one of
 * the names (NULL behind the last one); "a/b/Cargo.lock", and "Cargo.lock" for
 * that of the project itself.  project_fd may be O_PATH.  The entry may be of
 * any type; a directory with such a name is not searched.  Links are not
 * followed, and what is called target, node_modules, .git or .drydock is not
 * searched.  *ret_whole is false if a limit left something out, or a directory
 * could not be opened.  Never blocks.
 */
int below_find(int project_fd, const char *const *names,
    void (*found)(void *arg, const char *path), void *arg, bool *ret_whole,
    struct diag *dg);

#define BELOW_MAX_LOCKS 256 /* below the project's directory */

/* Where a project has lock files of package managers. */
struct below_locks {
	/*
	 * The paths for each of package_managers: first the one in the project's
	 * directory, even if there is no file, then those below by their depth.
	 * None for a manager that no toolchain has.
	 */
	struct strvec paths[PACKAGE_MANAGER_NR];
	size_t nbelow;
	bool whole; /* no limit left a lock file out */
};

/*
 * Finds the lock files of the toolchains' package managers as below_find()
 * does, until deadline (monotime_ms()).  A directory called vendor is not
 * searched, either.  Returns -1 if the project cannot be searched; ret_locks,
 * uninitialized before, then has what was found.
 */
int below_find_locks(struct below_locks *ret_locks, int project_fd,
    const struct toolchains *toolchains, int64_t deadline, struct diag *dg);
void below_locks_release(struct below_locks *locks);

#define cleanup_below_locks __attribute__((cleanup(below_locks_release)))

#endif /* DRYDOCK_BELOW_H */
