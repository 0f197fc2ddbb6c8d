/* SPDX-License-Identifier: MIT */
/* workdir: made by mkdtemp(3), removed without following anything. */
#include "engine/workdir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"

int
workdir_make(struct workdir *ret, struct diag *dg)
{
	cleanup_free char *path = xstrdup("/tmp/drydock-build-XXXXXX");

	/* Made with mode 0700, whatever the umask. */
	if (mkdtemp(path) == NULL)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "make a temporary directory in /tmp");
	ret->path = steal_ptr(&path);
	return 0;
}

void
workdir_remove(struct workdir *work)
{
	cleanup_diag struct diag failure = DIAG_INIT;
	cleanup_free char *path = work->path;
	int parent_fd cleanup_close = -1;
	char *slash;

	work->path = NULL;
	if (path == NULL)
		return;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (fs_open_dir(path, &parent_fd, &failure) < 0 ||
	    fs_remove_tree(parent_fd, slash + 1, &failure) < 0)
		diag_warn("%s", failure.message);
}
