/* SPDX-License-Identifier: MIT */
/*
 * scratch: a private directory for the work of one process.
 *
 *	STATE/scratch/NAME/
 *
 * The process holds an exclusive flock(2) on its directory.  A directory that
 * nobody has locked is a leftover of a killed process.  A child that should
 * protect the directory must inherit the descriptor.
 */
#ifndef DRYDOCK_SCRATCH_H
#define DRYDOCK_SCRATCH_H

#include <stddef.h>

struct diag;
struct paths;

struct scratch {
	int fd; /* owned; the directory, locked */
	char *path; /* owned */
	int parent_fd; /* owned; private */
	char *name; /* owned; private */
};

#define SCRATCH_INIT               \
	{                          \
		-1, NULL, -1, NULL \
	}

/*
 * Makes an empty directory of mode 0700.  The state directory is open for
 * writing, see statedir_open().
 */
int scratch_make(
    const struct paths *paths, struct scratch *ret_scratch, struct diag *dg);

/*
 * Removes the directory with all it has.  A failure is a warning; the next
 * scratch_sweep() tries again.
 */
void scratch_release(struct scratch *scratch);

/*
 * Removes the leftovers.  A failure is a warning.  Returns how many could not
 * be removed.
 */
size_t scratch_sweep(const struct paths *paths);

#define cleanup_scratch __attribute__((cleanup(scratch_release)))

#endif /* DRYDOCK_SCRATCH_H */
