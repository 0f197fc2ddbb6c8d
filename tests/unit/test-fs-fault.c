/* SPDX-License-Identifier: MIT */
/* Replacing a file while each system call of it fails in turn (--wrap). */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "tree-kit.h"

enum call {
	CALL_NONE,
	CALL_WRITE,
	CALL_FCHMOD,
	CALL_FSYNC,
	CALL_RENAMEAT,
	CALL_UNLINKAT,
};

/* The nth call of this kind fails with errnum; the checker's only state. */
static struct {
	enum call call;
	int nth;
	int errnum;
	bool slow; /* write(2) takes one byte, and EINTR between */
	int writes;
} fault;

ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __real_renameat(int fd, const char *from, int fd2, const char *to);
int __real_unlinkat(int fd, const char *name, int flags);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_renameat(int fd, const char *from, int fd2, const char *to);
int __wrap_unlinkat(int fd, const char *name, int flags);

static bool
fails(enum call call)
{
	if (fault.call != call || --fault.nth != 0)
		return false;
	errno = fault.errnum;
	return true;
}

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	if (fails(CALL_WRITE))
		return -1;
	if (fault.slow && fault.writes++ % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	return __real_write(fd, data, fault.slow ? 1 : len);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	return fails(CALL_FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_fsync(int fd)
{
	return fails(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

int
__wrap_renameat(int fd, const char *from, int fd2, const char *to)
{
	return fails(CALL_RENAMEAT) ? -1 : __real_renameat(fd, from, fd2, to);
}

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
	return fails(CALL_UNLINKAT) ? -1 : __real_unlinkat(fd, name, flags);
}

static void
each_failure_keeps_a_whole_file(void)
{
	static const struct {
		enum call call;
		int nth;
		int errnum;
		const char *message;
		const char *after;
	} rows[] = {
		{ CALL_WRITE, 1, ENOSPC, "write f: No space left on device",
		    "old" },
		{ CALL_FCHMOD, 1, EPERM, "chmod f: Operation not permitted",
		    "old" },
		{ CALL_FSYNC, 1, EIO, "sync f: Input/output error", "old" },
		{ CALL_RENAMEAT, 1, EROFS, "replace f: Read-only file system",
		    "old" },
		/* The rename is done; only that it lasts is not known. */
		{ CALL_FSYNC, 2, EIO,
		    "sync the directory of f: Input/output error", "new" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf sb = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = tree_open();

		fault.call = CALL_NONE;
		CHECK_INT(fs_replace_file(dir, "f", "old", 3, 0600, &dg), 0);
		fault.call = rows[i].call;
		fault.nth = rows[i].nth;
		fault.errnum = rows[i].errnum;
		CHECK_INT(fs_replace_file(dir, "f", "new", 3, 0600, &dg), -1);
		fault.call = CALL_NONE;
		CHECK_INT(fault.nth, 0);
		CHECK_INT(dg.class, DIAG_IO);
		CHECK_INT(dg.errnum, rows[i].errnum);
		CHECK_STR(dg.message, rows[i].message);
		diag_clear(&dg);
		CHECK_INT(fs_read_file(dir, "f", 10, &sb, &dg), 0);
		CHECK_STR(sb.buf, rows[i].after);
		CHECK_INT(tree_count(dir), 1);
	}
}

static void
short_writes_are_finished(void)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();

	fault.slow = true;
	CHECK_INT(fs_replace_file(dir, "f", "0123456789", 10, 0600, &dg), 0);
	fault.slow = false;
	CHECK_INT(fault.writes, 20);
	CHECK_INT(fs_read_file(dir, "f", 10, &sb, &dg), 0);
	CHECK_STR(sb.buf, "0123456789");
}

/*
 * Whichever entry it is that fails, the others go and it is named.  That d is
 * not empty is no failure, whatever says so.
 */
static void
removal_names_what_failed(void)
{
	int removed = 0;

	for (int nth = 2; nth <= 7; nth++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int dir = tree_open();
		cleanup_close int top = -1;

		CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
		CHECK_INT(mkdirat(top, "d", 0700), 0);
		CHECK_INT(symlinkat("x", top, "d/a"), 0);
		CHECK_INT(symlinkat("x", top, "d/b"), 0);
		CHECK_INT(symlinkat("x", top, "c"), 0);
		fault.call = CALL_UNLINKAT;
		fault.nth = nth; /* the first asks whether top is a file */
		fault.errnum = EIO;
		removed += fs_remove_tree(dir, "top", &dg) == 0;
		fault.call = CALL_NONE;
		CHECK(fault.nth <= 0);
		CHECK(tree_count(top) <= 1);
		if (dg.class != DIAG_NONE) {
			CHECK_INT(dg.errnum, EIO);
			CHECK(dg.message != NULL &&
			    strncmp(dg.message, "remove top", 10) == 0);
			CHECK(strstr(dg.message, "Input/output error") != NULL);
			diag_clear(&dg);
			CHECK_INT(fs_remove_tree(dir, "top", &dg), 0);
		}
		CHECK_INT(tree_count(dir), 0);
	}
	CHECK_INT(removed, 1);
}

static const struct check_test tests[] = {
	{ "whichever call fails, a whole file stands and no other",
	    each_failure_keeps_a_whole_file },
	{ "short and interrupted writes are finished",
	    short_writes_are_finished },
	{ "a removal that fails somewhere removes the rest",
	    removal_names_what_failed },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
