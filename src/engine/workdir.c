/* SPDX-License-Identifier: MIT */
/*
 * workdir: makes a directory with mkdtemp(3) and removes it without following
 * symlinks.
 */
#include "engine/workdir.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/paths.h"

#define PARENT "build"

int
workdir_make(struct workdir *ret, const struct paths *paths, struct diag *dg)
{
	/*
	 * A random name: the builder of a killed build may still write to its
	 * directory.
	 */
	cleanup_free char *path =
	    xasprintf("%s/" PARENT "/XXXXXX", paths->state_dir);
	cleanup_close int fd = -1;

	if (fs_remove_tree(paths->state_fd, PARENT, dg) != 0 ||
	    fs_make_dir(paths->state_fd, PARENT, 0700, &fd, dg) != 0)
		return -1;
	/* mkdtemp(3) uses mode 0700, whatever the umask. */
	if (mkdtemp(path) == NULL)
		return diag_set_errno(dg, DIAG_IO, errno,
		    "make a directory in %s/" PARENT, paths->state_dir);
	ret->path = steal_ptr(&path);
	ret->state_fd = paths->state_fd;
	return 0;
}

void
workdir_remove(struct workdir *work)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_free char *path = work->path;

	work->path = NULL;
	if (path != NULL &&
	    fs_remove_tree(work->state_fd, PARENT, &failure) != 0)
		diag_warn("%s", failure.message);
}
