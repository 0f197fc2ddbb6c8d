/* SPDX-License-Identifier: MIT */
/* patchtools: makes and applies patches with the system's diff and patch. */
#include "deps/patchtools.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/patchtext.h"
#include "host/paths.h"
#include "host/program.h"

/*
 * The time of each file that diff reads.  It is not the epoch, which patch
 * takes for a file that does not exist.
 */
#define FILE_TIME 946684800 /* 2000-01-01 00:00:00 UTC */

enum {
	DEADLINE_MS = 120000,
	MAX_DEPTH = 128
};

static int
find_tool(
    const char *name, const char *package, char **ret_path, struct diag *dg)
{
	cleanup_free char *path = program_find_system(name);

	if (path == NULL)
		return diag_set(dg, DIAG_CONFIG,
		    "%s is not installed: install the package %s", name,
		    package);
	*ret_path = steal_ptr(&path);
	return 0;
}

int
patchtools_open(
    struct patchtools *ret_tools, const struct paths *paths, struct diag *dg)
{
	cleanup_patchtools struct patchtools tools = PATCHTOOLS_INIT;

	if (find_tool("diff", "diffutils", &tools.diff, dg) != 0 ||
	    find_tool("patch", "patch", &tools.patch, dg) != 0)
		return -1;
	(void)scratch_sweep(paths);
	if (scratch_make(paths, &tools.scratch, dg) != 0)
		return -1;
	tools.dir_fd = tools.scratch.fd;
	*ret_tools = tools;
	tools = (struct patchtools)PATCHTOOLS_INIT;
	return 0;
}

void
patchtools_close(struct patchtools *tools)
{
	scratch_release(&tools->scratch);
	tools->dir_fd = -1;
	cleanup_free_fn(&tools->diff);
	cleanup_free_fn(&tools->patch);
}

int
patchtools_make_dir(
    struct patchtools *tools, const char *name, int *ret_fd, struct diag *dg)
{
	assert(fs_is_component(name));
	if (mkdirat(tools->scratch.fd, name, 0700) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "make %s/%s",
		    tools->scratch.path, name);
	if (fs_make_dir(tools->scratch.fd, name, 0700, ret_fd, dg) != 0)
		return diag_wrap(dg, "%s", tools->scratch.path);
	return 0;
}

/*
 * Runs a tool.  An exit status above 1, a missed deadline and too much output
 * are failures.
 */
static int
run_tool(const struct patchtools *tools, const char *const *argv, int cwd_fd,
    int stdin_fd, struct proc_result *result, struct diag *dg)
{
	cleanup_free char *tmpdir = xasprintf("TMPDIR=%s", tools->scratch.path);
	const char *const envp[] = { "LC_ALL=C", "TZ=UTC0", "PATCH_GET=0",
		tmpdir, NULL };
	/* The child's copy of the lock protects the directory as well. */
	const int keep[] = { tools->scratch.fd };
	const struct proc_spec spec = { .argv = argv,
		.envp = envp,
		.cwd_fd = cwd_fd,
		.stdin_fd = stdin_fd,
		.keep_fds = keep,
		.nkeep = ARRAY_SIZE(keep),
		.timeout_ms = DEADLINE_MS,
		.max_output = PATCHTEXT_MAX_SIZE };

	if (proc_run(&spec, result, dg) != 0)
		return -1;
	if (result->timed_out)
		return diag_set(dg, DIAG_IO, "%s did not end in %d seconds",
		    argv[0], DEADLINE_MS / 1000);
	if (result->truncated)
		return diag_set(dg, DIAG_CONFIG,
		    "%s printed more than %zu bytes", argv[0],
		    PATCHTEXT_MAX_SIZE);
	if (result->status > 1) {
		(void)diag_set(dg, DIAG_IO, "%s failed", argv[0]);
		(void)diag_add_detail(dg, result->out.buf, result->out.len);
		return diag_add_detail(dg, result->err.buf, result->err.len);
	}
	return 0;
}

/* Returns the end of the line that starts at at, behind its newline. */
static const char *
next_line(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline == NULL ? end : newline + 1;
}

static bool
starts_with(const char *at, const char *end, const char *prefix)
{
	size_t len = strlen(prefix);

	return (size_t)(end - at) >= len && memcmp(at, prefix, len) == 0;
}

/*
 * patch(1) succeeds although it found no diff, and although a hunk belongs to
 * other lines than it says.  With the exact output, one line for each file, it
 * did neither.
 */
static bool
applied_exactly(const struct proc_result *result, size_t nfiles)
{
	const char *at = result->out.buf;
	const char *end = at + result->out.len;
	size_t n = 0;

	while (at < end) {
		if (!starts_with(at, end, "patching file "))
			return false;
		at = next_line(at, end);
		n++;
	}
	return result->status == 0 && result->err.len == 0 && n == nfiles;
}

int
patchtools_apply(struct patchtools *tools, const char *name, const char *text,
    size_t len, struct diag *dg)
{
	const char *const argv[] = { tools->patch, "-p1", "--unified",
		"--batch", "--forward", "--fuzz=0", "--get=0", "--binary",
		"--no-backup-if-mismatch", "--reject-file=-",
		"--read-only=ignore", "--quoting-style=literal", NULL };
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_close int tree_fd = -1;
	cleanup_close int text_fd = -1;

	/* Other texts could make patch run ed or leave the tree. */
	if (patchtext_judge(text, len, "the patch", &names, dg) != 0)
		return -1;
	if (fs_open_nolinks(tools->scratch.fd, name, O_RDONLY | O_DIRECTORY, 0,
		&tree_fd, dg) != 0 ||
	    fs_memfd("patch", text, len, &text_fd, dg) != 0 ||
	    run_tool(tools, argv, tree_fd, text_fd, &result, dg) != 0)
		return -1;
	if (applied_exactly(&result, names.nr))
		return 0;
	(void)diag_set(dg, DIAG_NO, "the patch does not apply");
	(void)diag_add_detail(dg, result.out.buf, result.out.len);
	return diag_add_detail(dg, result.err.buf, result.err.len);
}

/* A tree that diff is to compare. */
struct tree {
	bool is_new;
	int other_fd; /* borrowed; the other tree */
	struct strvec *unsaid; /* borrowed; what diff does not tell */
};

/*
 * Sets the times of a tree's files.  For diff, an empty file and a file that
 * does not exist are the same.
 */
static int
visit(struct fs_walk *walk, int dirfd, const char *name)
{
	static const struct timespec times[] = { { .tv_sec = FILE_TIME },
		{ .tv_sec = FILE_TIME } };
	const struct tree *tree = walk->arg;
	const char *path = walk->path.buf;
	struct stat st;
	struct stat other;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fs_walk_fail(walk, "stat");
	if (S_ISDIR(st.st_mode)) {
		int fd = fs_walk_open(dirfd, name);

		return fd < 0 ? fs_walk_fail(walk, "open")
			      : fs_walk_read(walk, fd);
	}
	if (!S_ISREG(st.st_mode))
		return diag_set(walk->dg, DIAG_DATA,
		    "%s/%s is not a regular file", walk->label, path);
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) != 0)
		return fs_walk_fail(walk, "set the time of");
	if (st.st_size > 0)
		return 0;
	if (fstatat(tree->other_fd, path, &other, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISREG(other.st_mode))
			return 0;
	} else if (errno != ENOENT && errno != ENOTDIR) {
		return diag_set_errno(walk->dg, DIAG_IO, errno, "compare %s/%s",
		    walk->label, path);
	}
	if (tree->is_new)
		strvec_pushf(tree->unsaid,
		    "%s is new and empty: a patch cannot make such a file; "
		    "write a line into it",
		    path);
	else
		strvec_pushf(tree->unsaid,
		    "%s is removed: a patch cannot remove a file that is "
		    "empty; leave it there",
		    path);
	return 0;
}

/* Prepares the trees "a" and "b" for diff, and tells what it cannot say. */
static int
prepare_trees(const struct patchtools *tools, struct diag *dg)
{
	static const char *const names[] = { "a", "b" };
	cleanup_strvec struct strvec unsaid = STRVEC_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_close int other_fd =
		    fs_walk_open(tools->scratch.fd, names[1 - i]);
		int fd = other_fd < 0
		    ? -1
		    : fs_walk_open(tools->scratch.fd, names[i]);
		struct tree tree = { i == 1, other_fd, &unsaid };
		cleanup_fs_walk struct fs_walk walk = { .visit = visit,
			.arg = &tree,
			.dg = dg,
			.label = names[i],
			.path = STRBUF_INIT,
			.max_depth = MAX_DEPTH,
			.too_deep = DIAG_DATA };

		if (fd < 0)
			return diag_set_errno(dg, DIAG_IO, errno, "open %s/%s",
			    tools->scratch.path,
			    names[other_fd < 0 ? 1 - i : i]);
		if (fs_walk_read(&walk, fd) != 0)
			return -1;
	}
	strvec_sort(&unsaid);
	return unsaid.nr == 0 ? 0
			      : diag_set(dg, DIAG_CONFIG, "%s", unsaid.v[0]);
}

/*
 * Checks the lines that diff printed besides the hunks: what is no header says
 * that there is a difference without a diff.
 */
static int
check_output(const struct strbuf *text, struct diag *dg)
{
	const char *end = text->buf + text->len;
	const char *file = "";
	const char *next;
	size_t file_len = 0;
	bool is_header = false;

	for (const char *at = text->buf; at < end; at = next) {
		size_t len;

		next = next_line(at, end);
		len = (size_t)(next - at) - 1;
		if (is_header && starts_with(at, next, "--- \""))
			return diag_set(dg, DIAG_CONFIG,
			    "a patch cannot change a file with this name: %.*s",
			    (int)strcspn(at + 4, "\t\n"), at + 4);
		is_header = starts_with(at, next, "diff ");
		if (is_header) {
			file = at;
			file_len = len;
		} else if (strchr(" +-@\\", *at) == NULL) {
			return diag_set(dg, DIAG_CONFIG,
			    "a patch changes text files alone: %.*s", (int)len,
			    at);
		} else if (memchr(at, '\0', len) != NULL) {
			return diag_set(dg, DIAG_CONFIG,
			    "a patch changes text files alone: \"%.*s\" prints "
			    "a NUL",
			    (int)file_len, file);
		}
	}
	return 0;
}

int
patchtools_diff(struct patchtools *tools, struct strbuf *out, struct diag *dg)
{
	const char *const argv[] = { tools->diff, "-ruN", "a", "b", NULL };
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;

	if (prepare_trees(tools, dg) != 0 ||
	    run_tool(tools, argv, tools->scratch.fd, -1, &result, dg) != 0 ||
	    check_output(&result.out, dg) != 0)
		return -1;
	if ((result.status == 0) != (result.out.len == 0) ||
	    result.err.len > 0) {
		(void)diag_set(dg, DIAG_IO, "%s failed", tools->diff);
		return diag_add_detail(dg, result.err.buf, result.err.len);
	}
	/* The caller can apply what it gets. */
	if (result.out.len > 0 &&
	    patchtext_judge(result.out.buf, result.out.len, "the new patch",
		&names, dg) != 0)
		return -1;
	strbuf_add(out, result.out.buf, result.out.len);
	return 0;
}
