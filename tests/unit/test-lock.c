/* SPDX-License-Identifier: MIT */
/* Locks, and names that stop leading to what was locked. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/monotime.h"

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

/* The directory in which somebody is faster, or -1. */
static int swap_dir = -1;

/* Between opening and locking the file at the name becomes another one. */
int
__wrap_flock(int fd, int operation)
{
	if (swap_dir >= 0) {
		CHECK_INT(renameat(swap_dir, "swapped", swap_dir, "away"), 0);
		(void)close(openat(
		    swap_dir, "swapped", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	return __real_flock(fd, operation);
}

static int
open_tmp(void)
{
	int fd = open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static enum lock_answer
try(int dir, const char *name, bool create, int *fd)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer = LOCK_GONE;

	if (!CHECK_INT(lock_try(dir, name, create, &answer, fd, &dg), 0))
		CHECK_STR(dg.message, NULL);
	return answer;
}

static void
one_wins(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int first = -1;
	cleanup_close int second = -1;

	CHECK_INT(try(dir, "l", true, &first), LOCK_WON);
	CHECK(first >= 0);
	CHECK_INT(fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	CHECK_INT(try(dir, "l", true, &second), LOCK_BUSY);
	CHECK_INT(second, -1);
	CHECK_INT(close(steal_fd(&first)), 0);
	CHECK_INT(try(dir, "l", false, &second), LOCK_WON);
}

static void
the_last_copy_holds(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int first = -1;
	cleanup_close int copy = -1;
	cleanup_close int second = -1;

	CHECK_INT(try(dir, "l", true, &first), LOCK_WON);
	copy = fcntl(first, F_DUPFD_CLOEXEC, 3);
	(void)close(steal_fd(&first));
	CHECK_INT(try(dir, "l", true, &second), LOCK_BUSY);
	(void)close(steal_fd(&copy));
	CHECK_INT(try(dir, "l", true, &second), LOCK_WON);
}

static void
absence_is_gone(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int fd = -1;

	CHECK_INT(try(dir, "none", false, &fd), LOCK_GONE);
	CHECK_INT(try(dir, "no/dir", true, &fd), LOCK_GONE);
	CHECK_INT(fd, -1);
}

static void
modes_do_not_depend_on_umask(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int fd = -1;
	mode_t old = umask(0777);
	struct stat st;

	CHECK_INT(try(dir, "l", true, &fd), LOCK_WON);
	(void)umask(old);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
}

/* A holder whose file was renamed away must not keep others out. */
static void
another_file_is_another_lock(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int first = -1;
	cleanup_close int second = -1;

	CHECK_INT(try(dir, "l", true, &first), LOCK_WON);
	CHECK_INT(renameat(dir, "l", dir, "m"), 0);
	CHECK_INT(try(dir, "l", false, &second), LOCK_GONE);
	CHECK_INT(try(dir, "l", true, &second), LOCK_WON);
}

static void
links_and_other_kinds_fail(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int fd = -1;
	static const char *const names[] = { "link", "fifo", "dir", "../x" };

	CHECK_INT(symlinkat("target", dir, "link"), 0);
	CHECK_INT(mkfifoat(dir, "fifo", 0600), 0);
	CHECK_INT(mkdirat(dir, "dir", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		enum lock_answer answer;

		CHECK_INT(lock_try(dir, names[i], true, &answer, &fd, &dg), -1);
		CHECK_INT(dg.class, DIAG_IO);
		CHECK_INT(fd, -1);
	}
	CHECK_INT(faccessat(dir, "target", F_OK, 0), -1);
}

static void
waiting_ends(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int first = -1;
	cleanup_close int second = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer = LOCK_WON;
	int64_t start = monotime_ms();

	CHECK_INT(try(dir, "l", true, &first), LOCK_WON);
	CHECK_INT(lock_wait(dir, "l", true, 60, &answer, &second, &dg), 0);
	CHECK_INT(answer, LOCK_BUSY);
	CHECK(monotime_ms() - start >= 60);
	(void)close(steal_fd(&first));
	CHECK_INT(lock_wait(dir, "l", true, 60, &answer, &second, &dg), 0);
	CHECK_INT(answer, LOCK_WON);
}

static void
a_lock_of_what_went_away_is_none(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int fd = -1;

	CHECK_INT(try(dir, "swapped", true, &fd), LOCK_WON);
	(void)close(steal_fd(&fd));
	swap_dir = dir;
	CHECK_INT(try(dir, "swapped", true, &fd), LOCK_GONE);
	CHECK_INT(fd, -1);
	swap_dir = -1;
	CHECK_INT(try(dir, "swapped", true, &fd), LOCK_WON);
}

static enum lock_answer
share(int dir, int *fd)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer = LOCK_GONE;

	CHECK_INT(lock_wait_shared(dir, "l", 0, &answer, fd, &dg), 0);
	return answer;
}

static void
several_share(void)
{
	cleanup_close int dir = open_tmp();
	cleanup_close int first = -1;
	cleanup_close int second = -1;
	cleanup_close int all = -1;

	CHECK_INT(share(dir, &first), LOCK_WON);
	CHECK_INT(share(dir, &second), LOCK_WON);
	CHECK_INT(try(dir, "l", true, &all), LOCK_BUSY);
	(void)close(steal_fd(&first));
	CHECK_INT(try(dir, "l", true, &all), LOCK_BUSY);
	(void)close(steal_fd(&second));
	CHECK_INT(try(dir, "l", true, &all), LOCK_WON);
	CHECK_INT(share(dir, &first), LOCK_BUSY);
	CHECK_INT(first, -1);
}

static const struct check_test tests[] = {
	{ "one wins, the other hears busy", one_wins },
	{ "the last copy of the descriptor holds the lock",
	    the_last_copy_holds },
	{ "a name that leads nowhere is gone, not an error", absence_is_gone },
	{ "a lock's mode does not depend on the umask",
	    modes_do_not_depend_on_umask },
	{ "a file renamed away is not what the name locks",
	    another_file_is_another_lock },
	{ "a lock won on a file that is no longer at the name is none",
	    a_lock_of_what_went_away_is_none },
	{ "links, fifos, directories and outward names fail",
	    links_and_other_kinds_fail },
	{ "waiting ends at its deadline", waiting_ends },
	{ "several share a lock, and nobody has it alone then", several_share },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
