/* SPDX-License-Identifier: MIT */
/* Connecting to a unix socket in a directory that others can write. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"

int
fs_connect_socket(int dirfd, const char *name, int *ret_fd)
{
	struct stat st;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	cleanup_close int at =
	    openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int fd = -1;

	if (at < 0 || fstat(at, &st) != 0)
		return -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* The descriptor, unlike the name, cannot be replaced. */
	(void)snprintf(
	    un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d", at);
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0)
		return -1;
	*ret_fd = steal_fd(&fd);
	return 0;
}
