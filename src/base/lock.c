/* SPDX-License-Identifier: MIT */
/* flock(2), and the check that the name still leads to the locked inode. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"

#define LOCK_MODE ((mode_t)0600)
#define WAIT_STEP_MS 20

/* Opens without following symlinks; *ret_gone if the name leads nowhere. */
static int
open_name(int dirfd, const char *name, int flags, bool *ret_gone, int *ret_fd,
    struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;

	*ret_gone = false;
	if (fs_open_nolinks(dirfd, name, flags, LOCK_MODE, ret_fd, &mine) == 0)
		return 0;
	*ret_gone = fs_is_absent(&mine);
	return *ret_gone ? 0 : diag_move(dg, &mine);
}

static int
check_file(
    int fd, const char *name, bool create, struct stat *ret_st, struct diag *dg)
{
	if (fstat(fd, ret_st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", name);
	if (!S_ISREG(ret_st->st_mode))
		return diag_set(
		    dg, DIAG_IO, "lock %s: not a regular file", name);
	/* A file created under an unusual umask would lock its owner out. */
	if (create && ret_st->st_uid == geteuid() &&
	    (ret_st->st_mode & 07777) != LOCK_MODE && fchmod(fd, LOCK_MODE) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "chmod %s", name);
	return 0;
}

/* Checks that the name leads to the locked inode. */
static int
still_there(int dirfd, const char *name, const struct stat *locked,
    bool *ret_there, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct stat st;
	bool gone;

	*ret_there = false;
	if (open_name(dirfd, name, O_PATH, &gone, &fd, dg) != 0)
		return -1;
	if (gone)
		return 0;
	if (fstat(fd, &st) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "stat %s", name);
	*ret_there = fs_same(&st, locked);
	return 0;
}

static int
flock_now(int fd, int operation)
{
	int rc;

	do
		rc = flock(fd, operation | LOCK_NB);
	while (rc < 0 && errno == EINTR);
	return rc;
}

static int
take(int dirfd, const char *name, bool create, int operation,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg)
{
	int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0);
	cleanup_close int fd = -1;
	struct stat st;
	bool gone;
	bool there;

	if (open_name(dirfd, name, flags, &gone, &fd, dg) != 0)
		return -1;
	if (gone) {
		*ret_answer = LOCK_GONE;
		return 0;
	}
	if (check_file(fd, name, create, &st, dg) != 0)
		return -1;
	if (flock_now(fd, operation) < 0) {
		if (errno != EWOULDBLOCK)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "lock %s", name);
		*ret_answer = LOCK_BUSY;
		return 0;
	}
	if (still_there(dirfd, name, &st, &there, dg) != 0)
		return -1;
	if (there)
		*ret_fd = steal_fd(&fd);
	*ret_answer = there ? LOCK_WON : LOCK_GONE;
	return 0;
}

static int
take_until(int dirfd, const char *name, bool create, int operation,
    int timeout_ms, enum lock_answer *ret_answer, int *ret_fd, struct diag *dg)
{
	int64_t deadline = monotime_ms() + timeout_ms;

	for (;;) {
		enum lock_answer answer = LOCK_BUSY;
		int left;

		if (take(dirfd, name, create, operation, &answer, ret_fd, dg) !=
		    0)
			return -1;
		left = monotime_left_ms(deadline);
		if (answer != LOCK_BUSY || left == 0) {
			*ret_answer = answer;
			return 0;
		}
		/* flock(2) has no timeout. */
		(void)poll(NULL, 0, left < WAIT_STEP_MS ? left : WAIT_STEP_MS);
	}
}

int
lock_try(int dirfd, const char *name, bool create, enum lock_answer *ret_answer,
    int *ret_fd, struct diag *dg)
{
	return take(dirfd, name, create, LOCK_EX, ret_answer, ret_fd, dg);
}

int
lock_wait(int dirfd, const char *name, bool create, int timeout_ms,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg)
{
	return take_until(
	    dirfd, name, create, LOCK_EX, timeout_ms, ret_answer, ret_fd, dg);
}

int
lock_wait_shared(int dirfd, const char *name, int timeout_ms,
    enum lock_answer *ret_answer, int *ret_fd, struct diag *dg)
{
	return take_until(
	    dirfd, name, true, LOCK_SH, timeout_ms, ret_answer, ret_fd, dg);
}
