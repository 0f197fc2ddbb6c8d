/* SPDX-License-Identifier: MIT */
/* Finding entries of a project by their names. */
#include "check.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/below.h"
#include "tree-kit.h"

static const char *const names[] = { "lock", ".conf", NULL };

static void
found(void *arg, const char *path)
{
	strvec_push(arg, path);
}

/* Returned: the paths that are found, sorted. */
static char *
find(int fd, bool *ret_whole)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec paths = STRVEC_INIT;

	CHECK_INT(below_find(fd, names, found, &paths, ret_whole, &dg), 0);
	CHECK_STR(dg.message, NULL);
	strvec_sort(&paths);
	return strvec_join(&paths, " ");
}

static void
test_names(void)
{
	static const char *const files[] = { "lock", "clock", "a/lock",
		"a/locks", "a/.conf/lock", "a/b/c/lock", "node_modules/x/lock",
		"a/target/lock", ".git/lock", ".drydock/lock", "z/x" };
	cleanup_close int fd = tree_make("names");
	cleanup_free char *got = NULL;
	bool whole = false;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		tree_put_below(fd, files[i], "");
	CHECK_INT(symlinkat("../a", fd, "z/link"), 0);
	CHECK_INT(symlinkat("/nowhere", fd, "z/lock"), 0);
	CHECK_INT(mkfifoat(fd, "z/.conf", 0600), 0);
	got = find(fd, &whole);
	CHECK_STR(got, "a/.conf a/b/c/lock a/lock lock z/.conf z/lock");
	CHECK(whole);
}

static void
test_depth(void)
{
	cleanup_close int fd = tree_make("depth");
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_free char *last = NULL;
	cleanup_free char *beyond = NULL;
	bool whole = true;

	/* The project's own directory is the first one. */
	for (int i = 1; i < BELOW_DEPTH; i++)
		strbuf_addstr(&path, "d/");
	strbuf_addstr(&path, "lock");
	tree_put_below(fd, path.buf, "");
	last = find(fd, &whole);
	CHECK_STR(last, path.buf);
	CHECK(whole);
	strbuf_setlen(&path, path.len - 4);
	strbuf_addstr(&path, "d/lock");
	tree_put_below(fd, path.buf, "");
	beyond = find(fd, &whole);
	CHECK_STR(beyond, last);
	CHECK(!whole);
}

static void
test_number(void)
{
	cleanup_close int fd = tree_make("number");
	cleanup_free char *got = NULL;
	bool whole = true;

	for (int d = 0; d < 2; d++) {
		char dir[] = { (char)('a' + d), '\0' };

		CHECK_INT(mkdirat(fd, dir, 0700), 0);
		for (int i = 0; i < BELOW_MAX / 2; i++) {
			cleanup_free char *name = xasprintf("%s/%d", dir, i);

			CHECK_INT(symlinkat("x", fd, name), 0);
		}
	}
	got = find(fd, &whole);
	CHECK_STR(got, "");
	CHECK(!whole);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "an entry is found by its name", test_names },
		{ "the depth is limited", test_depth },
		{ "the number of entries is limited", test_number },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
