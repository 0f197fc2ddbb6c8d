/* SPDX-License-Identifier: MIT */
/*
 * patchtools: diff(1) and patch(1), run in a scratch directory.
 *
 * The scratch directory is private (host/scratch.h) and holds trees that
 * drydock wrote.  The children get absolute paths of programs in system
 * directories, a fixed environment (LC_ALL=C, TZ=UTC0), a deadline and bounded
 * output.
 */
#ifndef DRYDOCK_PATCHTOOLS_H
#define DRYDOCK_PATCHTOOLS_H

#include <stddef.h>

#include "host/scratch.h"

struct diag;
struct paths;
struct strbuf;

struct patchtools {
	int dir_fd; /* borrowed; the scratch directory */
	/* private */
	struct scratch scratch;
	char *diff; /* owned */
	char *patch; /* owned */
};

#define PATCHTOOLS_INIT                      \
	{                                    \
		-1, SCRATCH_INIT, NULL, NULL \
	}

/*
 * Makes a scratch directory, and removes those that killed processes left.  The
 * state directory is open for writing, see statedir_open().  A missing diff or
 * patch is DIAG_CONFIG; the message names its package.
 */
int patchtools_open(
    struct patchtools *ret_tools, const struct paths *paths, struct diag *dg);
/* Removes the scratch directory with all it has. */
void patchtools_close(struct patchtools *tools);

/* Makes and opens an empty directory in the scratch directory. */
int patchtools_make_dir(
    struct patchtools *tools, const char *name, int *ret_fd, struct diag *dg);

/*
 * Applies a patch that patchtext_judge() accepted to the tree "name".  Each
 * hunk applies at its own line, without fuzz, or the failure is DIAG_NO with
 * patch's own words.  A failure leaves a tree of no use.
 */
int patchtools_apply(struct patchtools *tools, const char *name,
    const char *text, size_t len, struct diag *dg);

/*
 * Appends the unified diff from tree "a" to tree "b".  The same trees give the
 * same bytes, whenever and wherever: the files' times are set before.  Empty
 * output: the trees are equal.
 *
 * What a unified diff cannot say is DIAG_CONFIG; the message names the first
 * such file: files that are not text and differ, a file that becomes a
 * directory, a new or removed file that is empty, a quote or a control
 * character in a name, and more than PATCHTEXT_MAX_SIZE bytes.  Modes and empty
 * directories are not compared.
 */
int patchtools_diff(
    struct patchtools *tools, struct strbuf *out, struct diag *dg);

#define cleanup_patchtools __attribute__((cleanup(patchtools_close)))

#endif /* DRYDOCK_PATCHTOOLS_H */
