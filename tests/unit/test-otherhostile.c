/* SPDX-License-Identifier: MIT */
/*
 * Files of pnpm and yarn that are made to take much time or memory.  A test
 * that takes quadratic time ends the program.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/otherpatches.h"
#include "deps/patchcheck.h"
#include "deps/pnpmlock.h"
#include "deps/yarnlock.h"
#include "deps/yarnpatch.h"
#include "tree-kit.h"

/*
 * Of a processor; linear time is less than a fifth of a second.  COMPONENTS
 * take ten times as long as this if each one copies the path before it.
 */
#define SECONDS 3
#define COMPONENTS ((size_t)500000)
#define HEAD "__metadata:\n  version: 8\n\n"

static void
add_times(struct strbuf *out, const char *text, size_t n)
{
	size_t len = strlen(text);
	size_t from = out->len;

	strbuf_addstr(out, text);
	strbuf_reserve(out, len * n);
	/* What is there, twice, and so on. */
	for (size_t have = 1; have < n; have *= 2)
		strbuf_add(out, out->buf + from,
		    len * (have < n - have ? have : n - have));
}

static void
long_path(void)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_free char *got = NULL;

	check_processor_limit(SECONDS);
	add_times(&path, "a/", COMPONENTS);
	strbuf_addstr(&path, "b");
	got = otherpatches_path("", path.buf);
	CHECK(strcmp(got, path.buf) == 0);
}

static void
long_path_of_dots(void)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_free char *got = NULL;

	check_processor_limit(SECONDS);
	add_times(&path, "a", COMPONENTS);
	add_times(&path, "/.", COMPONENTS);
	strbuf_addstr(&path, "/../b");
	got = otherpatches_path("", path.buf);
	CHECK_STR(got, "b");
}

static void
long_path_in_patch(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct yarnpatch_file file = { &text, false };
	bool same = true;

	check_processor_limit(SECONDS);
	strbuf_addstr(&text, "--- a/x.js\n+++ b/");
	add_times(&text, "a/", COMPONENTS);
	add_times(&text, "../", COMPONENTS);
	strbuf_addstr(&text, "x.js\n@@ -0,0 +1 @@\n+a\n");
	CHECK_INT(yarnpatch_compare(&file, 1, "000000", &same, &dg), 0);
	CHECK(!same);
}

static void
many_tags(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_pnpmlock struct pnpmlock lock = PNPMLOCK_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	check_processor_limit(SECONDS);
	for (size_t i = 0; i < 300000; i++)
		strbuf_addf(&text, "%%TAG !%zu! x\n", i);
	strbuf_addstr(&text, "---\nlockfileVersion: '9.0'\n");
	CHECK_INT(pnpmlock_parse(&lock, text.buf, text.len, "a.yaml", &dg), -1);
	CHECK_STR(dg.message, "a.yaml: more than 16 %TAG");
}

/* What yarn's check says of a lock; NULL if it does not fail. */
static char *
failure(int fd, const char *lock)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_patchcheck struct patchcheck c = PATCHCHECK_INIT;

	check_processor_limit(SECONDS);
	tree_put(fd, "yarn.lock", lock);
	if (yarncheck.check(fd, &c, &dg) == 0)
		return NULL;
	return xstrdup(dg.message);
}

/* Adds an entry; ": x" makes the key an explicit one, of any length. */
static void
add_entry(struct strbuf *out, const char *key)
{
	strbuf_addf(out,
	    "? \"%s\"\n:\n  resolution: \"a@patch:a@npm%%3A1#x::hash=012345\"\n",
	    key);
}

static void
many_paths(void)
{
	cleanup_close int fd = tree_open();
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_free char *got = NULL;

	strbuf_addstr(&key, "a@patch:a@npm%3A1#x");
	add_times(&key, "&x", YARNSPEC_MAX_PATHS - 1);
	strbuf_addstr(&lock, HEAD);
	add_entry(&lock, key.buf);
	got = failure(fd, lock.buf);
	CHECK_STR(got, NULL);
	free(got);
	strbuf_addstr(&key, "&x");
	strbuf_setlen(&lock, strlen(HEAD));
	add_entry(&lock, key.buf);
	got = failure(fd, lock.buf);
	CHECK_STR(
	    got, "yarn.lock: line 6: a patched package whose key has no patch");
}

/* A directory would be in memory once for each path. */
static void
long_directory(void)
{
	cleanup_close int fd = tree_open();
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_free char *got = NULL;

	strbuf_addstr(&key, "a@patch:a@npm%3A1#x::locator=a%40workspace%3A");
	add_times(&key, "d", YARNSPEC_MAX_LOCATOR);
	strbuf_addstr(&lock, HEAD);
	add_entry(&lock, key.buf);
	got = failure(fd, lock.buf);
	CHECK_STR(
	    got, "yarn.lock: line 6: a patched package whose key has no patch");
}

static void
many_keys(void)
{
	cleanup_close int fd = tree_open();
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_free char *got = NULL;

	strbuf_addstr(&key, "a@patch:a@npm%3A1#x");
	add_times(&key, ", a@patch:a@npm%3A1#x", YARNLOCK_MAX_WANTED);
	strbuf_addstr(&lock, HEAD);
	add_entry(&lock, key.buf);
	got = failure(fd, lock.buf);
	CHECK_STR(got, "yarn.lock: line 6: too many keys of patched packages");
}

static void
long_keys(void)
{
	cleanup_close int fd = tree_open();
	cleanup_strbuf struct strbuf one = STRBUF_INIT;
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_free char *got = NULL;

	strbuf_addstr(&one, "a@patch:a@npm%3A1#x");
	add_times(&one, "&x", YARNSPEC_MAX_PATHS - 1);
	strbuf_addstr(&one, "::locator=a%40workspace%3A");
	add_times(&one, "d", YARNSPEC_MAX_LOCATOR - strlen("a@workspace:"));
	strbuf_addstr(&key, one.buf);
	for (size_t i = 0; i < 600; i++)
		strbuf_addf(&key, ", %s", one.buf);
	strbuf_addstr(&lock, HEAD);
	add_entry(&lock, key.buf);
	got = failure(fd, lock.buf);
	CHECK_STR(got, "yarn.lock: the paths of patches are too long");
}

/* The same large manifest, again and again. */
static void
large_manifests(void)
{
	cleanup_close int fd = tree_open();
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	cleanup_free char *got = NULL;

	add_times(&manifest, " ", 4190000);
	strbuf_addstr(&manifest, "{}");
	tree_put_below(fd, "w/package.json", manifest.buf);
	strbuf_addstr(&lock, HEAD);
	for (int i = 0; i < 17; i++)
		strbuf_addf(
		    &lock, "\"w%d@x\":\n  resolution: \"w@workspace:w\"\n", i);
	got = failure(fd, lock.buf);
	CHECK_STR(got,
	    "yarn.lock: the package.json files of the workspaces are too large");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a path of many components", long_path },
		{ "a path of many dots", long_path_of_dots },
		{ "a patch with a path of many components",
		    long_path_in_patch },
		{ "YAML with many tags", many_tags },
		{ "yarn: a patch of many files", many_paths },
		{ "yarn: a patch below a long directory", long_directory },
		{ "yarn: a patch with many keys", many_keys },
		{ "yarn: patches with long keys", long_keys },
		{ "yarn: large manifests", large_manifests },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
