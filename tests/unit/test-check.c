/* SPDX-License-Identifier: MIT */
/* The checker itself: what a test is promised before and after it runs. */
#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char last_tmpdir[4096];

static void
tmpdir_is_fresh(void)
{
	const char *dir = check_tmpdir();
	struct stat st;
	if (!CHECK(stat(dir, &st) == 0))
		return;
	CHECK_INT(st.st_mode & 07777, 0700);
	CHECK_STR(check_tmpdir(), dir);
	char sub[4200];
	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	CHECK_INT(mkdir(sub, 0700), 0);
	(void)snprintf(sub, sizeof(sub), "%s/sub/file", dir);
	int fd = open(sub, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	(void)close(fd);
	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	CHECK_INT(chmod(sub, 0), 0);
	(void)snprintf(last_tmpdir, sizeof(last_tmpdir), "%s", dir);
}

static void
tmpdir_is_removed(void)
{
	struct stat st;
	CHECK(last_tmpdir[0] != '\0');
	CHECK_INT(stat(last_tmpdir, &st), -1);
	CHECK(strcmp(check_tmpdir(), last_tmpdir) != 0);
}

static void
checks_return_what_they_saw(void)
{
	CHECK(CHECK(1 + 1 == 2));
	CHECK(CHECK_INT(-1, -1));
	CHECK(CHECK_STR("a", "a"));
	CHECK(CHECK_STR(NULL, NULL));
}

static const struct check_test tests[] = {
	{ "a test has a fresh private directory", tmpdir_is_fresh },
	{ "the directory is gone after the test", tmpdir_is_removed },
	{ "checks return what they saw", checks_return_what_they_saw },
};

int
main(void)
{
	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
