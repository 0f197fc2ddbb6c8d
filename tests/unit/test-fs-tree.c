/* SPDX-License-Identifier: MIT */
/* Trees that somebody hostile has built, removed and copied. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "base/strbuf.h"

#define NOBODY 65534

static int
open_tmp(void)
{
	int fd = -1;
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(fs_open_dir(check_tmpdir(), &fd, &dg), 0);
	return fd;
}

static void
make_file(int dir, const char *path, mode_t mode)
{
	int fd cleanup_close =
	    openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK_INT(write(fd, "text", 4), 4);
	CHECK_INT(fchmod(fd, mode), 0);
}

static bool
is_there(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Nests depth directories called d below dir, with a file in some. */
static void
nest(int dir, int depth)
{
	int at cleanup_close = dup(dir);

	for (int i = 0; i < depth; i++) {
		int next;

		if (mkdirat(at, "d", 0700) < 0)
			break;
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CHECK(next >= 0);
		(void)close(at);
		at = next;
		if (i % 50 == 0)
			make_file(at, "f", 0600);
	}
}

static void
removes_deep_trees(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	struct rlimit old;
	struct rlimit few;

	nest(dir, 5000);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 100;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
	CHECK_INT(fs_remove_tree(dir, "d", &dg), 0);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &old), 0);
	CHECK_STR(dg.message, NULL);
	CHECK(!is_there(dir, "d"));
}

static void
removes_wide_trees(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	int top cleanup_close = -1;

	CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
	for (int i = 0; i < 600; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "d%d", i);
		if (i % 3 == 0)
			CHECK_INT(mkdirat(top, name, 0), 0);
		else
			make_file(top, name, 0);
	}
	CHECK_INT(fs_remove_tree(dir, "top", &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK(!is_there(dir, "top"));
}

/* Many directories just where the walk stops going deeper. */
static void
removes_what_is_deep_and_wide(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	int at cleanup_close = dup(dir);

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
	CHECK(!is_there(dir, "d"));
}

static void
removes_every_kind(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	int top cleanup_close = -1;
	int sock cleanup_close = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
	CHECK_INT(mkfifoat(top, "fifo", 0), 0);
	(void)snprintf(
	    sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/sock", top);
	CHECK_INT(bind(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
	CHECK_INT(symlinkat("/nonexistent", top, "dead"), 0);
	CHECK_INT(symlinkat("..", top, "up"), 0);
	make_file(top, "-rf \n\x1b", 0);
	CHECK_INT(fs_remove_tree(dir, "top", &dg), 0);
	CHECK(!is_there(dir, "top"));
	/* What is no directory is removed as well; absence is success. */
	make_file(dir, "file", 0600);
	CHECK_INT(fs_remove_tree(dir, "file", &dg), 0);
	CHECK(!is_there(dir, "file"));
	CHECK_INT(fs_remove_tree(dir, "file", &dg), 0);
	CHECK_INT(fs_remove_tree(dir, "..", &dg), -1);
	CHECK_INT(fs_remove_tree(dir, "a/b", &dg), -1);
}

static void
follows_no_links(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	int top cleanup_close = -1;
	struct stat st;

	CHECK_INT(mkdirat(dir, "outside", 0555), 0);
	CHECK_INT(fchmodat(dir, "outside", 0700, 0), 0);
	make_file(dir, "outside/kept", 0444);
	CHECK_INT(fchmodat(dir, "outside", 0555, 0), 0);
	CHECK_INT(fs_make_dir(dir, "top", 0700, &top, &dg), 0);
	CHECK_INT(symlinkat("../outside", top, "link"), 0);
	CHECK_INT(symlinkat("../outside/kept", top, "file"), 0);
	CHECK_INT(linkat(dir, "outside/kept", top, "hard", 0), 0);
	CHECK_INT(fs_remove_tree(dir, "top", &dg), 0);
	CHECK(!is_there(dir, "top"));
	CHECK(is_there(dir, "outside/kept"));
	CHECK_INT(fstatat(dir, "outside", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0555);
	/* A link at the name itself goes, its target stays. */
	CHECK_INT(symlinkat("outside", dir, "link"), 0);
	CHECK_INT(fs_remove_tree(dir, "link", &dg), 0);
	CHECK(!is_there(dir, "link"));
	CHECK(is_there(dir, "outside/kept"));
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
	struct diag dg cleanup_diag = DIAG_INIT;

	must(mkdirat(dir, "top", 0700) == 0);
	must(mkdirat(dir, "top/none", 0700) == 0);
	make_file(dir, "top/none/f", 0);
	must(mkdirat(dir, "top/none/inner", 0000) == 0);
	must(mkdirat(dir, "top/read", 0700) == 0);
	make_file(dir, "top/read/f", 0);
	must(mkdirat(dir, "top/write", 0300) == 0);
	must(fchmodat(dir, "top/none", 0, 0) == 0);
	must(fchmodat(dir, "top/read", 0500, 0) == 0);
	must(fchmodat(dir, "top", 0, 0) == 0);
	if (fs_remove_tree(dir, "top", &dg) < 0)
		diag_print(&dg);
	must(dg.class == DIAG_NONE);
	must(!is_there(dir, "top"));
}

static void
removes_directories_without_permission(void)
{
	int dir cleanup_close = open_tmp();

	as_nobody(dir, locked_body);
	CHECK(!is_there(dir, "top"));
}

static void
foreign_body(int dir)
{
	struct diag dg cleanup_diag = DIAG_INIT;

	must(fs_remove_tree(dir, "top", &dg) == -1);
	must(dg.class == DIAG_IO);
	must(strstr(dg.message, "top/foreign") != NULL);
	must(strstr(dg.message, "(and 1 more could not be removed)") != NULL);
	must(is_there(dir, "top/foreign"));
	must(!is_there(dir, "top/mine"));
	must(!is_there(dir, "top/empty"));
	must(!is_there(dir, "top/z"));
}

static void
goes_on_after_failures(void)
{
	int dir cleanup_close = open_tmp();

	if (geteuid() != 0) {
		check_skip("needs root to make what another cannot remove");
		return;
	}
	CHECK_INT(mkdirat(dir, "top", 0777), 0);
	CHECK_INT(mkdirat(dir, "top/foreign", 0700), 0);
	make_file(dir, "top/foreign/f", 0600);
	CHECK_INT(mkdirat(dir, "top/empty", 0700), 0);
	CHECK_INT(mkdirat(dir, "top/foreign2", 0755), 0);
	make_file(dir, "top/foreign2/f", 0644);
	make_file(dir, "top/mine", 0600);
	CHECK_INT(mkdirat(dir, "top/z", 0777), 0);
	make_file(dir, "top/z/f", 0600);
	CHECK_INT(fchownat(dir, "top/z", NOBODY, NOBODY, 0), 0);
	CHECK_INT(fchownat(dir, "top", NOBODY, NOBODY, 0), 0);
	as_nobody(dir, foreign_body);
}

static void
mounts_body(const char *path)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir = -1;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(77);
	/* A descriptor from before would show the namespace from before. */
	must(fs_open_dir(path, &dir, &dg) == 0);
	must(fchdir(dir) == 0);
	must(mount("outside", "top/same", NULL, MS_BIND, NULL) == 0);
	must(mount("none", "top/tmp", "tmpfs", 0, NULL) == 0);
	make_file(dir, "top/tmp/kept", 0600);
	must(fs_remove_tree(dir, "top", &dg) == -1);
	must(strstr(dg.message, "a mount point") != NULL);
	must(is_there(dir, "outside/kept"));
	must(is_there(dir, "top/tmp/kept"));
	must(!is_there(dir, "top/gone"));
}

static void
crosses_no_mounts(void)
{
	int dir cleanup_close = open_tmp();
	pid_t pid;
	int status = -1;

	CHECK_INT(mkdirat(dir, "outside", 0700), 0);
	make_file(dir, "outside/kept", 0600);
	CHECK_INT(mkdirat(dir, "top", 0700), 0);
	CHECK_INT(mkdirat(dir, "top/same", 0700), 0);
	CHECK_INT(mkdirat(dir, "top/tmp", 0700), 0);
	make_file(dir, "top/gone", 0600);
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

static mode_t
mode_of(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_mode;
}

static void
copies_share_nothing(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	int src cleanup_close = -1;
	int dst cleanup_close = -1;
	struct strbuf sb cleanup_strbuf = STRBUF_INIT;
	struct stat a;
	struct stat b;
	char target[64] = "";
	mode_t old;

	CHECK_INT(fs_make_dir(dir, "src", 0700, &src, &dg), 0);
	CHECK_INT(fs_make_dir(dir, "dst", 0700, &dst, &dg), 0);
	make_file(src, "plain", 0666);
	make_file(src, "setid", 06775);
	make_file(src, "empty", 0600);
	CHECK_INT(linkat(src, "plain", src, "hard", 0), 0);
	CHECK_INT(mkdirat(src, "d", 0700), 0);
	CHECK_INT(mkdirat(src, "d/e", 0700), 0);
	make_file(src, "d/e/f", 0400);
	CHECK_INT(fchmodat(src, "d/e", 01777, 0), 0);
	CHECK_INT(fchmodat(src, "d", 0500, 0), 0);
	CHECK_INT(symlinkat("/etc/passwd", src, "link"), 0);
	CHECK_INT(symlinkat("d", src, "dlink"), 0);
	old = umask(0777);
	if (!CHECK_INT(fs_copy_tree(src, dst, &dg), 0))
		CHECK_STR(dg.message, NULL);
	(void)umask(old);
	CHECK_INT(mode_of(dst, "plain"), S_IFREG | 0644);
	CHECK_INT(mode_of(dst, "setid"), S_IFREG | 0755);
	CHECK_INT(mode_of(dst, "d"), S_IFDIR | 0500);
	CHECK_INT(mode_of(dst, "d/e"), S_IFDIR | 0755);
	CHECK_INT(mode_of(dst, "d/e/f"), S_IFREG | 0400);
	CHECK_INT(readlinkat(dst, "link", target, sizeof(target) - 1), 11);
	CHECK_STR(target, "/etc/passwd");
	CHECK(S_ISLNK(mode_of(dst, "dlink")));
	CHECK_INT(fs_read_file(dst, "d/e/f", 100, &sb, &dg), 0);
	CHECK_STR(sb.buf, "text");
	CHECK_INT(fstatat(dst, "plain", &a, 0), 0);
	CHECK_INT(fstatat(dst, "hard", &b, 0), 0);
	CHECK(!fs_same(&a, &b));
	CHECK_INT(a.st_nlink, 1);
}

static void
copies_big_files_whole(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	int src cleanup_close = -1;
	int dst cleanup_close = -1;
	int fd cleanup_close = -1;
	struct stat st;
	char byte = 0;

	CHECK_INT(fs_make_dir(dir, "src", 0700, &src, &dg), 0);
	CHECK_INT(fs_make_dir(dir, "dst", 0700, &dst, &dg), 0);
	fd = openat(src, "big", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(pwrite(fd, "z", 1, 5000000), 1);
	CHECK_INT(fs_copy_tree(src, dst, &dg), 0);
	CHECK_INT(fstatat(dst, "big", &st, 0), 0);
	CHECK_INT(st.st_size, 5000001);
	(void)close(steal_fd(&fd));
	fd = openat(dst, "big", O_RDONLY | O_CLOEXEC);
	CHECK_INT(pread(fd, &byte, 1, 5000000), 1);
	CHECK_INT(byte, 'z');
}

static void
copies_refuse_the_rest(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	int dir cleanup_close = open_tmp();
	int src cleanup_close = -1;
	int dst cleanup_close = -1;

	CHECK_INT(fs_make_dir(dir, "src", 0700, &src, &dg), 0);
	CHECK_INT(fs_make_dir(dir, "dst", 0700, &dst, &dg), 0);
	CHECK_INT(mkdirat(src, "d", 0700), 0);
	CHECK_INT(mkfifoat(src, "d/fifo", 0600), 0);
	CHECK_INT(fs_copy_tree(src, dst, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_STR(
	    dg.message, "copy d/fifo: not a file, directory or symbolic link");
	diag_clear(&dg);
	CHECK_INT(fs_remove_tree(dir, "src", &dg), 0);
	CHECK_INT(fs_remove_tree(dir, "dst", &dg), 0);
	(void)close(steal_fd(&src));
	(void)close(steal_fd(&dst));

	CHECK_INT(fs_make_dir(dir, "src", 0700, &src, &dg), 0);
	CHECK_INT(fs_make_dir(dir, "dst", 0700, &dst, &dg), 0);
	nest(src, FS_COPY_DEPTH + 1);
	CHECK_INT(fs_copy_tree(src, dst, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK(dg.message != NULL &&
	    strstr(dg.message, "more than 64 directories deep") != NULL);
}

static const struct check_test tests[] = {
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
	{ "a copy shares no inode and no dangerous bit", copies_share_nothing },
	{ "a big file is copied whole", copies_big_files_whole },
	{ "a fifo or a tree too deep is not copied", copies_refuse_the_rest },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
