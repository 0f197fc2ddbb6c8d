/* SPDX-License-Identifier: MIT */
/* What a killed process leaves between making a file and renaming it. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "tree-kit.h"

static void
what_was_left_is_removed(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	char temp[FS_TEMP_SIZE];
	int fd = -1;

	CHECK_INT(fs_temp_create(dir, "f", temp, &fd, &dg), 0);
	CHECK_INT(close(fd), 0); /* as a kill does */
	CHECK(tree_has(dir, temp));
	fs_temp_clean(dir, "f");
	CHECK(!tree_has(dir, temp));
}

static void
what_somebody_fills_stays(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	char temp[FS_TEMP_SIZE];
	cleanup_close int fd = -1;

	CHECK_INT(fs_temp_create(dir, "f", temp, &fd, &dg), 0);
	fs_temp_clean(dir, "f");
	CHECK(tree_has(dir, temp));
	CHECK_INT(fs_replace_file(dir, "f", "new", 3, 0600, &dg), 0);
	CHECK(tree_has(dir, temp));
	CHECK_INT(renameat(dir, temp, dir, "f"), 0);
}

/* Other names, and what is no file of ours. */
static void
nothing_else_is_removed(void)
{
	static const char *const names[] = { ".f.aaaabbbbccccd",
		".f.aaaabbbbccc", ".g.aaaabbbbcccc", "f.aaaabbbbcccc", "f" };
	cleanup_close int dir = tree_open();
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		tree_file(dir, names[i], 0600);
	CHECK_INT(symlinkat("f", dir, ".f.aaaabbbblink"), 0);
	CHECK_INT(mkfifoat(dir, ".f.aaaabbbbfifo", 0600), 0);
	CHECK_INT(mkdirat(dir, ".f.aaaabbbbdirs", 0700), 0);
	fs_temp_clean(dir, "f");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK(tree_has(dir, names[i]));
	CHECK(tree_has(dir, ".f.aaaabbbblink"));
	CHECK(tree_has(dir, ".f.aaaabbbbfifo"));
	CHECK(tree_has(dir, ".f.aaaabbbbdirs"));
	CHECK_INT(fstatat(dir, "f", &st, 0), 0);
	CHECK_INT(st.st_size, 4);
}

static const struct check_test tests[] = {
	{ "what was left is removed", what_was_left_is_removed },
	{ "what somebody fills stays", what_somebody_fills_stays },
	{ "nothing else is removed", nothing_else_is_removed },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
