/* SPDX-License-Identifier: MIT */
/*
 * lockfiles: where a project has lock files of package managers: in its own
 * directory, and below (below.h; a directory called vendor is not searched,
 * either).
 */
#ifndef DRYDOCK_LOCKFILES_H
#define DRYDOCK_LOCKFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"
#include "deps/packages.h"

struct diag;
struct toolchains;

#define LOCKFILES_MAX 256 /* below the project's directory */

struct lockfiles {
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
 * Finds the lock files of the toolchains' package managers, until deadline
 * (monotime_ms()).  Returns -1 if the project cannot be searched; ret_locks,
 * uninitialized before, then has what was found.
 */
int lockfiles_find(struct lockfiles *ret_locks, int project_fd,
    const struct toolchains *toolchains, int64_t deadline, struct diag *dg);
void lockfiles_release(struct lockfiles *locks);

#define cleanup_lockfiles __attribute__((cleanup(lockfiles_release)))

#endif /* DRYDOCK_LOCKFILES_H */
