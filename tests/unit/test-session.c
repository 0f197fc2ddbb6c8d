/* SPDX-License-Identifier: MIT */
/* session: claims, leases and deletions in a state directory of the test's. */
#include "session/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"

#include "check.h"

/* Entries that can be read before the disk fails; the checker's only state. */
static struct {
	bool armed;
	int entries;
} disk;

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);

struct dirent *
__wrap_readdir(DIR *dir)
{
	if (!disk.armed || disk.entries-- > 0)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

static void
open_state(struct paths *paths)
{
	static const char *const names[] = { "sessions", "agents", "trash" };

	paths_init(paths);
	paths->state_dir = xstrdup(check_tmpdir());
	paths->state_fd =
	    open(paths->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_INT(mkdirat(paths->state_fd, names[i], 0700), 0);
}

static int
claim(const struct paths *paths, struct session *s, struct diag *dg)
{
	return session_claim(paths, s, dg);
}

static mode_t
mode_of(int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	return st.st_mode;
}

static void
test_claim(void)
{
	static const char *const names[] = { "home", "run" };
	static const mode_t masks[] = { 0, 022, 077, 0777 };

	for (size_t m = 0; m < ARRAY_SIZE(masks); m++) {
		cleanup_paths struct paths paths;
		cleanup_session struct session s = SESSION_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		mode_t old;

		if (m == 0)
			open_state(&paths);
		else {
			paths_init(&paths);
			paths.state_dir = xstrdup(check_tmpdir());
			paths.state_fd = open(paths.state_dir,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		}
		old = umask(masks[m]);
		CHECK_INT(claim(&paths, &s, &dg), 0);
		(void)umask(old);
		CHECK_STR(dg.message, NULL);
		CHECK(session_id_valid(s.id));
		CHECK(s.lease_fd >= 0);
		CHECK_INT(mode_of(s.dir_fd, "."), S_IFDIR | 0700);
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			check_int(__FILE__, __LINE__, names[i],
			    mode_of(s.dir_fd, names[i]), S_IFDIR | 0700);
	}
}

static void
test_lease(void)
{
	cleanup_paths struct paths paths;
	cleanup_session struct session first = SESSION_INIT;
	cleanup_session struct session second = SESSION_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer;

	open_state(&paths);
	CHECK_INT(claim(&paths, &first, &dg), 0);
	CHECK_INT(session_lease(&paths, first.id, 0, &answer, &second, &dg), 0);
	CHECK_INT(answer, LOCK_BUSY);
	CHECK_INT(second.lease_fd, -1);
	session_drop_lease(&first);
	CHECK_INT(session_lease(&paths, first.id, 0, &answer, &second, &dg), 0);
	CHECK_INT(answer, LOCK_WON);
	CHECK_STR(second.id, first.id);
	CHECK_STR(second.dir, first.dir);
}

static void
test_delete(void)
{
	cleanup_paths struct paths paths;
	cleanup_session struct session s = SESSION_INIT;
	cleanup_session struct session again = SESSION_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer;
	cleanup_free char *trash = NULL;
	char id[SESSION_ID_SIZE];

	open_state(&paths);
	CHECK_INT(claim(&paths, &s, &dg), 0);
	memcpy(id, s.id, sizeof(id));
	CHECK_INT(symlinkat("/etc/passwd", s.dir_fd, "home/link"), 0);
	CHECK_INT(mkdirat(s.dir_fd, "home/shut", 0), 0);
	CHECK_INT(session_delete(&paths, &s, &dg), 0);
	CHECK_STR(dg.message, NULL);
	CHECK_INT(session_lease(&paths, id, 0, &answer, &again, &dg), 0);
	CHECK_INT(answer, LOCK_GONE);
	trash = xasprintf("%s/trash", paths.state_dir);
	CHECK_INT(rmdir(trash), 0);
}

static void
test_trash(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *path = NULL;

	open_state(&paths);
	CHECK_INT(mkdirat(paths.state_fd, "trash/abcd1234.x", 0700), 0);
	CHECK_INT(mkdirat(paths.state_fd, "trash/abcd1234.x/home", 0700), 0);
	CHECK_INT(session_empty_trash(&paths, false), 0);
	path = xasprintf("%s/trash", paths.state_dir);
	CHECK_INT(rmdir(path), 0);
}

static void
test_cut_lists(void)
{
	cleanup_paths struct paths paths;
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	open_state(&paths);
	CHECK_INT(mkdirat(paths.state_fd, "sessions/abcd1234", 0700), 0);
	CHECK_INT(mkdirat(paths.state_fd, "sessions/abcd1235", 0700), 0);
	CHECK_INT(mkdirat(paths.state_fd, "trash/abcd1234.x", 0700), 0);
	for (int entries = 0; entries < 4; entries++) {
		disk.armed = true;
		disk.entries = entries;
		CHECK_INT(session_list_ids(&paths, &ids, &dg), -1);
		disk.armed = false;
		CHECK_INT(dg.class, DIAG_IO);
		CHECK_INT(dg.errnum, EIO);
		CHECK_INT(ids.nr, 0);
		diag_clear(&dg);
	}
	disk.armed = true;
	disk.entries = 0;
	CHECK_INT(session_empty_trash(&paths, false), 1);
	disk.armed = false;
	CHECK_INT(session_list_ids(&paths, &ids, &dg), 0);
	CHECK_INT(ids.nr, 2);
}

/* Launches that end together all empty the same trash. */
static void
test_removal_race(void)
{
	enum {
		CHILDREN = 4,
		DIRS = 40,
		FILES = 20
	};
	cleanup_close int top =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t pids[CHILDREN];

	CHECK_INT(mkdirat(top, "tree", 0700), 0);
	for (int i = 0; i < DIRS * FILES; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "tree/%d", i / FILES);
		(void)mkdirat(top, name, 0700);
		(void)snprintf(name, sizeof(name), "tree/%d/%d", i / FILES, i);
		CHECK_INT(mkdirat(top, name, 0700), 0);
	}
	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct diag dg = DIAG_INIT;

			_exit(fs_remove_tree(top, "tree", &dg) == 0 ? 0 : 1);
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status = -1;

		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		CHECK_INT(status, 0);
	}
	CHECK_INT(mkdirat(top, "tree", 0700), 0);
}

static void
test_ids(void)
{
	static const struct {
		const char *name;
		bool valid;
	} rows[] = { { "abcd1234", true }, { "abcd123", false },
		{ "abcd12345", false }, { "ABCD1234", false },
		{ "abcd/234", false }, { "..", false }, { "", false },
		{ ".session", false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_true(__FILE__, __LINE__, rows[i].name,
		    session_id_valid(rows[i].name) == rows[i].valid);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a claim makes its directories 0700 under any umask",
		    test_claim },
		{ "one lease has one holder", test_lease },
		{ "a deleted session is gone, its history is not",
		    test_delete },
		{ "what a deletion left is removed later", test_trash },
		{ "a list that is cut off is none", test_cut_lists },
		{ "several may remove one tree at once", test_removal_race },
		{ "an id is eight letters and digits", test_ids },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
