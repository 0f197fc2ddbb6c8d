/* SPDX-License-Identifier: MIT */
/* Connecting to a unix socket in a directory that others can write. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The owner gives itself back the rights that somebody took away. */
static bool
give_rights_back(int fd, const struct stat *st, mode_t rights)
{
	return st->st_uid == geteuid() && (st->st_mode & rights) != rights &&
	    fs_chmod_fd(fd, (st->st_mode & 07777) | rights) == 0;
}

/* Without the rights to the directory there is no descriptor of the socket. */
static int
open_socket(int dirfd, const char *name)
{
	static const int flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);
	struct stat st;

	if (fd >= 0 || errno != EACCES)
		return fd;
	if (fstat(dirfd, &st) != 0 || !give_rights_back(dirfd, &st, S_IRWXU)) {
		errno = EACCES;
		return -1;
	}
	return openat(dirfd, name, flags);
}

int
fs_connect_socket(int dirfd, const char *name, int *ret_fd)
{
	struct stat st;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	cleanup_close int at = open_socket(dirfd, name);
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
	if (connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0 &&
	    (errno != EACCES || !give_rights_back(at, &st, S_IRUSR | S_IWUSR) ||
		connect(fd, (const struct sockaddr *)&un, sizeof(un)) != 0))
		return -1;
	*ret_fd = steal_fd(&fd);
	return 0;
}
