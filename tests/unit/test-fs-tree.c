/* SPDX-License-Identifier: MIT */
/* Trees that somebody hostile has built, removed. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "tree-kit.h"

#define NOBODY 65534

static void
removes_deep_trees(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	struct rlimit old;
	struct rlimit few;

	tree_nest(dir, 5000);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 100;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
	CHECK_INT(fs_remove_tree(dir, "d", &dg), 0);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK_STR(dg.message, NULL);
	CHECK(!tree_has(dir, "d"));
}

static void
removes_wide_trees(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int top = -1;

	CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
	for (int i = 0; i < 600; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "d%d", i);
		if (i % 3 == 0)
			CHECK_INT(mkdirat(top, name, 0), 0);
		else
			tree_file(top, name, 0);
	}
	CHECK_INT(fs_remove_tree(dir, "top", &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK(!tree_has(dir, "top"));
}

/* Many directories just where the walk stops going deeper. */
static void
removes_what_is_deep_and_wide(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int at = dup(dir);

	for (int i = 0; i < 70; i++) {
		int next;

		for (int k = 0; k < 3; k++) {
			char name[32];

			(void)snprintf(name, sizeof(name), "side%d", k);
			CHECK_INT(mkdirat(at, name, 0), 0);
		}
		CHECK_INT(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	CHECK_INT(fs_remove_tree(dir, "d", &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK(!tree_has(dir, "d"));
}

static void
removes_every_kind(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int top = -1;
	cleanup_close int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
	CHECK_INT(mkfifoat(top, "fifo", 0), 0);
	(void)snprintf(
	    sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/sock", top);
	CHECK_INT(bind(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
	CHECK_INT(symlinkat("/nonexistent", top, "dead"), 0);
	CHECK_INT(symlinkat("..", top, "up"), 0);
	tree_file(top, "-rf \n\x1b", 0);
	CHECK_INT(fs_remove_tree(dir, "top", &dg), 0);
	CHECK(!tree_has(dir, "top"));
	/* What is no directory is removed as well; absence is success. */
	tree_file(dir, "file", 0600);
	CHECK_INT(fs_remove_tree(dir, "file", &dg), 0);
	CHECK(!tree_has(dir, "file"));
	CHECK_INT(fs_remove_tree(dir, "file", &dg), 0);
	CHECK_INT(fs_remove_tree(dir, "..", &dg), -1);
	CHECK_INT(fs_remove_tree(dir, "a/b", &dg), -1);
}

static void
follows_no_links(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int top = -1;
	struct stat st;

	CHECK_INT(mkdirat(dir, "outside", 0555), 0);
	CHECK_INT(fchmodat(dir, "outside", 0700, 0), 0);
	tree_file(dir, "outside/kept", 0444);
	CHECK_INT(fchmodat(dir, "outside", 0555, 0), 0);
	CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
	CHECK_INT(symlinkat("../outside", top, "link"), 0);
	CHECK_INT(symlinkat("../outside/kept", top, "file"), 0);
	CHECK_INT(linkat(dir, "outside/kept", top, "hard", 0), 0);
	CHECK_INT(fs_remove_tree(dir, "top", &dg), 0);
	CHECK(!tree_has(dir, "top"));
	CHECK(tree_has(dir, "outside/kept"));
	CHECK_INT(fstatat(dir, "outside", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0555);
	/* A link at the name itself goes, its target stays. */
	CHECK_INT(symlinkat("outside", dir, "link"), 0);
	CHECK_INT(fs_remove_tree(dir, "link", &dg), 0);
	CHECK(!tree_has(dir, "link"));
	CHECK(tree_has(dir, "outside/kept"));
}

/* Runs body in a child that is no root; its status is its failed checks. */
static void
as_nobody(int dir, void (*body)(int dir))
{
	pid_t pid;
	int status = -1;

	CHECK_INT(fchmod(dir, 0777), 0);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) < 0))
			_exit(99);
		/* Else /proc/self belongs to root. */
		(void)prctl(PR_SET_DUMPABLE, 1);
		body(dir);
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
}

static void
must(bool held)
{
	if (!held)
		_exit(1);
}

static void
locked_body(int dir)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	must(mkdirat(dir, "top", 0700) == 0);
	must(mkdirat(dir, "top/none", 0700) == 0);
	tree_file(dir, "top/none/f", 0);
	must(mkdirat(dir, "top/none/inner", 0000) == 0);
	must(mkdirat(dir, "top/read", 0700) == 0);
	tree_file(dir, "top/read/f", 0);
	must(mkdirat(dir, "top/write", 0300) == 0);
	must(fchmodat(dir, "top/none", 0, 0) == 0);
	must(fchmodat(dir, "top/read", 0500, 0) == 0);
	must(fchmodat(dir, "top", 0, 0) == 0);
	if (fs_remove_tree(dir, "top", &dg) < 0)
		diag_print(&dg);
	must(dg.class == DIAG_NONE);
	must(!tree_has(dir, "top"));
}

static void
removes_directories_without_permission(void)
{
	cleanup_close int dir = tree_open();

	as_nobody(dir, locked_body);
	CHECK(!tree_has(dir, "top"));
}

static void
foreign_body(int dir)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	must(fs_remove_tree(dir, "top", &dg) == -1);
	must(dg.class == DIAG_IO);
	must(strstr(dg.message, "top/foreign") != NULL);
	must(strstr(dg.message, "(and 1 more could not be removed)") != NULL);
	must(tree_has(dir, "top/foreign"));
	must(!tree_has(dir, "top/mine"));
	must(!tree_has(dir, "top/empty"));
	must(!tree_has(dir, "top/z"));
}

static void
goes_on_after_failures(void)
{
	cleanup_close int dir = tree_open();

	if (geteuid() != 0) {
		check_skip("needs root to make what another cannot remove");
		return;
	}
	CHECK_INT(mkdirat(dir, "top", 0777), 0);
	CHECK_INT(mkdirat(dir, "top/foreign", 0700), 0);
	tree_file(dir, "top/foreign/f", 0600);
	CHECK_INT(mkdirat(dir, "top/empty", 0700), 0);
	CHECK_INT(mkdirat(dir, "top/foreign2", 0755), 0);
	tree_file(dir, "top/foreign2/f", 0644);
	tree_file(dir, "top/mine", 0600);
	CHECK_INT(mkdirat(dir, "top/z", 0777), 0);
	tree_file(dir, "top/z/f", 0600);
	CHECK_INT(fchownat(dir, "top/z", NOBODY, NOBODY, 0), 0);
	CHECK_INT(fchownat(dir, "top", NOBODY, NOBODY, 0), 0);
	as_nobody(dir, foreign_body);
}

static void
mounts_body(const char *path)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int dir = -1;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(77);
	/* A descriptor from before would show the namespace from before. */
	must(fs_open_dir(path, &dir, &dg) == 0);
	must(fchdir(dir) == 0);
	must(mount("outside", "top/same", NULL, MS_BIND, NULL) == 0);
	must(mount("none", "top/tmp", "tmpfs", 0, NULL) == 0);
	tree_file(dir, "top/tmp/kept", 0600);
	must(fs_remove_tree(dir, "top", &dg) == -1);
	must(strstr(dg.message, "a mount point") != NULL);
	must(tree_has(dir, "outside/kept"));
	must(tree_has(dir, "top/tmp/kept"));
	must(!tree_has(dir, "top/gone"));
}

static void
crosses_no_mounts(void)
{
	cleanup_close int dir = tree_open();
	pid_t pid;
	int status = -1;

	CHECK_INT(mkdirat(dir, "outside", 0700), 0);
	tree_file(dir, "outside/kept", 0600);
	CHECK_INT(mkdirat(dir, "top", 0700), 0);
	CHECK_INT(mkdirat(dir, "top/same", 0700), 0);
	CHECK_INT(mkdirat(dir, "top/tmp", 0700), 0);
	tree_file(dir, "top/gone", 0600);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		mounts_body(check_tmpdir());
		_exit(0);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		check_skip("needs a mount namespace");
	else
		CHECK_INT(status, 0);
}

/* All that is in it goes, however it looks; the directory is the same one. */
static void
empties_and_keeps(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int top = -1;
	struct stat before;
	struct stat after;

	CHECK_INT(mkdirat(dir, "outside", 0700), 0);
	tree_file(dir, "outside/kept", 0600);
	CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
	CHECK_INT(symlinkat("../outside", top, "link"), 0);
	CHECK_INT(mkdirat(top, "closed", 0700), 0);
	tree_file(top, "closed/f", 0);
	tree_nest(top, 100);
	tree_file(top, "f", 0);
	CHECK_INT(fchmodat(top, "closed", 0, 0), 0);
	CHECK_INT(fchmod(top, 0), 0);
	CHECK_INT(fstat(top, &before), 0);
	CHECK_INT(fs_empty_dir(dir, "top", &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(fstatat(dir, "top", &after, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(fs_same(&before, &after));
	CHECK_INT(tree_count(top), 0);
	CHECK(tree_has(dir, "outside/kept"));
	/* Once more, with nothing in it. */
	CHECK_INT(fs_empty_dir(dir, "top", &dg), 0);
	CHECK_INT(fs_empty_dir(dir, "absent", &dg), -1);
	diag_clear(&dg);
	CHECK_INT(symlinkat("outside", dir, "to"), 0);
	CHECK_INT(fs_empty_dir(dir, "to", &dg), -1);
	CHECK(tree_has(dir, "outside/kept"));
}

static const struct check_test tests[] = {
	{ "a directory is emptied and stays", empties_and_keeps },
	{ "a tree 5,000 deep is removed with few descriptors",
	    removes_deep_trees },
	{ "a wide tree is removed", removes_wide_trees },
	{ "a tree both deep and wide is removed",
	    removes_what_is_deep_and_wide },
	{ "fifos, sockets, links and odd names are removed",
	    removes_every_kind },
	{ "nothing outside is touched through a link", follows_no_links },
	{ "directories without permission are removed",
	    removes_directories_without_permission },
	{ "what cannot be removed is named after the rest is gone",
	    goes_on_after_failures },
	{ "mounts, also of the same file system, are not crossed",
	    crosses_no_mounts },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
