/* SPDX-License-Identifier: MIT */
/* restore: what a restore replaces is kept, whatever the agent does meanwhile. */
#include "session/restore.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "check.h"
#include "project-bed.h"
#include "session/changes.h"

static int
count_kept(const struct bed *bed, const char *want)
{
	cleanup_free char *dir =
	    xasprintf("%s/ended/abcd1234.kept", bed->paths.state_dir);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	int n = 0;

	if (fs_open_dir(dir, &fd, &dg) != 0)
		return -1;
	for (int i = 1; i < 10; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag none = DIAG_INIT;
		cleanup_free char *name = xasprintf("%d-.git%%config", i);

		if (fs_read_file(fd, name, 100, &text, &none) == 0 &&
		    strcmp(text.buf, want) == 0)
			n++;
	}
	return n;
}

static void
test_kept(void)
{
	cleanup_bed struct bed bed;

	bed_fill(&bed);
	bed_write(bed.project_fd, ".git/config", "evil\n", 0600);
	bed_put_back(&bed, "config");
	CHECK_INT(count_kept(&bed, "evil\n"), 1);
	bed_write(bed.project_fd, ".git/config", "evil\n", 0600);
	bed_put_back(&bed, "config again");
	CHECK_INT(count_kept(&bed, "evil\n"), 2);
}

/* What is changed between the comparison and the restore is kept, too. */
static void
test_swapped(void)
{
	cleanup_bed struct bed bed;
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *kept = NULL;
	struct stat st;

	bed_fill(&bed);
	bed_fsmonitor(bed.project_fd);
	CHECK_INT(changes_find(bed.session_fd, 5000, &c, &dg), 0);
	if (!CHECK_INT(c.nr, 1))
		return;
	bed_write(bed.project_fd, ".git/config", "swapped\n", 0600);
	CHECK_INT(
	    restore_change(&bed.paths, "abcd1234", &c, &c.v[0], &kept, &dg), 0);
	CHECK_INT(count_kept(&bed, "swapped\n"), 1);
	/* A parent that became a link is not followed. */
	bed_fsmonitor(bed.project_fd);
	bed_dirs(bed.project_fd, "target");
	CHECK(renameat(bed.project_fd, ".git", bed.project_fd, "was") == 0);
	CHECK(symlinkat("target", bed.project_fd, ".git") == 0);
	free(kept);
	kept = NULL;
	CHECK_INT(
	    restore_change(&bed.paths, "abcd1234", &c, &c.v[0], &kept, &dg),
	    -1);
	CHECK(fstatat(bed.project_fd, "target/config", &st, 0) != 0);
}

/* The file that the agent writes as soon as a restore has moved it, or NULL. */
static const char *rewritten;

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags);

int
__wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags)
{
	int rc = __real_renameat2(from_fd, from, to_fd, to, flags);

	if (rc == 0 && rewritten != NULL) {
		bed_write(to_fd, "newer", "newer\n", 0644);
		CHECK(renameat(to_fd, "newer", to_fd, rewritten) == 0);
		rewritten = NULL;
	}
	return rc;
}

/* Counts the files of the directory that begin with the text. */
static int
count_files(int fd, const char *text)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int n = 0;

	CHECK_INT(fs_list_names(fd, ".", &names, &dg), 0);
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_close int in =
		    openat(fd, names.v[i], O_RDONLY | O_CLOEXEC);
		char start[16] = "";

		if (in >= 0 && read(in, start, strlen(text)) > 0)
			n += strcmp(start, text) == 0;
	}
	return n;
}

/*
 * A restore whose old version cannot be kept, because it is larger than a file
 * may be, is undone.
 */
static void
undo(const struct bed *bed, int fd, const char *name, bool rewrites)
{
	cleanup_changes struct changes c = CHANGES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *kept = NULL;
	struct rlimit before;
	struct rlimit little;

	CHECK_INT(changes_find(bed->session_fd, 5000, &c, &dg), 0);
	if (!CHECK_INT(c.nr, 1))
		return;
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 4 << 20;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &little), 0);
	rewritten = rewrites ? name : NULL;
	CHECK_INT(
	    restore_change(&bed->paths, "abcd1234", &c, &c.v[0], &kept, &dg),
	    -1);
	CHECK_STR(rewritten, NULL);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);

	CHECK_STR(kept, NULL);
	CHECK_INT(count_files(fd, "older\n"), 1);
	CHECK_INT(count_files(fd, "newer\n"), rewrites);
	CHECK_INT(strstr(dg.message, "another version of the file") != NULL,
	    rewrites);
}

static void
undo_with_and_without_a_writer(const char *dir, const char *name)
{
	cleanup_bed struct bed bed;
	cleanup_close int fd = -1;
	cleanup_close int file = -1;

	(void)signal(SIGXFSZ, SIG_IGN);
	bed_fill(&bed);
	fd = openat(bed.project_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bed_write(fd, name, "older\n", 0644);
	file = openat(fd, name, O_WRONLY | O_CLOEXEC);
	CHECK(ftruncate(file, 8 << 20) == 0);
	undo(&bed, fd, name, false);
	undo(&bed, fd, name, true);
}

static void
test_undone_change(void)
{
	undo_with_and_without_a_writer(".git", "config");
}

static void
test_undone_new(void)
{
	undo_with_and_without_a_writer(".git/hooks", "post-checkout");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "what is replaced is kept", test_kept },
		{ "a file is swapped during a restore", test_swapped },
		{ "a restore that fails removes no version",
		    test_undone_change },
		{ "a restore that fails removes no version of a new file",
		    test_undone_new },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
