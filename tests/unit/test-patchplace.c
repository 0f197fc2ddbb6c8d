/* SPDX-License-Identifier: MIT */
/*
 * Placing a patched copy: it is whole or absent, whatever is in the way and
 * whichever call fails or kills the writer.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/patchtree.h"
#include "tree-kit.h"

#define PARENT ".drydock/patched/cargo"
#define NAME "foo-1.0.0-0123456789ab"
#define COPY PARENT "/" NAME
#define LIST COPY PATCHTREE_LIST_SUFFIX
#define LEFTOVER ".bar-2.0.0-ba9876543210.abcdefghij01"

enum call {
	CALL_NONE,
	CALL_FCHMOD,
	CALL_FSYNC,
	CALL_MKDIRAT,
	CALL_RENAMEAT2,
	CALL_UNLINKAT,
	CALL_WRITE,
	CALL_NR,
};

/* The nth call of this kind fails with EIO, or kills the process. */
static struct {
	enum call call;
	int nth;
	bool kills;
} fault;

ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __real_mkdirat(int fd, const char *name, mode_t mode);
int __real_renameat2(
    int fd, const char *from, int fd2, const char *to, unsigned int flags);
int __real_unlinkat(int fd, const char *name, int flags);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_renameat2(
    int fd, const char *from, int fd2, const char *to, unsigned int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);

static bool
fails(enum call call)
{
	if (fault.call != call || --fault.nth != 0)
		return false;
	if (fault.kills)
		_exit(0);
	errno = EIO;
	return true;
}

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	return fails(CALL_WRITE) ? -1 : __real_write(fd, data, len);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	return fails(CALL_FCHMOD) ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_fsync(int fd)
{
	return fails(CALL_FSYNC) ? -1 : __real_fsync(fd);
}

int
__wrap_mkdirat(int fd, const char *name, mode_t mode)
{
	return fails(CALL_MKDIRAT) ? -1 : __real_mkdirat(fd, name, mode);
}

int
__wrap_renameat2(
    int fd, const char *from, int fd2, const char *to, unsigned int flags)
{
	return fails(CALL_RENAMEAT2)
	    ? -1
	    : __real_renameat2(fd, from, fd2, to, flags);
}

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
	return fails(CALL_UNLINKAT) ? -1 : __real_unlinkat(fd, name, flags);
}

static int
open_at(int dir, const char *path)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd = -1;

	CHECK_INT(
	    fs_open_nolinks(dir, path, O_RDONLY | O_DIRECTORY, 0, &fd, &dg), 0);
	return fd;
}

/* A source and a project. */
struct bed {
	int src;
	int project;
	struct patchtree tree; /* of the source */
	struct diag dg;
};

static void
bed_make(struct bed *bed)
{
	static const struct timespec old[2] = { { .tv_sec = 946684800 },
		{ .tv_sec = 946684800 } };

	fault.call = CALL_NONE;
	*bed = (struct bed){ .src = tree_make("src"),
		.project = tree_make("project"),
		.tree = PATCHTREE_INIT,
		.dg = DIAG_INIT };
	tree_put_below(bed->src, "Cargo.toml", "[package]\n");
	tree_put_below(bed->src, "src/lib.rs", "pub mod a;\n");
	tree_put_below(bed->src, "src/a/mod.rs", "pub fn f() {}\n");
	tree_put_below(bed->src, "src/b.rs", "");
	CHECK_INT(utimensat(bed->src, "src/lib.rs", old, 0), 0);
	CHECK_INT(patchtree_read(bed->src, &bed->tree, &bed->dg), 0);
}

static void
bed_release(struct bed *bed)
{
	(void)close(bed->src);
	(void)close(bed->project);
	patchtree_release(&bed->tree);
	diag_clear(&bed->dg);
}

#define cleanup_bed __attribute__((cleanup(bed_release)))

static int
place(struct bed *bed)
{
	diag_clear(&bed->dg);
	return patchtree_place(
	    bed->src, &bed->tree, bed->project, COPY, &bed->dg);
}

static void
check_file(int dir, const char *path)
{
	struct stat st = { .st_mode = 0 };

	CHECK_INT(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st.st_mode, S_IFREG | 0444);
	CHECK_INT(st.st_nlink, 1);
	CHECK(st.st_mtime + 100 > time(NULL));
}

static void
check_dir(int dir, const char *path)
{
	struct stat st = { .st_mode = 0 };

	CHECK_INT(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0755);
}

/* Returns true if the list of what is at COPY is this one. */
static bool
copy_is(const struct bed *bed, const char *list)
{
	cleanup_patchtree struct patchtree got = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int dir = -1;

	if (fs_open_nolinks(bed->project, COPY, O_RDONLY | O_DIRECTORY, 0, &dir,
		&dg) != 0 ||
	    patchtree_read(dir, &got, &dg) != 0)
		return false;
	patchtree_list(&got, &text);
	return strcmp(text.buf, list) == 0;
}

static bool
list_is(const struct bed *bed, const char *list)
{
	cleanup_free char *text = tree_get(bed->project, LIST);

	return text != NULL && strcmp(text, list) == 0;
}

/* The copy is there as it must be, and nothing else. */
static void
check_placed(const struct bed *bed)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_close int parent = open_at(bed->project, PARENT);

	patchtree_list(&bed->tree, &list);
	CHECK(copy_is(bed, list.buf));
	CHECK(list_is(bed, list.buf));
	for (size_t i = 0; i < bed->tree.nr; i++) {
		cleanup_free char *path =
		    xasprintf(COPY "/%s", bed->tree.v[i].path);

		check_file(bed->project, path);
	}
	check_file(bed->project, LIST);
	check_dir(bed->project, COPY);
	check_dir(bed->project, COPY "/src/a");
	CHECK_INT(tree_count(parent), 2);
}

static void
a_copy_is_placed_whatever_the_umask(void)
{
	static const mode_t masks[] = { 022, 077, 0, 0777 };

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		cleanup_bed struct bed bed = { .src = -1 };
		mode_t old;
		int rc;

		bed_make(&bed);
		old = umask(masks[i]);
		rc = place(&bed);
		(void)umask(old);
		CHECK_INT(rc, 0);
		CHECK_STR(bed.dg.message, NULL);
		check_placed(&bed);
		check_dir(bed.project, ".drydock");
		check_dir(bed.project, PARENT);
	}
}

/* Puts something at COPY or LIST. */
static void
put_in_the_way(int project, int kind, const char *path)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	CHECK_INT(fs_make_dirs(project, PARENT, 0755, &fd, &dg), 0);
	if (kind == 0)
		tree_put_below(project, path, "text");
	else if (kind == 1)
		CHECK_INT(symlinkat("../../../outside", project, path), 0);
	else if (kind == 2)
		CHECK_INT(mkfifoat(project, path, 0600), 0);
	else if (kind == 3)
		tree_socket(project, path);
	else {
		cleanup_free char *below = xasprintf("%s/d/d", path);

		tree_put_below(project, below, "text");
		if (kind == 5)
			CHECK_INT(fchmodat(project, path, 0, 0), 0);
	}
}

static void
whatever_is_in_the_way_is_replaced(void)
{
	for (int kind = 0; kind < 6; kind++) {
		cleanup_bed struct bed bed = { .src = -1 };

		bed_make(&bed);
		tree_put_below(bed.project, "outside/a", "outside");
		put_in_the_way(bed.project, kind, COPY);
		put_in_the_way(bed.project, kind, LIST);
		CHECK_INT(place(&bed), 0);
		CHECK_STR(bed.dg.message, NULL);
		check_placed(&bed);
		CHECK(tree_has(bed.project, "outside/a"));
	}
}

static void
links_above_the_copy_are_refused(void)
{
	static const char *const links[] = { ".drydock", ".drydock/patched",
		PARENT };

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		cleanup_bed struct bed bed = { .src = -1 };
		cleanup_close int outside = tree_make("outside");

		bed_make(&bed);
		tree_put_below(outside, "patched/cargo/" LEFTOVER "/a", "a");
		tree_put_below(outside, "cargo/" LEFTOVER "/a", "a");
		tree_put_below(outside, LEFTOVER "/a", "a");
		if (i > 0)
			CHECK_INT(mkdirat(bed.project, ".drydock", 0755), 0);
		if (i > 1)
			CHECK_INT(
			    mkdirat(bed.project, ".drydock/patched", 0755), 0);
		{
			cleanup_free char *target =
			    xasprintf("%s/outside", check_tmpdir());

			CHECK_INT(symlinkat(target, bed.project, links[i]), 0);
		}
		CHECK_INT(place(&bed), -1);
		CHECK_INT(bed.dg.class, DIAG_IO);
		CHECK_STR(bed.dg.message,
		    "place " COPY ": open " PARENT
		    ": a symbolic link is in the way");
		CHECK(tree_has(outside, LEFTOVER "/a"));
		CHECK(tree_has(outside, "cargo/" LEFTOVER "/a"));
		CHECK(tree_has(outside, "patched/cargo/" LEFTOVER "/a"));
		CHECK_INT(tree_count(outside), 3);
	}
}

static void
other_things_above_the_copy_are_refused(void)
{
	cleanup_bed struct bed bed = { .src = -1 };

	bed_make(&bed);
	tree_put(bed.project, ".drydock", "");
	CHECK_INT(place(&bed), -1);
	CHECK_STR(
	    bed.dg.message, "place " COPY ": open .drydock: Not a directory");
	if (geteuid() != 0)
		return;
	CHECK_INT(unlinkat(bed.project, ".drydock", 0), 0);
	CHECK_INT(mkdirat(bed.project, ".drydock", 0777), 0);
	CHECK_INT(fchownat(bed.project, ".drydock", 1234, 1234, 0), 0);
	CHECK_INT(place(&bed), -1);
	CHECK_STR(bed.dg.message,
	    "place " COPY
	    ": .drydock: belongs to uid 1234 and not to you (uid 0)");
}

static void
leftovers_are_removed(void)
{
	cleanup_bed struct bed bed = { .src = -1 };
	cleanup_close int parent = -1;

	bed_make(&bed);
	tree_put_below(bed.project, "outside/a", "outside");
	tree_put_below(bed.project, PARENT "/" LEFTOVER "/src/lib.rs", "text");
	tree_put_below(
	    bed.project, PARENT "/." NAME ".files.abcdefghij01", "text");
	tree_put_below(
	    bed.project, PARENT "/other-1.0.0-0123456789ab/a", "text");
	tree_put_below(bed.project, PARENT "/.keep-abcdefghijkl", "text");
	parent = open_at(bed.project, PARENT);
	CHECK_INT(
	    symlinkat("../../../outside", parent, "." NAME ".000000000000"), 0);
	CHECK_INT(place(&bed), 0);
	CHECK_INT(tree_count(parent), 4);
	CHECK(tree_has(parent, "other-1.0.0-0123456789ab/a"));
	CHECK(tree_has(parent, ".keep-abcdefghijkl"));
	CHECK(tree_has(bed.project, "outside/a"));
}

static void
a_source_that_is_not_the_tree_is_refused(void)
{
	static const char *const how[] = { "changed", "longer", "gone",
		"link" };

	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		cleanup_bed struct bed bed = { .src = -1 };
		cleanup_close int parent = -1;

		bed_make(&bed);
		CHECK_INT(unlinkat(bed.src, "src/a/mod.rs", 0), 0);
		if (i == 0)
			tree_put_below(
			    bed.src, "src/a/mod.rs", "pub fn g() {}\n");
		else if (i == 1)
			tree_put_below(
			    bed.src, "src/a/mod.rs", "pub fn f() {}\n\n");
		else if (i == 3)
			CHECK_INT(
			    symlinkat("../lib.rs", bed.src, "src/a/mod.rs"), 0);
		CHECK_INT(place(&bed), -1);
		CHECK_INT(bed.dg.class, i < 2 ? DIAG_DATA : DIAG_IO);
		CHECK(strstr(bed.dg.message, "src/a/mod.rs") != NULL);
		parent = open_at(bed.project, PARENT);
		CHECK_INT(tree_count(parent), 0);
	}
}

/* An older copy with its list, of other files. */
static void
put_old(struct bed *bed, struct strbuf *ret_list)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_close int dir = -1;

	tree_put_below(bed->project, COPY "/Cargo.toml", "old");
	tree_put_below(bed->project, COPY "/old/old.rs", "old");
	dir = open_at(bed->project, COPY);
	CHECK_INT(patchtree_read(dir, &tree, &bed->dg), 0);
	patchtree_list(&tree, ret_list);
	tree_put_below(bed->project, LIST, ret_list->buf);
}

/* What is there is whole, and a list is a copy's. */
static void
check_whole(struct bed *bed, const char *old, const char *new)
{
	bool has_new = copy_is(bed, new);

	CHECK(has_new || copy_is(bed, old));
	CHECK(list_is(bed, old) || (has_new && list_is(bed, new)));
}

static void
a_call_that_fails_leaves_a_whole_copy(void)
{
	int nfailures = 0;

	for (enum call call = CALL_NONE + 1; call < CALL_NR; call++) {
		for (int nth = 1;; nth++) {
			cleanup_bed struct bed bed = { .src = -1 };
			cleanup_strbuf struct strbuf old = STRBUF_INIT;
			cleanup_strbuf struct strbuf new = STRBUF_INIT;
			cleanup_close int parent = -1;
			int rc;

			bed_make(&bed);
			put_old(&bed, &old);
			patchtree_list(&bed.tree, &new);
			fault.call = call;
			fault.nth = nth;
			rc = place(&bed);
			fault.call = CALL_NONE;
			check_whole(&bed, old.buf, new.buf);
			if (rc == 0 && fault.nth > 0)
				break;
			if (rc != 0) {
				nfailures++;
				CHECK_INT(bed.dg.class, DIAG_IO);
				CHECK_INT(bed.dg.errnum, EIO);
			}
			/* What cannot be removed stays for the next one. */
			parent = open_at(bed.project, PARENT);
			if (call != CALL_UNLINKAT)
				CHECK_INT(tree_count(parent), 2);
			CHECK_INT(place(&bed), 0);
			check_placed(&bed);
		}
	}
	CHECK(nfailures > 25);
}

static void
a_killed_writer_leaves_a_whole_copy(void)
{
	int nkilled = 0;

	for (enum call call = CALL_NONE + 1; call < CALL_NR; call++) {
		for (int nth = 1;; nth++) {
			cleanup_bed struct bed bed = { .src = -1 };
			cleanup_strbuf struct strbuf old = STRBUF_INIT;
			cleanup_strbuf struct strbuf new = STRBUF_INIT;
			int status = -1;
			pid_t pid;

			bed_make(&bed);
			put_old(&bed, &old);
			patchtree_list(&bed.tree, &new);
			pid = fork();
			if (pid == 0) {
				fault.call = call;
				fault.nth = nth;
				fault.kills = true;
				(void)place(&bed);
				_exit(1);
			}
			CHECK_INT(waitpid(pid, &status, 0), pid);
			CHECK(WIFEXITED(status));
			check_whole(&bed, old.buf, new.buf);
			if (WEXITSTATUS(status) == 1)
				break;
			nkilled++;
			CHECK_INT(place(&bed), 0);
			check_placed(&bed);
		}
	}
	CHECK(nkilled > 25);
}

static void
the_copy_comes_before_its_list(void)
{
	cleanup_bed struct bed bed = { .src = -1 };

	bed_make(&bed);
	fault.call = CALL_RENAMEAT2;
	fault.nth = 2;
	CHECK_INT(place(&bed), -1);
	CHECK_STR(bed.dg.message,
	    "place " COPY ": rename " NAME ".files: Input/output error");
	CHECK(tree_has(bed.project, COPY));
	CHECK(!tree_has(bed.project, LIST));
}

static void
everything_is_flushed(void)
{
	cleanup_bed struct bed bed = { .src = -1 };

	bed_make(&bed);
	fault.call = CALL_FSYNC;
	fault.nth = 1000;
	CHECK_INT(place(&bed), 0);
	fault.call = CALL_NONE;
	/* Four files, three directories, the list, and both renames. */
	CHECK_INT(1000 - fault.nth, 10);
}

static const struct check_test tests[] = {
	{ "a copy is placed whatever the umask",
	    a_copy_is_placed_whatever_the_umask },
	{ "whatever is in the way is replaced",
	    whatever_is_in_the_way_is_replaced },
	{ "links above the copy are refused",
	    links_above_the_copy_are_refused },
	{ "files and others' directories above the copy are refused",
	    other_things_above_the_copy_are_refused },
	{ "leftovers are removed, and nothing else", leftovers_are_removed },
	{ "a source that is not the tree is refused",
	    a_source_that_is_not_the_tree_is_refused },
	{ "a call that fails leaves a whole copy",
	    a_call_that_fails_leaves_a_whole_copy },
	{ "a killed writer leaves a whole copy",
	    a_killed_writer_leaves_a_whole_copy },
	{ "the copy comes before its list", the_copy_comes_before_its_list },
	{ "everything is flushed", everything_is_flushed },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
