/* SPDX-License-Identifier: MIT */
/* Trees that somebody hostile has built, walked and copied. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "tree-kit.h"

static mode_t
mode_of(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_mode;
}

static void
make_ends(int dir, int *ret_src, int *ret_dst)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(fs_make_dir(dir, "src", 0700, ret_src, &dg), 0);
	CHECK_INT(fs_make_dir(dir, "dst", 0700, ret_dst, &dg), 0);
}

static void
copies_share_nothing(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int src = -1;
	cleanup_close int dst = -1;
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	struct stat a;
	struct stat b;
	char target[64] = "";
	mode_t old;

	make_ends(dir, &src, &dst);
	tree_file(src, "plain", 0666);
	tree_file(src, "setid", 06775);
	tree_file(src, "empty", 0600);
	CHECK_INT(linkat(src, "plain", src, "hard", 0), 0);
	CHECK_INT(mkdirat(src, "d", 0700), 0);
	CHECK_INT(mkdirat(src, "d/e", 0700), 0);
	tree_file(src, "d/e/f", 0400);
	CHECK_INT(fchmodat(src, "d/e", 01777, 0), 0);
	CHECK_INT(fchmodat(src, "d", 0500, 0), 0);
	CHECK_INT(symlinkat("/etc/passwd", src, "link"), 0);
	CHECK_INT(symlinkat("d", src, "dlink"), 0);
	old = umask(0777);
	if (!CHECK_INT(fs_copy_wanted(src, dst, NULL, NULL, &dg), 0))
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
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int src = -1;
	cleanup_close int dst = -1;
	cleanup_close int fd = -1;
	struct stat st;
	char byte = 0;

	make_ends(dir, &src, &dst);
	fd = openat(src, "big", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(pwrite(fd, "z", 1, 5000000), 1);
	CHECK_INT(fs_copy_wanted(src, dst, NULL, NULL, &dg), 0);
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
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int src = -1;
	cleanup_close int dst = -1;

	make_ends(dir, &src, &dst);
	CHECK_INT(mkdirat(src, "d", 0700), 0);
	CHECK_INT(mkfifoat(src, "d/fifo", 0600), 0);
	CHECK_INT(fs_copy_wanted(src, dst, NULL, NULL, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_STR(
	    dg.message, "copy d/fifo: not a file, directory or symbolic link");
	diag_clear(&dg);
	CHECK_INT(fs_remove_tree(dir, "src", &dg), 0);
	CHECK_INT(fs_remove_tree(dir, "dst", &dg), 0);
	(void)close(steal_fd(&src));
	(void)close(steal_fd(&dst));

	make_ends(dir, &src, &dst);
	tree_nest(src, FS_COPY_DEPTH + 1);
	CHECK_INT(fs_copy_wanted(src, dst, NULL, NULL, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK(dg.message != NULL &&
	    strstr(dg.message, "more than 64 directories deep") != NULL);
}

/* What a walk has seen. */
struct seen {
	struct strbuf paths;
	const char *stop; /* the name at which it fails, or NULL */
};

/* Goes into all that can be opened as a directory. */
static int
see(struct fs_walk *walk, int dirfd, const char *name)
{
	struct seen *seen = walk->arg;
	int fd;

	strbuf_addf(&seen->paths, "%d:%s ", walk->depth, walk->path.buf);
	if (seen->stop != NULL && strcmp(name, seen->stop) == 0) {
		errno = EIO;
		return fs_walk_fail(walk, "stat");
	}
	fd = fs_walk_open(dirfd, name);
	return fd < 0 ? 0 : fs_walk_read(walk, fd);
}

static void
walks_go_by_descriptors(void)
{
	static const struct {
		const char *start;
		const char *stop;
		int depth;
		const char *seen;
		const char *message;
	} rows[] = {
		{ "", NULL, 0, "1:d 2:d/e 3:d/e/link ", NULL },
		{ "a", NULL, 1, "2:a/d 3:a/d/e 4:a/d/e/link ", NULL },
		{ "", "e", 0, "1:d 2:d/e ",
		    "stat home/d/e: Input/output error" },
		{ "", NULL, 2, "3:d 4:d/e ",
		    "home/d/e: more than 3 directories deep" },
	};
	cleanup_close int dir = tree_open();

	CHECK_INT(mkdirat(dir, "d", 0700), 0);
	CHECK_INT(mkdirat(dir, "d/e", 0700), 0);
	CHECK_INT(symlinkat("..", dir, "d/e/link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen seen = { STRBUF_INIT, rows[i].stop };
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_fs_walk struct fs_walk walk = {
			.visit = see,
			.arg = &seen,
			.dg = &dg,
			.label = "home/",
			.path = STRBUF_INIT,
			.depth = rows[i].depth,
			.max_depth = 3,
			.too_deep = DIAG_CONFIG,
		};

		strbuf_addstr(&walk.path, rows[i].start);
		CHECK_INT(fs_walk_read(&walk, fs_walk_open(dir, ".")),
		    rows[i].message == NULL ? 0 : -1);
		CHECK_STR(dg.message, rows[i].message);
		CHECK_STR(seen.paths.buf, rows[i].seen);
		CHECK_STR(walk.path.buf, rows[i].start);
		CHECK_INT(walk.depth, rows[i].depth);
		strbuf_release(&seen.paths);
	}
}

/* A hole occupies no blocks in the copy either. */
static void
holes_stay_holes(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = tree_open();
	cleanup_close int src = -1;
	cleanup_close int dst = -1;
	cleanup_close int fd = -1;
	char back[5] = "";
	struct stat st;

	make_ends(dir, &src, &dst);
	fd = openat(src, "sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(pwrite(fd, "here", 4, 40 << 20), 4);
	CHECK_INT(ftruncate(fd, 64 << 20), 0);
	cleanup_close_fn(&fd);
	fd = openat(src, "hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(ftruncate(fd, 1 << 20), 0);
	cleanup_close_fn(&fd);
	if (!CHECK_INT(fs_copy_wanted(src, dst, NULL, NULL, &dg), 0))
		CHECK_STR(dg.message, NULL);
	CHECK_INT(fstatat(dst, "sparse", &st, 0), 0);
	CHECK_INT(st.st_size, 64 << 20);
	CHECK(st.st_blocks < 2048);
	CHECK_INT(fstatat(dst, "hole", &st, 0), 0);
	CHECK_INT(st.st_size, 1 << 20);
	CHECK_INT(st.st_blocks, 0);
	fd = openat(dst, "sparse", O_RDONLY | O_CLOEXEC);
	CHECK_INT(pread(fd, back, 4, 40 << 20), 4);
	CHECK_STR(back, "here");
}

static const struct check_test tests[] = {
	{ "a walk names what it meets and follows no link",
	    walks_go_by_descriptors },
	{ "a copy shares no inode and no dangerous bit", copies_share_nothing },
	{ "a big file is copied whole", copies_big_files_whole },
	{ "a fifo or a tree too deep is not copied", copies_refuse_the_rest },
	{ "holes of a file stay holes", holes_stay_holes },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
