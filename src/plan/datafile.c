/* SPDX-License-Identifier: MIT */
/*
 * datafile: reads overlays, policy and seccomp profile from the data directory.
 */
#include "plan/datafile.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/trusted.h"

int
datafile_read(const struct paths *paths, const char *name, size_t max,
    struct strbuf *out, struct diag *dg)
{
	cleanup_free char *below = xasprintf("compose/%s", name);
	cleanup_close int fd = -1;

	if (trusted_open(
		paths, paths->data_dir, below, TRUSTED_NO_LINK, &fd, dg) != 0) {
		/*
		 * A failure without errno means: the file exists and is not
		 * trusted.
		 */
		if (dg->errnum == 0)
			dg->class = DIAG_POLICY;
		return -1;
	}
	if (fd == -1)
		return diag_set_errno(dg, DIAG_CONFIG, ENOENT, "open %s/%s",
		    paths->data_dir, below);
	return fs_read_fd(fd, below, max, out, dg);
}
