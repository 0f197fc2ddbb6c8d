/* SPDX-License-Identifier: MIT */
/* Takes and tests a lock of an open file description, see fcntl(2). */
#include "session/viewers.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"

#define VIEWERS_NAME "viewers"

static int
open_file(int session_fd, int flags)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	int fd = -1;

	(void)fs_open_nolinks(
	    session_fd, VIEWERS_NAME, flags | O_NONBLOCK, 0600, &fd, &ignored);
	return fd;
}

int
viewers_join(int session_fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	cleanup_close int fd = open_file(session_fd, O_RDWR | O_CREAT);

	if (fd == -1 || fcntl(fd, F_OFD_SETLK, &lock) != 0)
		return -1;
	return steal_fd(&fd);
}

/* Returns F_UNLCK if nobody holds a lock; -1 if that is unknown. */
static int
ask(int session_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	cleanup_close int fd = open_file(session_fd, O_RDWR);

	return fd != -1 && fcntl(fd, F_OFD_GETLK, &lock) == 0 ? lock.l_type
							      : -1;
}

bool
viewers_present(int session_fd)
{
	int type = ask(session_fd);

	return type != -1 && type != F_UNLCK;
}

bool
viewers_left(int session_fd)
{
	return ask(session_fd) == F_UNLCK;
}

void
viewers_forget(int session_fd)
{
	(void)unlinkat(session_fd, VIEWERS_NAME, 0);
}

bool
viewers_forgotten(int session_fd)
{
	return faccessat(session_fd, VIEWERS_NAME, F_OK, AT_SYMLINK_NOFOLLOW) !=
	    0 &&
	    errno == ENOENT;
}
