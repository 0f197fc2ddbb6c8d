/* SPDX-License-Identifier: MIT */
/* A path in steps leads where the kernel would go, unless the judge says no. */
#include "base/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#include "check.h"
#include "tree-kit.h"

/* What the judge was asked, one name after the other. */
struct asked {
	struct strbuf names;
	const char *refused; /* NULL: none */
	int verdict;
};

static int
judge(void *arg, int dirfd, const char *name, const struct stat *st)
{
	struct asked *a = arg;
	struct stat there;

	CHECK_INT(fstatat(dirfd, name, &there, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(fs_same(&there, st));
	strbuf_addf(&a->names, "%s%c ", name, S_ISLNK(st->st_mode) ? '@' : ',');
	return a->refused != NULL && strcmp(name, a->refused) == 0 ? a->verdict
								   : 0;
}

static int
plant(void)
{
	int dir = tree_open();

	CHECK_INT(mkdirat(dir, "a", 0700), 0);
	CHECK_INT(mkdirat(dir, "a/b", 0700), 0);
	tree_file(dir, "a/b/file", 0600);
	CHECK_INT(symlinkat("a/b", dir, "to-b"), 0);
	CHECK_INT(symlinkat("../to-b/./file", dir, "a/up"), 0);
	CHECK_INT(symlinkat("a//up", dir, "chain"), 0);
	CHECK_INT(symlinkat("loop", dir, "loop"), 0);
	CHECK_INT(symlinkat("nowhere", dir, "dangling"), 0);
	return dir;
}

/* Each path as the kernel has it: the same file, or the same errno. */
static void
it_leads_where_the_kernel_goes(void)
{
	static const char *const paths[] = { ".", "..", "a", "a/", "a/b/file",
		"a/b/file/", "a/b/file/.", "a/b/file/..", "a//b/./../b/file",
		"to-b", "to-b/", "to-b/..", "to-b/../b/file", "chain", "chain/",
		"chain/x", "a/up", "loop", "loop/x", "dangling", "dangling/..",
		"absent", "a/absent/..", "", "/", "//", "/..", "/./tmp/..",
		"/proc/self", "/nowhere" };
	cleanup_close int dir = plant();

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct asked asked = { STRBUF_INIT, NULL, 0 };
		struct resolve r = { .judge = judge, .arg = &asked };
		cleanup_close int want =
		    openat(dir, paths[i], O_PATH | O_CLOEXEC);
		int want_errno = errno;
		cleanup_close int fd = -1;
		struct stat a;
		struct stat b;
		int rc = resolve_open(&r, dir, paths[i], &fd);
		int got_errno = errno;

		strbuf_release(&asked.names);
		if (want < 0) {
			if (!CHECK_INT(rc, -1) ||
			    !CHECK_INT(got_errno, want_errno))
				CHECK_STR(paths[i], "a failure");
			continue;
		}
		if (!CHECK_INT(rc, 0) || !CHECK_INT(fstat(want, &a), 0) ||
		    !CHECK_INT(fstat(fd, &b), 0) || !CHECK(fs_same(&a, &b)))
			CHECK_STR(paths[i], "the kernel's");
	}
}

static void
each_step_is_judged_before_it_is_taken(void)
{
	static const struct {
		const char *path, *refused, *asked;
		int rc, links;
	} rows[] = {
		{ "chain", NULL, "chain@ a, up@ to-b@ a, b, file, ", 0, 3 },
		{ "chain", "to-b", "chain@ a, up@ to-b@ ", 7, 2 },
		{ "chain", "chain", "chain@ ", 7, 0 },
		{ "a/b/file", "b", "a, b, ", 7, 0 },
		{ "a/b/file", "file", "a, b, file, ", 7, 0 },
		{ "loop", "none", NULL, -1, RESOLVE_MAX_LINKS + 1 },
	};
	cleanup_close int dir = plant();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct asked asked = { STRBUF_INIT, rows[i].refused, 7 };
		struct resolve r = { .judge = judge, .arg = &asked };
		cleanup_close int fd = -1;

		CHECK_INT(resolve_open(&r, dir, rows[i].path, &fd), rows[i].rc);
		CHECK_INT(fd >= 0, rows[i].rc == 0);
		CHECK_INT(r.links, rows[i].links);
		if (rows[i].asked != NULL)
			CHECK_STR(asked.names.buf, rows[i].asked);
		strbuf_release(&asked.names);
	}
}

/* Puts a link to another file in the place of the one that was judged. */
static int
swap(void *arg, int dirfd, const char *name, const struct stat *st)
{
	const int *dir = arg;

	if (strcmp(name, "swapped") == 0 && S_ISLNK(st->st_mode)) {
		CHECK_INT(unlinkat(dirfd, name, 0), 0);
		CHECK_INT(symlinkat("other", *dir, name), 0);
	}
	return 0;
}

static void
what_is_swapped_after_its_judgement_is_not_followed(void)
{
	cleanup_close int dir = plant();
	cleanup_close int fd = -1;
	cleanup_free char *real = NULL;
	struct resolve r = { .judge = swap, .arg = &dir };

	tree_file(dir, "other", 0600);
	CHECK_INT(symlinkat("a/b/file", dir, "swapped"), 0);
	CHECK_INT(resolve_open(&r, dir, "swapped", &fd), 0);
	CHECK_INT(fs_real_path(fd, &real), 0);
	CHECK(real != NULL && strstr(real, "/a/b/file") != NULL);
}

static void
a_path_is_as_long_as_it_may_be(void)
{
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	cleanup_close int dir = plant();
	cleanup_close int fd = -1;
	struct asked asked = { STRBUF_INIT, NULL, 0 };
	struct resolve r = { .judge = judge, .arg = &asked };

	for (int i = 0; i < 300; i++)
		strbuf_addch(&name, 'x');
	CHECK_INT(resolve_open(&r, dir, name.buf, &fd), -1);
	CHECK_INT(errno, ENAMETOOLONG);
	/* Each link adds to what is left: a flood of it has an end. */
	strbuf_reset(&name);
	strbuf_addstr(&name, "grow");
	for (int i = 0; i < 2000; i++)
		strbuf_addstr(&name, "/.");
	CHECK_INT(symlinkat(name.buf, dir, "grow"), 0);
	r.links = 0;
	CHECK_INT(resolve_open(&r, dir, "grow", &fd), -1);
	CHECK(errno == ENAMETOOLONG || errno == ELOOP);
	strbuf_release(&asked.names);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "it leads where the kernel goes",
		    it_leads_where_the_kernel_goes },
		{ "each step is judged before it is taken",
		    each_step_is_judged_before_it_is_taken },
		{ "what is swapped after its judgement is not followed",
		    what_is_swapped_after_its_judgement_is_not_followed },
		{ "a path is as long as it may be",
		    a_path_is_as_long_as_it_may_be },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
