/* SPDX-License-Identifier: MIT */
/* usage: what a tree takes, and for how long it is looked at. */
#include "session/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"

#include "check.h"

#define SIZE ((size_t)1 << 20)

static int
make_tree(void)
{
	static char data[SIZE];
	int dir = open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = -1;

	CHECK_INT(mkdirat(dir, "a", 0700), 0);
	CHECK_INT(mkdirat(dir, "a/b", 0700), 0);
	fd = openat(dir, "a/b/big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)memset(data, 'x', sizeof(data));
	CHECK_INT(write(fd, data, sizeof(data)), (ssize_t)sizeof(data));
	CHECK_INT(fsync(fd), 0);
	/* Neither is followed; a hole takes nothing. */
	CHECK_INT(symlinkat("/", dir, "a/root"), 0);
	CHECK_INT(symlinkat("..", dir, "a/up"), 0);
	cleanup_close_fn(&fd);
	fd = openat(dir, "a/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(ftruncate(fd, (off_t)1 << 40), 0);
	return dir;
}

static void
test_tree(void)
{
	cleanup_close int dir = make_tree();
	struct usage u;

	usage_measure(dir, 10000, &u);
	CHECK(u.whole);
	CHECK_INT(u.files, 6);
	CHECK(u.bytes >= (int64_t)SIZE);
	CHECK(u.bytes < 2 * (int64_t)SIZE);
}

static void
test_time(void)
{
	cleanup_close int dir = make_tree();
	struct usage u;

	usage_measure(dir, 0, &u);
	CHECK(!u.whole);
	CHECK_INT(u.files, 0);
}

/* As deep as an agent can make it; the rest is not counted. */
static void
test_deep(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int at = dup(dir);
	struct usage u;

	for (int i = 0; i < 1000; i++) {
		int next;

		CHECK_INT(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	usage_measure(dir, 10000, &u);
	CHECK(!u.whole);
	CHECK(u.files > 200 && u.files < 300);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a tree is added up, links are not followed", test_tree },
		{ "when the time is over it is not whole", test_time },
		{ "a tree that is too deep is not whole", test_deep },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
