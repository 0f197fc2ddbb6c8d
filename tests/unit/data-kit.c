/* SPDX-License-Identifier: MIT */
/* The tree's data files, copied with an installation's modes. */
#include "data-kit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "host/paths.h"

#include "check.h"

static void
copy(const char *top, const char *name, const char *data)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *from = xasprintf("%s/%s", top, name);
	cleanup_free char *to = xasprintf("%s/%s", data, name);
	cleanup_close int src = -1;
	cleanup_close int dst = -1;

	CHECK_INT(mkdir(to, 0755), 0);
	if (fs_open_dir(from, &src, &dg) == 0 &&
	    fs_open_dir(to, &dst, &dg) == 0)
		(void)fs_copy_wanted(src, dst, NULL, NULL, &dg);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(chmod(to, 0755), 0);
}

char *
data_kit_copy(const char *dir)
{
	const char *top = getenv("top_srcdir");
	char *data = xasprintf("%s/data", dir);

	/* Of an earlier bed in the same directory. */
	if (mkdir(data, 0755) != 0 && errno == EEXIST)
		return data;
	CHECK_INT(chmod(data, 0755), 0);
	copy(top != NULL ? top : ".", "agents", data);
	copy(top != NULL ? top : ".", "bundles", data);
	copy(top != NULL ? top : ".", "compose", data);
	copy(top != NULL ? top : ".", "toolchains", data);
	return data;
}

void
data_kit_paths(struct paths *paths)
{
	paths_init(paths);
	paths->uid = geteuid();
	paths->gid = getegid();
	paths->data_dir = data_kit_copy(check_tmpdir());
	paths->config_dir = xasprintf("%s/config", check_tmpdir());
	CHECK_INT(mkdir(paths->config_dir, 0700), 0);
}
