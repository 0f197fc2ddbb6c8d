/* SPDX-License-Identifier: MIT */
/*
 * patchtools: diff(1) and patch(1), run in a scratch directory.
 *
 * The scratch directory is private (0700, below the state directory) and holds
 * trees that drydock wrote.  The children get absolute paths of programs in
 * system directories, a fixed environment (LC_ALL=C, TZ=UTC0), a deadline and
 * bounded output.
 */
#ifndef DRYDOCK_PATCHTOOLS_H
#define DRYDOCK_PATCHTOOLS_H

#include <stddef.h>

struct diag;
struct paths;
struct strbuf;

struct patchtools {
	int dir_fd; /* owned; the scratch directory */
	/* private */
	int parent_fd;
	char *name;
	char *diff;
	char *patch;
};

#define PATCHTOOLS_INIT                  \
	{                                \
		-1, -1, NULL, NULL, NULL \
	}

/*
 * Makes a scratch directory, and removes those that killed processes left.  A
 * missing diff or patch is DIAG_CONFIG; the message names its package.
 */
int patchtools_open(
    struct patchtools *ret_tools, const struct paths *paths, struct diag *dg);
/* Removes the scratch directory with all it has. */
void patchtools_close(struct patchtools *tools);

/* Makes and opens an empty directory in the scratch directory. */
int patchtools_make_dir(
    struct patchtools *tools, const char *name, int *ret_fd, struct diag *dg);

/*
 * Applies a patch that patchtext_judge() accepted to the tree "name": exactly,
 * without fuzz or offset files, all hunks or DIAG_NO with patch's own words.
 */
int patchtools_apply(struct patchtools *tools, const char *name,
    const char *text, size_t len, struct diag *dg);

/*
 * Appends the unified diff from tree "a" to tree "b".  The same trees give the
 * same bytes, whenever and wherever (times are set before).  Files that are not
 * text and differ are DIAG_CONFIG; the message names the first.  Empty output:
 * the trees are equal.
 */
int patchtools_diff(
    struct patchtools *tools, struct strbuf *out, struct diag *dg);

#define cleanup_patchtools __attribute__((cleanup(patchtools_close)))

#endif /* DRYDOCK_PATCHTOOLS_H */
