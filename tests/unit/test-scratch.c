/* SPDX-License-Identifier: MIT */
/* Scratch directories: one in use stays, a killed process's one goes. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/scratch.h"
#include "tree-kit.h"

static void
open_state(struct paths *paths)
{
	paths_init(paths);
	paths->uid = geteuid();
	paths->state_dir = xasprintf("%s/state", check_tmpdir());
	CHECK_INT(mkdir(paths->state_dir, 0700), 0);
	paths->state_fd =
	    open(paths->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(paths->state_fd >= 0);
}

/* How many directories there are. */
static int
count(const struct paths *paths)
{
	cleanup_close int fd = openat(
	    paths->state_fd, "scratch", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return tree_count(fd);
}

/* A process makes a directory with a file, and is killed. */
static void
leave_one(const struct paths *paths)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct scratch scratch = SCRATCH_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		if (scratch_make(paths, &scratch, &dg) != 0)
			_exit(1);
		tree_nest(scratch.fd, 3);
		(void)raise(SIGKILL);
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
}

static void
made_and_removed(void)
{
	cleanup_paths struct paths paths;
	cleanup_scratch struct scratch scratch = SCRATCH_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat opened;
	struct stat there;
	mode_t before;

	open_state(&paths);
	before = umask(0277);
	CHECK_INT(scratch_make(&paths, &scratch, &dg), 0);
	(void)umask(before);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(fstat(scratch.fd, &opened), 0);
	CHECK_INT(opened.st_mode & 07777, 0700);
	CHECK_INT(lstat(scratch.path, &there), 0);
	CHECK_INT(there.st_ino, opened.st_ino);
	tree_nest(scratch.fd, 3);
	scratch_release(&scratch);
	CHECK_INT(scratch.fd, -1);
	CHECK_INT(count(&paths), 0);
	scratch_release(&scratch);
}

static void
sweep_spares_the_living(void)
{
	cleanup_paths struct paths paths;
	cleanup_scratch struct scratch mine = SCRATCH_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	open_state(&paths);
	CHECK_INT(scratch_sweep(&paths), 0);
	CHECK(!tree_has(paths.state_fd, "scratch"));
	leave_one(&paths);
	CHECK_INT(scratch_make(&paths, &mine, &dg), 0);
	leave_one(&paths);
	tree_put(mine.fd, "file", "work");
	CHECK_INT(count(&paths), 3);
	CHECK_INT(scratch_sweep(&paths), 0);
	CHECK_INT(count(&paths), 1);
	CHECK(tree_has(mine.fd, "file"));
	CHECK_INT(access(mine.path, F_OK), 0);
	scratch_release(&mine);
	CHECK_INT(count(&paths), 0);
}

/* The lock holds as long as a child that inherited it. */
static void
child_protects(void)
{
	cleanup_paths struct paths paths;
	cleanup_scratch struct scratch mine = SCRATCH_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int copy = -1;

	open_state(&paths);
	CHECK_INT(scratch_make(&paths, &mine, &dg), 0);
	copy = dup(mine.fd);
	/* As if the process had been killed. */
	cleanup_close_fn(&mine.fd);
	CHECK_INT(scratch_sweep(&paths), 0);
	CHECK_INT(count(&paths), 1);
	cleanup_close_fn(&copy);
	CHECK_INT(scratch_sweep(&paths), 0);
	CHECK_INT(count(&paths), 0);
}

/* What is no directory goes, too; what a link leads to stays. */
static void
sweep_follows_no_link(void)
{
	cleanup_paths struct paths paths;

	open_state(&paths);
	CHECK_INT(mkdirat(paths.state_fd, "scratch", 0700), 0);
	CHECK_INT(mkdirat(paths.state_fd, "kept", 0700), 0);
	CHECK_INT(symlinkat("../kept", paths.state_fd, "scratch/link"), 0);
	tree_file(paths.state_fd, "kept/file", 0600);
	tree_file(paths.state_fd, "scratch/file", 0600);
	CHECK_INT(scratch_sweep(&paths), 0);
	CHECK_INT(count(&paths), 0);
	CHECK(tree_has(paths.state_fd, "kept/file"));
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a directory is private, and goes with all it has",
		    made_and_removed },
		{ "a sweep removes leftovers and spares a directory in use",
		    sweep_spares_the_living },
		{ "a child that has the lock protects the directory",
		    child_protects },
		{ "a sweep follows no link", sweep_follows_no_link },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
