/* SPDX-License-Identifier: MIT */
/*
 * Finding entries of a project by their names, and its lock files, which an
 * agent may have made.
 */
#include "check.h"

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/below.h"
#include "host/toolchain.h"
#include "tree-kit.h"

static struct {
	int times; /* that a directory has each link */
	int left; /* of the last one */
	struct dirent *last;
} repeated = { .times = 1 };

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

struct dirent *
__wrap_readdir(DIR *dir)
{
	if (repeated.left > 0) {
		repeated.left--;
		return repeated.last;
	}
	repeated.last = __real_readdir(dir);
	if (repeated.last != NULL && repeated.last->d_type == DT_LNK)
		repeated.left = repeated.times - 1;
	return repeated.last;
}

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
	cleanup_free char *at_most = NULL;
	cleanup_free char *got = NULL;
	bool whole = true;

	CHECK_INT(mkdirat(fd, "a", 0700), 0);
	CHECK_INT(symlinkat("x", fd, "a/x"), 0);
	CHECK_INT(mkdirat(fd, "b", 0700), 0);
	CHECK_INT(symlinkat("x", fd, "b/x"), 0);
	/* Two hundred thousand links would cost more than all other tests. */
	repeated.times = BELOW_MAX / 2 - 1;
	at_most = find(fd, &whole);
	CHECK_STR(at_most, "");
	CHECK(whole);
	repeated.times = BELOW_MAX / 2;
	got = find(fd, &whole);
	repeated.times = 1;
	repeated.left = 0;
	CHECK_STR(got, "");
	CHECK(!whole);
}

/* Toolchains with the caches of these managers. */
static struct toolchains
make_toolchains(struct toolchain *tc, struct toolchain_cache *caches, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		caches[i] = (struct toolchain_cache){
			.path = (char *)(uintptr_t)package_managers[i].slot_dir,
		};
	tc->caches = caches;
	tc->ncaches = nr;
	return (struct toolchains){ tc, 1 };
}

/* Returned: the paths that are found, in their order, with commas. */
static char *
find_locks(int project, size_t nmanagers, int64_t deadline, bool *ret_whole)
{
	struct toolchain_cache caches[PACKAGE_MANAGER_NR];
	struct toolchain tc = TOOLCHAIN_INIT;
	struct toolchains toolchains = make_toolchains(&tc, caches, nmanagers);
	cleanup_strvec struct strvec all = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_below_locks struct below_locks locks;

	if (!CHECK_INT(
		below_find_locks(&locks, project, &toolchains, deadline, &dg),
		0))
		CHECK_STR(dg.message, NULL);
	for (size_t i = 0; i < PACKAGE_MANAGER_NR; i++)
		strvec_push_all(&all, (const char *const *)locks.paths[i].v);
	*ret_whole = locks.whole;
	return strvec_join(&all, ",");
}

static void
check_locks(int project, size_t nmanagers, const char *want)
{
	bool whole = false;
	cleanup_free char *got =
	    find_locks(project, nmanagers, INT64_MAX, &whole);

	CHECK_STR(got, want);
	CHECK(whole);
}

static void
the_nearest_come_first(void)
{
	cleanup_close int project = tree_make("project");

	check_locks(
	    project, PACKAGE_MANAGER_NR, "Cargo.lock,package-lock.json,go.sum");
	tree_put(project, "Cargo.lock", "");
	tree_put_below(project, "a/b/Cargo.lock", "");
	tree_put_below(project, "z/Cargo.lock", "");
	tree_put_below(project, "b/Cargo.lock", "");
	tree_put_below(project, "b/go.sum", "");
	tree_put_below(project, "b/Cargo.lock.orig", "");
	tree_put_below(project, ".hidden/package-lock.json", "");
	check_locks(project, PACKAGE_MANAGER_NR,
	    "Cargo.lock,b/Cargo.lock,z/Cargo.lock,a/b/Cargo.lock,"
	    "package-lock.json,.hidden/package-lock.json,go.sum,b/go.sum");
	/* A manager that no toolchain has has no lock files. */
	check_locks(
	    project, 1, "Cargo.lock,b/Cargo.lock,z/Cargo.lock,a/b/Cargo.lock");
	check_locks(project, 0, "");
}

static void
what_others_made_is_not_searched(void)
{
	static const char *const dirs[] = { ".drydock", ".git", "node_modules",
		"target", "vendor" };
	cleanup_close int project = tree_make("project");

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *top = xasprintf("%s/Cargo.lock", dirs[i]);
		cleanup_free char *deep =
		    xasprintf("a/%s/b/Cargo.lock", dirs[i]);

		tree_put_below(project, top, "");
		tree_put_below(project, deep, "");
	}
	tree_put_below(project, "a/Cargo.lock", "");
	check_locks(project, 1, "Cargo.lock,a/Cargo.lock");
}

static void
no_link_is_followed(void)
{
	cleanup_close int project = tree_make("project");
	cleanup_close int outside = tree_make("outside");

	tree_put_below(outside, "sub/Cargo.lock", "");
	tree_put_below(project, "a/Cargo.lock", "");
	CHECK_INT(symlinkat("../outside", project, "out"), 0);
	CHECK_INT(symlinkat("a", project, "same"), 0);
	CHECK_INT(symlinkat("..", project, "a/up"), 0);
	check_locks(project, 1, "Cargo.lock,a/Cargo.lock");
}

/* It is for the reader to refuse; a directory is not searched. */
static void
an_entry_of_any_type_is_found(void)
{
	cleanup_close int project = tree_make("project");

	tree_put_below(project, "dir/Cargo.lock/Cargo.lock", "");
	tree_put_below(project, "fifo/x", "");
	CHECK_INT(mkfifoat(project, "fifo/Cargo.lock", 0600), 0);
	tree_put_below(project, "link/x", "");
	CHECK_INT(symlinkat("/etc/passwd", project, "link/Cargo.lock"), 0);
	check_locks(project, 1,
	    "Cargo.lock,dir/Cargo.lock,fifo/Cargo.lock,link/Cargo.lock");
}

static void
limits_end_the_search(void)
{
	cleanup_close int project = tree_make("project");
	cleanup_free char *deepest = xstrdup("");
	cleanup_free char *got = NULL;
	cleanup_free char *late = NULL;
	cleanup_free char *many = NULL;
	bool whole = true;
	size_t nr = 1;

	/* The directory of the last one is one too deep. */
	for (int i = 1; i <= BELOW_DEPTH; i++) {
		char *next = xasprintf("%s%s/", deepest, "d");
		cleanup_free char *path = xasprintf("%sCargo.lock", next);

		free(deepest);
		deepest = next;
		tree_put_below(project, path, "");
	}
	got = find_locks(project, 1, INT64_MAX, &whole);
	CHECK(!whole);
	for (const char *p = got; (p = strchr(p, ',')) != NULL; p++)
		nr++;
	CHECK_INT(nr, BELOW_DEPTH);

	late = find_locks(project, 1, 0, &whole);
	CHECK_STR(late, "Cargo.lock");
	CHECK(!whole);

	for (int i = 0; i <= BELOW_MAX_LOCKS; i++) {
		cleanup_free char *path = xasprintf("m%d/Cargo.lock", i);

		tree_put_below(project, path, "");
	}
	many = find_locks(project, 1, INT64_MAX, &whole);
	CHECK(!whole);
	nr = 0;
	for (const char *p = many; (p = strchr(p, ',')) != NULL; p++)
		nr++;
	CHECK_INT(nr, BELOW_MAX_LOCKS);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "an entry is found by its name", test_names },
		{ "the depth is limited", test_depth },
		{ "the number of entries is limited", test_number },
		{ "the nearest lock files come first", the_nearest_come_first },
		{ "what others made is not searched for lock files",
		    what_others_made_is_not_searched },
		{ "no link is followed to a lock file", no_link_is_followed },
		{ "a lock file of any type is found",
		    an_entry_of_any_type_is_found },
		{ "limits end the search for lock files",
		    limits_end_the_search },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
