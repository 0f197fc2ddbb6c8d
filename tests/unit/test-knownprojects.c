/* SPDX-License-Identifier: MIT */
/* Which directories an agent ever had, by path, by digest and by inode. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/statedir.h"

#include "check.h"
#include "home-kit.h"
#include "tree-kit.h"

static void
enter(struct paths *paths)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	free(home_enter());
	CHECK_INT(paths_find(paths, &dg), 0);
	CHECK_INT(statedir_open(paths, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

static void
add(const struct paths *paths, const char *path)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(knownprojects_add(paths, path, &dg), 0);
	CHECK_STR(dg.message, NULL);
}

static void
expect(const struct paths *paths, const char *path, const char *want)
{
	cleanup_knownprojects struct knownprojects *known = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *found = NULL;

	if (!CHECK_INT(knownprojects_load(paths, &known, &dg), 0)) {
		CHECK_STR(dg.message, NULL);
		return;
	}
	found = knownprojects_find(known, path);
	CHECK_STR(found, want);
}

static void
test_paths(void)
{
	cleanup_paths struct paths paths;

	paths_init(&paths);
	enter(&paths);
	expect(&paths, "/w/a/file", NULL);
	add(&paths, "/w/a");
	add(&paths, "/w/a");
	add(&paths, "/w/b/c");
	expect(&paths, "/w/a", "/w/a");
	expect(&paths, "/w/a/deep/file", "/w/a");
	expect(&paths, "/w/ab", NULL);
	expect(&paths, "/w/b", NULL);
	expect(&paths, "/w/b/c/x", "/w/b/c");
	expect(&paths, "/", NULL);
	CHECK_INT(tree_count(paths.state_fd), 7);
}

/* A state directory as older versions leave it. */
static void
test_histories(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *history = NULL;
	cleanup_free char *old = NULL;
	char digits[PROJECT_DIGITS + 1];

	paths_init(&paths);
	enter(&paths);
	project_digits("/w/old", digits);
	history = xasprintf("%s/agents/claude", paths.state_dir);
	CHECK_INT(mkdir(history, 0700), 0);
	free(history);
	history = xasprintf("%s/agents/claude/history", paths.state_dir);
	CHECK_INT(mkdir(history, 0700), 0);
	old = xasprintf("%s/%s-old-contained", history, digits);
	CHECK_INT(mkdir(old, 0700), 0);
	expect(&paths, "/w/old/drydock.conf", "/w/old");
	/* Taken over: from now on they need not be there. */
	add(&paths, "/w/new");
	CHECK_INT(rmdir(old), 0);
	expect(&paths, "/w/old/drydock.conf", "/w/old");
	expect(&paths, "/w/new/x", "/w/new");
	expect(&paths, "/w/other", NULL);
	/* What a launch that is refused leaves there is no project. */
	project_digits("/w/refused", digits);
	free(old);
	old = xasprintf("%s/%s-refused-contained", history, digits);
	CHECK_INT(mkdir(old, 0700), 0);
	expect(&paths, "/w/refused/x", NULL);
}

/* A first launch that is refused leaves an empty list. */
static void
test_begin(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_free char *text = NULL;

	paths_init(&paths);
	enter(&paths);
	CHECK_INT(knownprojects_begin(&paths, &dg), 0);
	text = tree_get(paths.state_fd, "projects");
	CHECK_STR(text, "");
	CHECK_INT(knownprojects_begin(&paths, &dg), 0);
	add(&paths, "/w/a");
	expect(&paths, "/w/a/b", "/w/a");
	CHECK_STR(dg.message, NULL);
}

/* A second name of the same directory. */
static void
test_inode(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *dir = NULL;
	cleanup_free char *alias = NULL;
	cleanup_free char *below = NULL;

	paths_init(&paths);
	enter(&paths);
	dir = xasprintf("%s/project", paths.home);
	alias = xasprintf("%s/alias", paths.home);
	below = xasprintf("%s/file", alias);
	CHECK_INT(mkdir(dir, 0700), 0);
	CHECK_INT(symlink(dir, alias), 0);
	add(&paths, dir);
	expect(&paths, below, dir);
}

/* Whether the file system of the tests has what tells a moved directory. */
static bool
has_births(const char *path)
{
	struct statx st;

	return statx(AT_FDCWD, path, 0, STATX_BTIME, &st) == 0 &&
	    (st.stx_mask & STATX_BTIME) != 0;
}

/* By its own name, and as part of a directory that was renamed. */
static void
test_moved(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *dir = NULL;
	cleanup_free char *moved = NULL;
	cleanup_free char *file = NULL;
	cleanup_free char *list = NULL;
	cleanup_free char *again = NULL;

	paths_init(&paths);
	enter(&paths);
	if (!has_births(paths.home)) {
		check_skip("the file system keeps no time of birth");
		return;
	}
	dir = xasprintf("%s/project", paths.home);
	moved = xasprintf("%s/moved", paths.home);
	file = xasprintf("%s/moved/deep/file", paths.home);
	CHECK_INT(mkdir(dir, 0700), 0);
	add(&paths, dir);
	list = tree_get(paths.state_fd, "projects");
	add(&paths, dir);
	again = tree_get(paths.state_fd, "projects");
	CHECK_STR(again, list);
	CHECK_INT(rename(dir, moved), 0);
	expect(&paths, file, moved);
	/* Another one in its old place is known from its first session on. */
	CHECK_INT(mkdir(dir, 0700), 0);
	add(&paths, dir);
	expect(&paths, dir, dir);
	expect(&paths, file, moved);
	CHECK_INT(rmdir(moved), 0);
	CHECK_INT(rename(dir, moved), 0);
	expect(&paths, file, moved);
	CHECK_INT(mkdir(dir, 0700), 0);
	expect(&paths, file, moved);
}

/* A list that versions without times of birth left is completed. */
static void
test_unborn(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *dir = NULL;
	cleanup_free char *moved = NULL;
	cleanup_free char *list = NULL;

	paths_init(&paths);
	enter(&paths);
	if (!has_births(paths.home)) {
		check_skip("the file system keeps no time of birth");
		return;
	}
	dir = xasprintf("%s/project", paths.home);
	moved = xasprintf("%s/moved", paths.home);
	list = xasprintf("%s\n", dir);
	tree_put(paths.state_fd, "projects", list);
	CHECK_INT(mkdir(dir, 0700), 0);
	add(&paths, dir);
	CHECK_INT(rename(dir, moved), 0);
	expect(&paths, moved, moved);
}

/*
 * A project within a project is the agent's to replace by a link; one beside it
 * is the user's.
 */
static void
test_planted(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *outer = NULL;
	cleanup_free char *inner = NULL;
	cleanup_free char *file = NULL;
	cleanup_free char *own = NULL;
	cleanup_free char *kept = NULL;

	paths_init(&paths);
	enter(&paths);
	outer = xasprintf("%s/outer", paths.home);
	inner = xasprintf("%s/outer/a/b", paths.home);
	own = xasprintf("%s/own", paths.home);
	kept = xasprintf("%s/kept", paths.home);
	file = xasprintf("%s/kept/file", paths.home);
	CHECK_INT(mkdir(outer, 0700), 0);
	CHECK_INT(mkdir(kept, 0700), 0);
	add(&paths, outer);
	add(&paths, inner);
	add(&paths, own);
	free(inner);
	inner = xasprintf("%s/outer/a", paths.home);
	CHECK_INT(symlink(paths.home, inner), 0);
	free(inner);
	inner = xasprintf("%s/b", paths.home);
	CHECK_INT(symlink("kept", inner), 0);
	expect(&paths, file, NULL);
	/* The user moved a project and left a link in its place. */
	CHECK_INT(symlink("kept", own), 0);
	expect(&paths, file, own);
}

static void
test_damaged(void)
{
	cleanup_knownprojects struct knownprojects *known = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	cleanup_free char *want = NULL;

	paths_init(&paths);
	enter(&paths);
	tree_put(paths.state_fd, "projects", "/w/a\nw/b\n");
	CHECK_INT(knownprojects_load(&paths, &known, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	want = xasprintf(
	    "%s: projects:2: not understood: remove the line", paths.state_dir);
	CHECK_STR(dg.message, want);
}

static void
test_absent(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;

	paths_init(&paths);
	free(home_enter());
	CHECK_INT(paths_find(&paths, &dg), 0);
	expect(&paths, "/w/a", NULL);
	CHECK_INT(access(paths.state_dir, F_OK), -1);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "what lies in a project that was launched is known",
		    test_paths },
		{ "projects of older versions are known by their digests",
		    test_histories },
		{ "the list begins before the first project is in it",
		    test_begin },
		{ "another name of a project does not hide it", test_inode },
		{ "a project that was moved is known", test_moved },
		{ "a project of an older list is known after a move, too",
		    test_unborn },
		{ "a link that an agent can have made adds no project",
		    test_planted },
		{ "a damaged list is an error that names the line",
		    test_damaged },
		{ "without a state directory nothing is known, or made",
		    test_absent },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
