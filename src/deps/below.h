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
#include <stdint.h>

struct diag;

/* Of entries, and of directories in each other, that are looked at. */
#define BELOW_MAX 200000
#define BELOW_DEPTH 32

struct below_spec {
	int project_fd; /* borrowed; may be O_PATH */
	const char *const *names; /* borrowed; NULL behind the last one */
	/* borrowed; of another directory that is not searched, or NULL */
	const char *skipped;
	int64_t deadline; /* of monotime_ms() */
	void (*found)(void *arg, const char *path);
	void *arg; /* borrowed */
};

/*
 * Calls found() with the path, below the project, of each entry that has one of
 * the names; "a/b/Cargo.lock", and "Cargo.lock" for that of the project itself.
 * The entry may be of any type; a directory with such a name is not searched.
 * Links are not followed, and what is called target, node_modules, .git or
 * .drydock is not searched.  *ret_whole is false if a limit or the deadline
 * left something out, or a directory could not be opened.  Never blocks.
 */
int below_search(
    const struct below_spec *spec, bool *ret_whole, struct diag *dg);

/* The same, without a deadline. */
int below_find(int project_fd, const char *const *names,
    void (*found)(void *arg, const char *path), void *arg, bool *ret_whole,
    struct diag *dg);

#endif /* DRYDOCK_BELOW_H */
