/* SPDX-License-Identifier: MIT */
/*
 * diff and patch of this machine: what diff makes, patch applies exactly; what
 * they would do besides is refused.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchtext.h"
#include "deps/patchtools.h"
#include "host/paths.h"
#include "host/program.h"
#include "tree-kit.h"

/* Replaces a program by a path; "" is a missing program. */
static struct {
	const char *name;
	const char *path;
} replaced;

char *__real_program_find_system(const char *name);
char *__wrap_program_find_system(const char *name);

char *
__wrap_program_find_system(const char *name)
{
	if (replaced.name == NULL || strcmp(replaced.name, name) != 0)
		return __real_program_find_system(name);
	return *replaced.path == '\0' ? NULL : xstrdup(replaced.path);
}

/* fstatat() fails for this path. */
static const char *broken_path;

int __real_fstatat(int dirfd, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int dirfd, const char *path, struct stat *st, int flags);

int
__wrap_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	if (broken_path == NULL || strcmp(path, broken_path) != 0)
		return __real_fstatat(dirfd, path, st, flags);
	errno = EIO;
	return -1;
}

struct bed {
	struct paths paths;
	struct patchtools tools;
	struct diag dg;
	struct strbuf text; /* what diff printed */
	int a;
	int b;
};

static void
bed_open(struct bed *bed)
{
	*bed = (struct bed){
		.tools = PATCHTOOLS_INIT,
		.dg = DIAG_INIT,
		.text = STRBUF_INIT,
		.a = -1,
		.b = -1,
	};
	paths_init(&bed->paths);
	bed->paths.state_dir = xasprintf("%s/state", check_tmpdir());
	(void)mkdir(bed->paths.state_dir, 0700);
	bed->paths.state_fd =
	    open(bed->paths.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(patchtools_open(&bed->tools, &bed->paths, &bed->dg), 0);
	CHECK_STR(bed->dg.message, NULL);
	CHECK_INT(patchtools_make_dir(&bed->tools, "a", &bed->a, &bed->dg), 0);
	CHECK_INT(patchtools_make_dir(&bed->tools, "b", &bed->b, &bed->dg), 0);
}

static void
bed_close(struct bed *bed)
{
	cleanup_free char *path = NULL;

	if (bed->tools.scratch.path != NULL)
		path = xstrdup(bed->tools.scratch.path);
	patchtools_close(&bed->tools);
	CHECK_INT(access(path, F_OK), -1);
	CHECK_INT(errno, ENOENT);
	cleanup_close_fn(&bed->a);
	cleanup_close_fn(&bed->b);
	strbuf_release(&bed->text);
	diag_clear(&bed->dg);
	paths_release(&bed->paths);
}

#define cleanup_bed __attribute__((cleanup(bed_close)))

/* A literal's bytes, which may have NULs. */
struct bytes {
	const char *at; /* NULL: there is no such file */
	size_t len;
};

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
#define ABSENT          \
	{               \
		NULL, 0 \
	}

/* Makes a file, and its directory. */
static void
put(int dir, const char *path, const struct bytes *bytes)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	const char *slash = strchr(path, '/');

	if (bytes->at == NULL)
		return;
	if (slash != NULL) {
		cleanup_free char *up = xstrndup(path, (size_t)(slash - path));

		(void)mkdirat(dir, up, 0755);
	}
	fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	CHECK(fd >= 0);
	CHECK_INT(fs_write_all(fd, bytes->at, bytes->len, path, &dg), 0);
}

/* Appends a file's path and digest as a line. */
static int
list_file(struct fs_walk *walk, int dirfd, const char *name)
{
	struct strvec *lines = walk->arg;
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;
	cleanup_free char *line = NULL;
	char hex[DIGEST_HEX_SIZE];
	struct stat st;

	CHECK_INT(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (S_ISDIR(st.st_mode))
		return fs_walk_read(walk, fs_walk_open(dirfd, name));
	if (fs_read_file(dirfd, name, 64 << 20, &bytes, walk->dg) != 0)
		return -1;
	digest_bytes(bytes.buf, bytes.len, hex);
	line = xasprintf("%s %s\n", walk->path.buf, hex);
	strvec_push(lines, line);
	return 0;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Returned: the files of a tree with their digests, sorted. */
static char *
list(const struct bed *bed, const char *name)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_fs_walk struct fs_walk walk = { .visit = list_file,
		.arg = &lines,
		.dg = &dg,
		.label = "tree",
		.path = STRBUF_INIT,
		.max_depth = 10,
		.too_deep = DIAG_DATA };

	CHECK_INT(
	    fs_walk_read(&walk, fs_walk_open(bed->tools.dir_fd, name)), 0);
	CHECK_STR(dg.message, NULL);
	if (lines.nr > 0)
		qsort(lines.v, lines.nr, sizeof(*lines.v), by_text);
	for (size_t i = 0; i < lines.nr; i++)
		strbuf_addstr(&text, lines.v[i]);
	return strbuf_detach(&text, NULL);
}

static bool
everything(void *arg, const char *path, const struct stat *st)
{
	(void)arg;
	(void)path;
	(void)st;
	return true;
}

/* Copies tree "a" to a new tree, applies the text, and compares with "b". */
static void
apply_and_compare(struct bed *bed, const char *name)
{
	cleanup_close int fd = -1;
	cleanup_free char *want = NULL;
	cleanup_free char *got = NULL;
	int before;

	CHECK_INT(patchtools_make_dir(&bed->tools, name, &fd, &bed->dg), 0);
	CHECK_INT(fs_copy_wanted(bed->a, fd, everything, NULL, &bed->dg), 0);
	before = tree_count(bed->tools.dir_fd);
	CHECK_INT(patchtools_apply(&bed->tools, name, bed->text.buf,
		      bed->text.len, &bed->dg),
	    0);
	CHECK_STR(bed->dg.message, NULL);
	want = list(bed, "b");
	got = list(bed, name);
	CHECK_STR(got, want);
	/* No temporary file stays. */
	CHECK_INT(tree_count(bed->tools.dir_fd), before);
}

#define LINES "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"

static const struct {
	const char *path;
	struct bytes a;
	struct bytes b;
} changes[] = {
	{ "same", BYTES("the same\n"), BYTES("the same\n") },
	{ "one", BYTES(LINES "11\n"), BYTES(LINES "12\n") },
	{ "two", BYTES("0\n" LINES LINES "11\n"),
	    BYTES("x\n" LINES LINES "y\n") },
	{ "new", ABSENT, BYTES("new\n") },
	{ "deep/new", ABSENT, BYTES("new\n") },
	{ "gone", BYTES("gone\n"), ABSENT },
	{ "old/gone", BYTES("gone\n"), ABSENT },
	{ "filled", BYTES(""), BYTES("full\n") },
	{ "emptied", BYTES("full\n"), BYTES("") },
	{ "stays-empty", BYTES(""), BYTES("") },
	{ "end-lost", BYTES("1\nend\n"), BYTES("1\nend") },
	{ "end-added", BYTES("1\nend"), BYTES("1\nend\n") },
	{ "end-kept", BYTES("1\nend"), BYTES("2\nend") },
	{ "no-end", ABSENT, BYTES("new") },
	{ "crlf", BYTES("1\r\n2\r\n3\r\n"), BYTES("1\r\n0\r\n3\r\n") },
	{ "crlf-lost", BYTES("1\r\n2\r\n3\r\n"), BYTES("1\n2\n3\n") },
	{ "crlf-mixed", BYTES("1\r\n2\n3\r"), BYTES("1\r\n\n3\r\r") },
	{ "latin-1", BYTES("caf\xe9\n"), BYTES("caf\xe8\n") },
	{ "utf-8", BYTES("caf\xc3\xa9\n"), BYTES("caf\xc3\xa8\n") },
	{ "controls", BYTES("\x1b[0m\f\v\b\n"), BYTES("\x1b[1m\f\v\b\n") },
	{ "looks-like", BYTES("-- a/x\t1\n++ b/x\t2\n"),
	    BYTES("@@ -1 +1 @@\ndiff -ruN a/x b/x\n") },
	{ "ed-script", BYTES("1\n"), BYTES("1\n1d\n.\nw\n") },
	{ "prereq", BYTES("1\n"), BYTES("Prereq: 2\nIndex: other\n1\n") },
	{ "dashes", BYTES("-\n--\n---\n"), BYTES("-\n---\n----\n") },
	{ "sub.d/-name", BYTES("1\n"), BYTES("2\n") },
	{ "blank name", BYTES("unchanged\n"), BYTES("unchanged\n") },
	{ "picture", BYTES("\0\1\2"), BYTES("\0\1\2") },
};

static void
round_trip_of_each(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		cleanup_bed struct bed bed;
		bool same;

		bed_open(&bed);
		put(bed.a, "same", &changes[0].a);
		put(bed.b, "same", &changes[0].b);
		if (i > 0) {
			put(bed.a, changes[i].path, &changes[i].a);
			put(bed.b, changes[i].path, &changes[i].b);
		}
		same = changes[i].a.at != NULL && changes[i].b.at != NULL &&
		    changes[i].a.len == changes[i].b.len &&
		    memcmp(changes[i].a.at, changes[i].b.at,
			changes[i].a.len) == 0;
		CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), 0);
		CHECK_STR(bed.dg.message, NULL);
		if (!CHECK_INT(bed.text.len == 0, same))
			CHECK_STR(changes[i].path, NULL);
		if (!same)
			apply_and_compare(&bed, "p");
	}
}

/* Makes both trees with all changes. */
static void
put_all(const struct bed *bed, bool backwards)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		size_t at = backwards ? ARRAY_SIZE(changes) - 1 - i : i;

		put(bed->a, changes[at].path, &changes[at].a);
		put(bed->b, changes[at].path, &changes[at].b);
	}
}

/* The epoch would tell patch that there is no such file. */
static void
same_bytes_always(void)
{
	static const struct timespec epoch[2] = { { 0, 0 }, { 0, 0 } };
	cleanup_bed struct bed one;
	cleanup_bed struct bed two;

	bed_open(&one);
	put_all(&one, false);
	CHECK_INT(patchtools_diff(&one.tools, &one.text, &one.dg), 0);
	CHECK_STR(one.dg.message, NULL);
	apply_and_compare(&one, "p");
	bed_open(&two);
	put_all(&two, true);
	CHECK_INT(utimensat(two.a, "one", epoch, 0), 0);
	CHECK_INT(utimensat(two.b, "two", epoch, 0), 0);
	CHECK_INT(patchtools_diff(&two.tools, &two.text, &two.dg), 0);
	CHECK_STR(two.text.buf, one.text.buf);
	apply_and_compare(&two, "p");
	CHECK(strstr(two.text.buf,
		  "diff -ruN a/new b/new\n"
		  "--- a/new\t1970-01-01 00:00:00.000000000 +0000\n"
		  "+++ b/new\t2000-01-01 00:00:00.000000000 +0000\n"
		  "@@ -0,0 +1 @@\n"
		  "+new\n") != NULL);
}

/* diff looks for a NUL at the front alone. */
static char late_nul[100000];

static void
differences_without_diff(void)
{
	static const struct {
		const char *path;
		struct bytes a;
		struct bytes b;
		const char *want;
	} rows[] = {
		{ "nul", BYTES("\0\0\0"), BYTES("\0\0\0\0"),
		    "a patch changes text files alone: Binary files a/nul and "
		    "b/nul differ" },
		{ "late", BYTES("1\n"), { late_nul, sizeof(late_nul) },
		    "a patch changes text files alone: \"diff -ruN a/late "
		    "b/late\" prints a NUL" },
		{ "made", ABSENT, BYTES(""),
		    "made is new and empty: a patch cannot make such a file; "
		    "write a line into it" },
		{ "lost", BYTES(""), ABSENT,
		    "lost is removed: a patch cannot remove a file that is "
		    "empty; leave it there" },
		{ "blank name", BYTES("1\n"), BYTES("2\n"),
		    "a patch cannot change a file with this name: \"a/blank "
		    "name\"" },
		{ "caf\xc3\xa9", ABSENT, BYTES("2\n"),
		    "a patch cannot change a file with this name: "
		    "\"a/caf\\\\303\\\\251\"" },
		{ "quote\"", ABSENT, BYTES("2\n"),
		    "a patch cannot change a file with this name: "
		    "\"a/quote\\\\\"\"" },
		{ "dir/file", BYTES("1\n"), ABSENT,
		    "a patch changes text files alone: File a/dir is a "
		    "directory while file b/dir is a regular file" },
	};

	memset(late_nul, 'x', sizeof(late_nul));
	late_nul[sizeof(late_nul) - 2] = '\0';
	late_nul[sizeof(late_nul) - 1] = '\n';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static const struct bytes file = BYTES("file\n");
		static const struct bytes changed = BYTES("changed\n");
		cleanup_bed struct bed bed;

		bed_open(&bed);
		/* A change that a patch can say, before and behind. */
		put(bed.a, "aaa", &file);
		put(bed.b, "aaa", &changed);
		put(bed.a, "zzz", &file);
		put(bed.b, "zzz", &changed);
		put(bed.a, rows[i].path, &rows[i].a);
		put(bed.b, rows[i].path, &rows[i].b);
		if (strcmp(rows[i].path, "dir/file") == 0)
			put(bed.b, "dir", &file);
		CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), -1);
		CHECK_INT(bed.dg.class, DIAG_CONFIG);
		CHECK_STR(bed.dg.message, rows[i].want);
		CHECK_INT(bed.text.len, 0);
	}
}

/* An empty file is neither new nor removed while that is not known. */
static void
unknown_is_a_failure(void)
{
	static const struct bytes empty = BYTES("");

	for (int is_new = 0; is_new <= 1; is_new++) {
		cleanup_bed struct bed bed;

		bed_open(&bed);
		put(is_new ? bed.b : bed.a, "dir/empty", &empty);
		broken_path = "dir/empty";
		CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), -1);
		broken_path = NULL;
		CHECK_INT(bed.dg.class, DIAG_IO);
		CHECK_STR(bed.dg.message,
		    is_new ? "compare b/dir/empty: Input/output error"
			   : "compare a/dir/empty: Input/output error");
	}
}

/* A link could make diff read any file of the user's. */
static void
only_files_are_compared(void)
{
	cleanup_bed struct bed bed;

	bed_open(&bed);
	CHECK_INT(symlinkat("/etc/passwd", bed.b, "link"), 0);
	CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), -1);
	CHECK_INT(bed.dg.class, DIAG_DATA);
	CHECK_STR(bed.dg.message, "b/link is not a regular file");
}

#define HEAD(name, old, new)                                                  \
	"--- a/" name "\t" old "-01-01 00:00:00.000000000 +0000\n+++ b/" name \
	"\t" new "-01-01 00:00:00.000000000 +0000\n"
#define FILE_HEAD HEAD("file", "2000", "2000")

static void
only_exact_hunks_apply(void)
{
	static const struct {
		const char *name;
		const char *file; /* NULL: absent */
		const char *text;
		enum diag_class class; /* DIAG_NONE: it applies */
	} rows[] = {
		{ "as it is", "1\n2\n3\n",
		    FILE_HEAD "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n", DIAG_NONE },
		{ "another line", "1\n2\n3\n",
		    FILE_HEAD "@@ -1,3 +1,3 @@\n 1\n-9\n+x\n 3\n", DIAG_NO },
		{ "an offset", "0\n1\n2\n3\n4\n5\n6\n7\n8\n",
		    FILE_HEAD "@@ -1,7 +1,7 @@\n 1\n 2\n 3\n-4\n+x\n 5\n 6\n "
			      "7\n",
		    DIAG_NO },
		{ "an offset back", LINES,
		    FILE_HEAD "@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n "
			      "8\n",
		    DIAG_NO },
		{ "other context", "0\n2\n3\n",
		    FILE_HEAD "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n", DIAG_NO },
		{ "other blanks", "1\n2 \n3\n",
		    FILE_HEAD "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n", DIAG_NO },
		{ "other line ends", "1\r\n2\r\n3\r\n",
		    FILE_HEAD "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n", DIAG_NO },
		{ "applied before", "1\nx\n3\n",
		    FILE_HEAD "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n", DIAG_NO },
		{ "no such file", NULL,
		    FILE_HEAD "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n", DIAG_NO },
		{ "a new file is there", "1\n",
		    HEAD("file", "1970", "2000") "@@ -0,0 +1 @@\n+x\n",
		    DIAG_NO },
		{ "more than what goes", "1\n2\n",
		    HEAD("file", "2000", "1970") "@@ -1 +0,0 @@\n-1\n",
		    DIAG_NO },
		{ "the second hunk", LINES LINES,
		    FILE_HEAD "@@ -1,3 +1,3 @@\n-1\n+x\n 2\n 3\n"
			      "@@ -18,3 +18,3 @@\n 8\n-9\n+x\n 0\n",
		    DIAG_NO },
		{ "the second file", "1\n",
		    FILE_HEAD "@@ -1 +1 @@\n-1\n+x\n" HEAD(
			"other", "2000", "2000") "@@ -1 +1 @@\n-1\n+x\n",
		    DIAG_NO },
		{ "an ed script", "1\n", FILE_HEAD "1d\n!touch ran\n.\nw\n",
		    DIAG_DATA },
		{ "an ed script alone", "1\n", "1d\n!touch ran\n.\nw\n",
		    DIAG_DATA },
		{ "an ed script in front", "1\n",
		    "1d\n!touch ran\n.\n" FILE_HEAD "@@ -1 +1 @@\n-1\n+x\n",
		    DIAG_DATA },
		{ "a context diff", "1\n",
		    "*** a/file\n--- b/file\n***************\n*** 1 ****\n! "
		    "1\n--- 1 ----\n! x\n",
		    DIAG_DATA },
		{ "outside", "1\n",
		    HEAD("../ran", "1970", "2000") "@@ -0,0 +1 @@\n+x\n",
		    DIAG_DATA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_bed struct bed bed;
		cleanup_free char *files = NULL;

		bed_open(&bed);
		if (rows[i].file != NULL)
			tree_put(bed.a, "file", rows[i].file);
		if (!CHECK_INT(patchtools_apply(&bed.tools, "a", rows[i].text,
				   strlen(rows[i].text), &bed.dg),
			rows[i].class == DIAG_NONE ? 0 : -1) ||
		    !CHECK_INT(bed.dg.class, rows[i].class))
			CHECK_STR(rows[i].name, NULL);
		if (rows[i].class == DIAG_NO) {
			CHECK_STR(bed.dg.message, "the patch does not apply");
			CHECK(bed.dg.detail != NULL);
		}
		files = list(&bed, "a");
		CHECK(strstr(files, "file.orig") == NULL);
		CHECK(strstr(files, "file.rej") == NULL);
		CHECK(strstr(files, "ran") == NULL);
		CHECK(!tree_has(bed.tools.dir_fd, "ran"));
		CHECK_INT(tree_count(bed.tools.dir_fd), 2);
	}
}

static void
missing_program(void)
{
	static const struct {
		const char *name;
		const char *want;
	} rows[] = {
		{ "diff",
		    "diff is not installed: install the package "
		    "diffutils" },
		{ "patch",
		    "patch is not installed: install the package patch" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_paths struct paths paths;
		cleanup_patchtools struct patchtools tools = PATCHTOOLS_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		paths_init(&paths);
		replaced.name = rows[i].name;
		replaced.path = "";
		CHECK_INT(patchtools_open(&tools, &paths, &dg), -1);
		replaced.name = NULL;
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(dg.message, rows[i].want);
	}
}

/* Returned: the path of a program that a shell runs. */
static char *
make_program(const char *text)
{
	char *path = xasprintf("%s/program", check_tmpdir());
	cleanup_free char *script = xasprintf("#!/bin/sh\n%s", text);
	cleanup_close int dir = tree_open();

	tree_put(dir, "program", script);
	CHECK_INT(chmod(path, 0755), 0);
	return path;
}

/* Nothing of the caller's environment changes what the programs do. */
static void
fixed_environment(void)
{
	cleanup_free char *program = make_program(
	    "{ tr '\\0' '\\n' </proc/$$/environ; pwd; echo \"$@\"; } >out\n");
	cleanup_bed struct bed bed;
	cleanup_free char *want = NULL;
	cleanup_free char *got = NULL;

	replaced.name = "diff";
	replaced.path = program;
	CHECK_INT(setenv("POSIXLY_CORRECT", "1", 1), 0);
	CHECK_INT(setenv("VERSION_CONTROL", "numbered", 1), 0);
	bed_open(&bed);
	replaced.name = NULL;
	CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), 0);
	CHECK_STR(bed.dg.message, NULL);
	CHECK_INT(unsetenv("POSIXLY_CORRECT"), 0);
	CHECK_INT(unsetenv("VERSION_CONTROL"), 0);
	want = xasprintf("LC_ALL=C\nTZ=UTC0\nPATCH_GET=0\nTMPDIR=%s\n%s\n"
			 "-ruN a b\n",
	    bed.tools.scratch.path, bed.tools.scratch.path);
	got = tree_get(bed.tools.dir_fd, "out");
	CHECK_STR(got, want);
}

static void
failing_program(void)
{
	static const struct {
		const char *text;
		enum diag_class class;
		const char *detail;
	} rows[] = {
		{ "echo words >&2; exit 2\n", DIAG_IO, "words\n" },
		{ "echo words >&2; exit 0\n", DIAG_IO, "words\n" },
		{ "kill -9 $$\n", DIAG_IO, "" },
		{ "exit 1\n", DIAG_IO, "" },
		{ "echo '--- a/x'; exit 0\n", DIAG_IO, "" },
		{ "exec head -c 20000000 /dev/zero\n", DIAG_CONFIG, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *program = make_program(rows[i].text);
		cleanup_bed struct bed bed;

		replaced.name = "diff";
		replaced.path = program;
		bed_open(&bed);
		replaced.name = NULL;
		CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), -1);
		CHECK_INT(bed.dg.class, rows[i].class);
		CHECK_STR(bed.dg.detail, rows[i].detail);
		CHECK_INT(bed.text.len, 0);
	}
}

/* patch succeeds and did not do what the text says. */
static void
patch_that_does_nothing(void)
{
	static const char text[] = FILE_HEAD "@@ -1 +1 @@\n-1\n+x\n";
	static const char *const programs[] = { "exit 0\n",
		"echo 'patching file file'; echo 'Hunk #1 succeeded at 2'\n",
		"echo 'patching file file'; echo 'patching file other'\n",
		"echo 'patching file file'; echo words >&2\n",
		"echo 'patching file file'; exit 1\n" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		cleanup_free char *program = make_program(programs[i]);
		cleanup_bed struct bed bed;

		replaced.name = "patch";
		replaced.path = program;
		bed_open(&bed);
		replaced.name = NULL;
		CHECK_INT(patchtools_apply(
			      &bed.tools, "a", text, strlen(text), &bed.dg),
		    -1);
		CHECK_INT(bed.dg.class, DIAG_NO);
	}
}

/* A patch of more than the limit is told; no half of it is written. */
static void
too_large(void)
{
	cleanup_bed struct bed bed;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	struct bytes bytes;

	bed_open(&bed);
	while (line.len <= PATCHTEXT_MAX_SIZE)
		strbuf_addf(&line, "line at %zu, longer\n", line.len);
	bytes = (struct bytes){ line.buf, line.len };
	put(bed.b, "large", &bytes);
	CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), -1);
	CHECK_INT(bed.dg.class, DIAG_CONFIG);
	CHECK(strstr(bed.dg.message, "more than 16777216 bytes") != NULL);
	CHECK_INT(bed.text.len, 0);
}

static void
thousands_of_files(void)
{
	cleanup_bed struct bed bed;

	bed_open(&bed);
	for (int i = 0; i < 1000; i++) {
		cleanup_free char *path = xasprintf("d%d/file%d", i % 50, i);
		cleanup_free char *text = xasprintf("file %d\n", i);
		cleanup_free char *other = xasprintf("changed %d\n", i);
		const struct bytes a = { text, strlen(text) };
		const struct bytes b = { other, strlen(other) };

		put(bed.a, path, &a);
		put(bed.b, path, i % 3 == 0 ? &b : &a);
	}
	CHECK_INT(patchtools_diff(&bed.tools, &bed.text, &bed.dg), 0);
	CHECK_STR(bed.dg.message, NULL);
	apply_and_compare(&bed, "p");
}

/* The next process removes what a killed one left. */
static void
leftovers_go(void)
{
	cleanup_bed struct bed bed;
	cleanup_close int scratch = -1;
	const char *top = check_tmpdir();
	pid_t pid = fork();
	int status;

	CHECK(top != NULL);
	if (pid == 0) {
		bed_open(&bed);
		(void)raise(SIGKILL);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	bed_open(&bed);
	scratch = openat(
	    bed.paths.state_fd, "scratch", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(tree_count(scratch), 1);
}

static const struct check_test tests[] = {
	{ "what diff makes, patch applies", round_trip_of_each },
	{ "the same trees give the same bytes", same_bytes_always },
	{ "a difference that diff cannot say is refused by name",
	    differences_without_diff },
	{ "an empty file that cannot be compared is a failure",
	    unknown_is_a_failure },
	{ "only files are compared", only_files_are_compared },
	{ "only exact hunks apply, and ed never runs", only_exact_hunks_apply },
	{ "a missing program names its package", missing_program },
	{ "the environment is fixed", fixed_environment },
	{ "a failing program is told with its words", failing_program },
	{ "a patch that did something else did not apply",
	    patch_that_does_nothing },
	{ "a patch has a size limit", too_large },
	{ "thousands of files work", thousands_of_files },
	{ "a killed process's directory goes", leftovers_go },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
