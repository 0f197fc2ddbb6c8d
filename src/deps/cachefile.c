/* SPDX-License-Identifier: MIT */
/* Opens what is below a cache, which is hostile input. */
#include "deps/cachefile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"

int
cachefile_open_beneath(int dirfd, const char *path, int flags)
{
	return fs_openat2(dirfd, path, flags, 0,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int
cachefile_open(
    int dirfd, const char *path, struct stat *ret_st, const char **ret_why)
{
	cleanup_close int fd = cachefile_open_beneath(
	    dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	*ret_why = NULL;
	if (fd < 0) {
		if (errno == ELOOP)
			*ret_why = "it is a symbolic link";
		else if (errno == EACCES)
			*ret_why = "it cannot be read";
		else if (errno == ENXIO)
			*ret_why = "it is not a regular file";
		/* No file can have such a path. */
		else if (errno == ENOTDIR || errno == ENAMETOOLONG)
			errno = ENOENT;
		return -1;
	}
	if (fstat(fd, ret_st) < 0)
		return -1;
	if (!S_ISREG(ret_st->st_mode)) {
		*ret_why = "it is not a regular file";
		return -1;
	}
	return steal_fd(&fd);
}
