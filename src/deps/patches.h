/* SPDX-License-Identifier: MIT */
/*
 * patches: changes the patched dependencies of one project.
 *
 *	.drydock/patches/cargo/NAME@VERSION.patch	committed
 *	.drydock/patches.json	committed, see patchledger.h
 *	.drydock/patched/	the copies, see patchtree.h; not committed
 *	.drydock/edit/cargo/NAME@VERSION/	editable files; not committed
 *	.drydock/patches.lock	held by writers; not committed
 *	.drydock/.gitignore	names what is not committed
 *
 * Cargo.toml's block and the entry without source in Cargo.lock lead cargo to
 * the copy.  All bytes are computed before the first write.  The order of the
 * writes is: patch file, copies, ledger, Cargo.lock, Cargo.toml; a removal
 * writes the ledger last.  Then what is no longer needed is removed.  After a
 * killed writer, patchcheck_run() says what is missing; the command that it
 * names, and the same command again, complete it.
 *
 * Each writer takes the lock; DIAG_BUSY if another one has it.
 */
#ifndef DRYDOCK_PATCHES_H
#define DRYDOCK_PATCHES_H

#include <stddef.h>

struct diag;
struct ecosystem;
struct package_sources;
struct paths;
struct strvec;

struct patches_project {
	int fd; /* borrowed; the project's directory, open for reading */
	const char *path; /* borrowed; its real path */
	const struct paths *paths; /* borrowed */
	const struct package_sources *sources; /* borrowed */
	/*
	 * Borrowed.  Gets a line for each step of a writer, none if nothing
	 * changed.
	 */
	struct strvec *steps;
};

/*
 * Unpacks a package of the lock file into an editable directory, with its
 * present patch if there is one.  version may be NULL if the lock has one
 * version from crates.io.  *ret_dir (returned) is the directory's path below
 * the project.  A directory that is there already is DIAG_CONFIG.
 */
int patches_start(const struct patches_project *project,
    const struct ecosystem *eco, const char *name, const char *version,
    char **ret_dir, struct diag *dg);

/*
 * Writes the patch of an editable directory and applies it.  name may be NULL
 * if there is one such directory, which stays.  DIAG_NO if it does not differ
 * from the original, or if the patch is not the one that it was started or last
 * saved with.
 */
int patches_save(const struct patches_project *project,
    const struct ecosystem *eco, const char *name, const char *version,
    struct diag *dg);

/*
 * Makes the copies, the block and the lock as the recorded patches say.  A copy
 * that was changed becomes the package's editable directory; DIAG_NO if there
 * is one already.
 */
int patches_apply(const struct patches_project *project, struct diag *dg);

/*
 * Removes a patch with its copy and its redirect.  Cargo.toml and Cargo.lock
 * get back the bytes that they had.  An editable directory stays.
 */
int patches_remove(const struct patches_project *project,
    const struct ecosystem *eco, const char *name, const char *version,
    struct diag *dg);

/*
 * Records the patch files as they are (edited or merged by a person), and
 * applies them.
 */
int patches_seal(const struct patches_project *project, struct diag *dg);

#endif /* DRYDOCK_PATCHES_H */
