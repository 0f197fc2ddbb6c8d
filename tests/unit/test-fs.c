/* SPDX-License-Identifier: MIT */
/* Files beneath a held directory: what opens, and what is left behind. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "tree-kit.h"

static void
paths_stay_beneath(void)
{
	static const struct {
		const char *path;
		const char *beneath; /* the message; NULL: it opens */
		const char *nolinks;
	} rows[] = {
		{ "d/f", NULL, NULL },
		{ "d/../d/f", NULL, NULL },
		{ "in", NULL, "open in: a symbolic link is in the way" },
		{ "dl/f", NULL, "open dl/f: a symbolic link is in the way" },
		{ "..", "open ..: leaves the directory",
		    "open ..: leaves the directory" },
		{ "d/../../x", "open d/../../x: leaves the directory",
		    "open d/../../x: leaves the directory" },
		{ "/etc/passwd", "open /etc/passwd: leaves the directory",
		    "open /etc/passwd: leaves the directory" },
		{ "abs", "open abs: leaves the directory",
		    "open abs: a symbolic link is in the way" },
		{ "up", "open up: leaves the directory",
		    "open up: a symbolic link is in the way" },
		{ "none", "open none: No such file or directory",
		    "open none: No such file or directory" },
		{ "loop", "open loop: Too many levels of symbolic links",
		    "open loop: a symbolic link is in the way" },
		{ "", "open : No such file or directory",
		    "open : No such file or directory" },
	};
	cleanup_close int dir = tree_open();

	CHECK_INT(mkdirat(dir, "d", 0700), 0);
	CHECK_INT(close(openat(dir, "d/f", O_WRONLY | O_CREAT, 0600)), 0);
	CHECK_INT(symlinkat("d/f", dir, "in"), 0);
	CHECK_INT(symlinkat("d", dir, "dl"), 0);
	CHECK_INT(symlinkat("/etc/passwd", dir, "abs"), 0);
	CHECK_INT(symlinkat("../../etc/passwd", dir, "up"), 0);
	CHECK_INT(symlinkat("loop", dir, "loop"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag a = DIAG_INIT;
		cleanup_diag struct diag b = DIAG_INIT;
		cleanup_close int fd = -1;
		cleanup_close int fd2 = -1;

		/* The mode must not matter without O_CREAT. */
		CHECK_INT(
		    fs_open_beneath(dir, rows[i].path, O_RDONLY, 0600, &fd, &a),
		    rows[i].beneath == NULL ? 0 : -1);
		CHECK_STR(a.message, rows[i].beneath);
		CHECK_INT(
		    fs_open_nolinks(dir, rows[i].path, O_RDONLY, 0, &fd2, &b),
		    rows[i].nolinks == NULL ? 0 : -1);
		CHECK_STR(b.message, rows[i].nolinks);
		if (fd >= 0)
			CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
}

static void
magic_links_do_not_open(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int proc = -1;
	cleanup_close int fd = -1;

	CHECK_INT(fs_open_dir("/proc/self", &proc, &dg), 0);
	CHECK_INT(fs_open_beneath(proc, "exe", O_RDONLY, 0, &fd, &dg), -1);
	CHECK_INT(fd, -1);
}

static void
directories_are_made_exactly(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int fd = -1;
	struct stat st;
	mode_t old = umask(0777);

	CHECK_INT(fs_make_dir(dir, "a", 0750, &fd, &dg), 0);
	(void)umask(0);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0750);
	(void)close(steal_fd(&fd));
	CHECK_INT(fs_make_dir(dir, "a", 0700, &fd, &dg), 0);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0750);
	(void)umask(old);
}

static void
a_path_below_a_directory_is_made(void)
{
	cleanup_close int dir = tree_open();
	mode_t old = umask(0077);
	static const char *const bad[] = { "a/../x", "a/link/x", "a/file/x",
		"..", "a/./x" };
	struct stat st;

	for (int again = 0; again < 2; again++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = -1;

		CHECK_INT(fs_make_dirs(dir, "a/b/c", 0755, &fd, &dg), 0);
		CHECK_INT(mkdirat(fd, again == 0 ? "0" : "1", 0700), 0);
	}
	(void)umask(old);
	CHECK(tree_has(dir, "a/b/c/0") && tree_has(dir, "a/b/c/1"));
	CHECK_INT(fstatat(dir, "a/b", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0755);
	CHECK_INT(symlinkat("b", dir, "a/link"), 0);
	tree_file(dir, "a/file", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = -1;

		CHECK_INT(fs_make_dirs(dir, bad[i], 0755, &fd, &dg), -1);
		CHECK_INT(dg.class, DIAG_IO);
		CHECK_INT(fd, -1);
	}
	CHECK_INT(tree_count(dir), 1);
	CHECK(!tree_has(dir, "a/b/x") && !tree_has(dir, "a/x"));
}

static void
a_directory_without_rights_gets_them_back(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int fd = -1;
	struct stat st;

	if (geteuid() == 0) {
		check_skip("root may read it anyway");
		return;
	}
	CHECK_INT(mkdirat(dir, "closed", 0), 0);
	CHECK_INT(fs_make_dir(dir, "closed", 0700, &fd, &dg), 0);
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
}

/* Also by root, whom its own mode does not keep out, but a container. */
static void
an_own_directory_is_opened_whatever_its_mode(void)
{
	static const mode_t modes[] = { 0, 0400, 0100, 0600, 0500, 0700, 0755 };
	cleanup_close int dir = tree_open();

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = -1;
		struct stat st;

		CHECK_INT(mkdirat(dir, "own", 0700), 0);
		CHECK_INT(fchmodat(dir, "own", modes[i], 0), 0);
		CHECK_INT(fs_open_own_dir(dir, "own", &fd, &dg), 0);
		CHECK_INT(fstat(fd, &st), 0);
		CHECK_INT(st.st_mode & 07777, modes[i] | 0700);
		tree_file(fd, "file", 0600);
		CHECK_INT(unlinkat(fd, "file", 0), 0);
		CHECK_INT(unlinkat(dir, "own", AT_REMOVEDIR), 0);
	}
}

/* A socket of the caller's own, in a directory of its own. */
static void
a_socket_is_reached_whatever_its_mode(void)
{
	static const mode_t modes[][2] = { { 0, 0700 }, { 0, 0 }, { 0600, 0 },
		{ 0400, 0400 } };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int run = -1;
	cleanup_close int listener =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK_INT(fs_make_dir(dir, "run", 0700, &run, &dg), 0);
	(void)snprintf(
	    un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/s", run);
	CHECK_INT(bind(listener, (const struct sockaddr *)&un, sizeof(un)), 0);
	CHECK_INT(listen(listener, 8), 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		cleanup_close int fd = -1;

		CHECK_INT(fchmodat(run, "s", modes[i][0], 0), 0);
		CHECK_INT(fchmod(run, modes[i][1]), 0);
		CHECK_INT(fs_connect_socket(run, "s", &fd), 0);
		CHECK_INT(fchmod(run, 0700), 0);
	}
}

static void
false_directories_are_refused(void)
{
	static const char *const names[] = { "file", "link", ".", "..", "",
		"a/b" };
	cleanup_close int dir = tree_open();

	tree_put(dir, "file", "");
	CHECK_INT(mkdirat(dir, "real", 0700), 0);
	CHECK_INT(symlinkat("real", dir, "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = -1;

		CHECK_INT(fs_make_dir(dir, names[i], 0700, &fd, &dg), -1);
		CHECK_INT(dg.class, DIAG_IO);
		CHECK_INT(fd, -1);
	}
	if (geteuid() == 0) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = -1;

		CHECK_INT(fchownat(dir, "real", 1234, 1234, 0), 0);
		CHECK_INT(fs_make_dir(dir, "real", 0700, &fd, &dg), -1);
		CHECK_STR(dg.message,
		    "real: belongs to uid 1234 and not to you (uid 0)");
	}
}

static void
paths_are_made_with_their_parents(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int fd = -1;
	cleanup_free char *path =
	    xasprintf("%s/link//a/./b c/d/", check_tmpdir());
	cleanup_free char *dead = xasprintf("%s/dead/a", check_tmpdir());
	mode_t old = umask(0777);
	struct stat st;

	CHECK_INT(symlinkat("real", dir, "link"), 0);
	CHECK_INT(symlinkat("none", dir, "dead"), 0);
	CHECK_INT(mkdirat(dir, "real", 0700), 0);
	CHECK_INT(fchmodat(dir, "real", 0711, 0), 0);
	CHECK_INT(fs_make_path(path, 0700, &fd, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(fstatat(dir, "real/a/b c/d", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	CHECK_INT(fstatat(dir, "real", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0711);
	CHECK_INT(fsync(fd), 0);
	CHECK_INT(fs_make_path(dead, 0700, &fd, &dg), -1);
	CHECK_INT(dg.errnum, ENOENT);
	diag_clear(&dg);
	CHECK_INT(fs_make_path("relative", 0700, &fd, &dg), -1);
	(void)umask(old);
}

static void
reading_is_bounded(void)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();

	tree_put(dir, "ten", "0123456789");
	strbuf_addstr(&sb, "+");
	CHECK_INT(fs_read_file(dir, "ten", 10, &sb, &dg), 0);
	CHECK_STR(sb.buf, "+0123456789");
	CHECK_INT(fs_read_file(dir, "ten", 9, &sb, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_STR(dg.message, "ten: larger than 9 bytes");
	CHECK_STR(sb.buf, "+0123456789");
	diag_clear(&dg);
	/* A size of 0 in its stat tells nothing about a file of /proc. */
	cleanup_close int proc = open("/proc/self", O_RDONLY | O_CLOEXEC);
	CHECK_INT(fs_read_file(proc, "status", 100, &sb, &dg), -1);
	CHECK_STR(dg.message, "status: larger than 100 bytes");
	CHECK_STR(sb.buf, "+0123456789");
}

static void
only_files_are_read(void)
{
	static const struct {
		const char *name;
		const char *message;
	} rows[] = {
		{ "fifo", "fifo: not a regular file" },
		{ "dir", "read dir: Is a directory" },
		{ "none", "open none: No such file or directory" },
	};
	cleanup_close int dir = tree_open();

	CHECK_INT(mkfifoat(dir, "fifo", 0600), 0);
	CHECK_INT(mkdirat(dir, "dir", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf sb = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(fs_read_file(dir, rows[i].name, 10, &sb, &dg), -1);
		CHECK_INT(dg.class, DIAG_IO);
		CHECK_STR(dg.message, rows[i].message);
	}
}

static void
absent_files_and_links_are_told_apart(void)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	bool there = false;

	tree_put(dir, "file", "text");
	CHECK_INT(symlinkat("file", dir, "link"), 0);
	CHECK_INT(fs_read_present(dir, "file", 10, &sb, &there, &dg), 0);
	CHECK(there);
	CHECK_STR(sb.buf, "text");
	CHECK_INT(fs_read_present(dir, "none", 10, &sb, &there, &dg), 0);
	CHECK(!there);
	CHECK_INT(fs_read_present(dir, "file/none", 10, &sb, &there, &dg), 0);
	CHECK(!there);
	CHECK_INT(dg.class, DIAG_NONE);
	CHECK_INT(fs_read_present(dir, "link", 10, &sb, &there, &dg), -1);
	CHECK_STR(dg.message, "open link: a symbolic link is in the way");
	CHECK_STR(sb.buf, "text");
}

static void
files_are_replaced_whole(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_free char *text = NULL;
	mode_t old = umask(0777);
	struct stat st;

	tree_put(dir, "f", "old");
	CHECK_INT(fs_replace_file(dir, "f", "new\n", 4, 0444, &dg), 0);
	(void)umask(old);
	text = tree_get(dir, "f");
	CHECK_STR(text, "new\n");
	CHECK_INT(fstatat(dir, "f", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0444);
	CHECK_INT(tree_count(dir), 1);
	CHECK_INT(fs_replace_file(dir, "a/b", "", 0, 0600, &dg), -1);
}

/* A link at the name is replaced, not written through. */
static void
replacing_follows_no_link(void)
{
	cleanup_close int dir = tree_open();
	cleanup_free char *text = NULL;
	struct stat st;

	tree_put(dir, "target", "kept");
	CHECK_INT(symlinkat("target", dir, "f"), 0);
	tree_put(dir, "f", "new");
	text = tree_get(dir, "target");
	CHECK_STR(text, "kept");
	CHECK_INT(fstatat(dir, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISREG(st.st_mode));
}

static void
a_full_disk_leaves_the_old(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct rlimit old;
	struct rlimit tiny = { 4, RLIM_INFINITY };
	cleanup_close int dir = tree_open();
	cleanup_free char *text = NULL;

	tree_put(dir, "f", "old");
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &old), 0);
	tiny.rlim_max = old.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	CHECK_INT(fs_replace_file(dir, "f", "longer", 6, 0600, &dg), -1);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &old), 0);
	CHECK_STR(dg.message, "write f: File too large");
	text = tree_get(dir, "f");
	CHECK_STR(text, "old");
	CHECK_INT(tree_count(dir), 1);
}

static void
a_directory_in_the_way_leaves_no_temp(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();

	CHECK_INT(mkdirat(dir, "f", 0700), 0);
	CHECK_INT(fs_replace_file(dir, "f", "x", 1, 0600, &dg), -1);
	CHECK_STR(dg.message, "replace f: Is a directory");
	CHECK_INT(tree_count(dir), 1);
}

static void
a_read_only_directory_keeps_the_old(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	bool root = geteuid() == 0;
	cleanup_free char *text = NULL;

	tree_put(dir, "f", "old");
	CHECK_INT(fchmod(dir, 0555), 0);
	if (root)
		CHECK_INT(seteuid(65534), 0);
	CHECK_INT(fs_replace_file(dir, "f", "new", 3, 0600, &dg), -1);
	CHECK_STR(dg.message, "create f: Permission denied");
	if (root)
		CHECK_INT(seteuid(0), 0);
	text = tree_get(dir, "f");
	CHECK_STR(text, "old");
	CHECK_INT(tree_count(dir), 1);
}

static void
memfds_are_sealed(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	char buf[8] = "";

	CHECK_INT(fs_memfd("plan", "bytes", 5, &fd, &dg), 0);
	CHECK_INT(read(fd, buf, sizeof(buf)), 5);
	CHECK_STR(buf, "bytes");
	CHECK_INT(pwrite(fd, "x", 1, 0), -1);
	CHECK_INT(ftruncate(fd, 0), -1);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void
random_names_differ(void)
{
	char a[9];
	char b[9];

	fs_random_name(a, sizeof(a));
	fs_random_name(b, sizeof(b));
	CHECK_INT(strlen(a), 8);
	CHECK_INT(strspn(a, "abcdefghijklmnopqrstuvwxyz0123456789"), 8);
	CHECK(strcmp(a, b) != 0);
	fs_random_name(a, 1);
	CHECK_STR(a, "");
}

static const struct check_test tests[] = {
	{ "a path opens beneath its directory or not at all",
	    paths_stay_beneath },
	{ "a magic link of /proc does not open", magic_links_do_not_open },
	{ "a directory is made with its mode whatever the umask",
	    directories_are_made_exactly },
	{ "the directories of a path are made below a directory",
	    a_path_below_a_directory_is_made },
	{ "a directory that its owner may not read is opened again",
	    a_directory_without_rights_gets_them_back },
	{ "one's own directory is opened whatever its mode is",
	    an_own_directory_is_opened_whatever_its_mode },
	{ "one's own socket is reached whatever its mode is",
	    a_socket_is_reached_whatever_its_mode },
	{ "files, links and others' directories are no directories",
	    false_directories_are_refused },
	{ "a path is made with its parents, over links",
	    paths_are_made_with_their_parents },
	{ "reading is bounded and names the bound", reading_is_bounded },
	{ "fifos and directories are not read", only_files_are_read },
	{ "an absent file is not a link",
	    absent_files_and_links_are_told_apart },
	{ "a file is replaced whole, with its mode", files_are_replaced_whole },
	{ "replacing follows no link", replacing_follows_no_link },
	{ "a write that fails leaves the old file and no other",
	    a_full_disk_leaves_the_old },
	{ "a rename that fails leaves no temporary file",
	    a_directory_in_the_way_leaves_no_temp },
	{ "a read-only directory keeps the old file",
	    a_read_only_directory_keeps_the_old },
	{ "a memfd is sealed and at its start", memfds_are_sealed },
	{ "random names are of their alphabet and differ",
	    random_names_differ },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
