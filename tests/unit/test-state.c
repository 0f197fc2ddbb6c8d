/* SPDX-License-Identifier: MIT */
/* The state directory and its id, whatever the disk does to them. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/statedir.h"

#include "check.h"
#include "home-kit.h"

/* What fstatfs(2) says of the state directory's file system; 0: the truth. */
static unsigned long file_system;

int __real_fstatfs(int fd, struct statfs *sf);
int __wrap_fstatfs(int fd, struct statfs *sf);

int
__wrap_fstatfs(int fd, struct statfs *sf)
{
	int rc = __real_fstatfs(fd, sf);

	if (rc == 0 && file_system != 0)
		sf->f_type = (__typeof__(sf->f_type))file_system;
	return rc;
}

/* The call that fails with EIO; 0: none. */
static enum {
	FAIL_NONE,
	FAIL_RENAME,
	FAIL_FSYNC
} failing;

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int
__wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags)
{
	if (failing == FAIL_RENAME) {
		errno = EIO;
		return -1;
	}
	return __real_renameat2(from_fd, from, to_fd, to, flags);
}

int
__wrap_fsync(int fd)
{
	if (failing == FAIL_FSYNC) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

static void
check_mode(const char *dir, const char *name, mode_t want)
{
	cleanup_free char *path = home_below(dir, name);
	struct stat st;

	if (CHECK_INT(stat(path, &st), 0))
		CHECK_INT(st.st_mode & 07777, want);
}

static void
test_state(void)
{
	cleanup_free char *home = home_enter();
	cleanup_paths struct paths paths;
	cleanup_paths struct paths again;
	cleanup_diag struct diag dg = DIAG_INIT;
	mode_t old = umask(0);
	int there = -1;

	paths_init(&paths);
	paths_init(&again);
	CHECK_INT(paths_find(&paths, &dg), 0);
	CHECK_INT(paths_find(&again, &dg), 0);
	CHECK_INT(statedir_open_readonly(&paths, &there, &dg), 0);
	CHECK_INT(there, 0);
	if (!CHECK_INT(statedir_open(&paths, &dg), 0))
		CHECK_STR(dg.message, NULL);
	(void)umask(old);
	check_mode(home, ".local", 0700);
	check_mode(home, ".local/state", 0700);
	check_mode(paths.state_dir, ".", 0700);
	check_mode(paths.state_dir, "sessions", 0700);
	check_mode(paths.state_dir, "trash", 0700);
	check_mode(paths.state_dir, "tokens", 0700);
	check_mode(paths.state_dir, "agents", 0700);
	check_mode(paths.state_dir, "id", 0600);
	CHECK_INT(strlen(paths.state_id), 32);
	CHECK_INT(strspn(paths.state_id, "0123456789abcdef"), 32);
	CHECK_INT(chmod(paths.state_dir, 0755), 0);
	CHECK_INT(statedir_open(&again, &dg), 0);
	CHECK_STR(again.state_id, paths.state_id);
	check_mode(paths.state_dir, ".", 0700);
	CHECK_INT(statedir_open_readonly(&again, &there, &dg), 0);
	CHECK_INT(there, 1);
}

static void
test_state_id(void)
{
	static const char *const damaged[] = { "", "x\n",
		"0123456789abcdef0123456789abcde\n",
		"0123456789abcdef0123456789abcdef",
		"0123456789ABCDEF0123456789abcdef\n",
		"0123456789abcdef0123456789abcdef\n\n" };
	cleanup_free char *home __attribute__((unused)) = home_enter();
	cleanup_paths struct paths paths;
	cleanup_free char *id = NULL;
	cleanup_free char *session = NULL;

	paths_init(&paths);
	{
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(paths_find(&paths, &dg), 0);
		CHECK_INT(statedir_open(&paths, &dg), 0);
	}
	id = home_below(paths.state_dir, "id");
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = open(id, O_WRONLY | O_TRUNC | O_CLOEXEC);

		CHECK_INT(write(fd, damaged[i], strlen(damaged[i])),
		    strlen(damaged[i]));
		CHECK_INT(statedir_open(&paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
	}
	/* Missing beside sessions is damage; missing before any is new. */
	session = home_below(paths.state_dir, "sessions/abcdefgh");
	CHECK_INT(mkdir(session, 0700), 0);
	CHECK_INT(unlink(id), 0);
	{
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(statedir_open(&paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK(strstr(dg.message, "is missing though") != NULL);
	}
	CHECK_INT(rmdir(session), 0);
	{
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(statedir_open(&paths, &dg), 0);
		CHECK_INT(strlen(paths.state_id), 32);
	}
}

static void
test_file_systems(void)
{
	static const struct {
		unsigned long magic;
		const char *name; /* NULL: accepted */
	} rows[] = {
		{ 0x01021997, "9p" }, { 0x6969, "NFS" }, { 0x517b, "SMB" },
		{ 0xff534d42, "SMB" }, { 0xfe534d42, "SMB" },
		{ 0x65735546, "FUSE" }, { 0xef53, NULL }, /* ext4 */
		{ 0x01021994, NULL }, /* tmpfs */
	};
	cleanup_free char *home __attribute__((unused)) = home_enter();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_paths struct paths paths;
		cleanup_free char *want = NULL;
		cleanup_free char *id = NULL;
		int rc;

		paths_init(&paths);
		CHECK_INT(paths_find(&paths, &dg), 0);
		file_system = rows[i].magic;
		rc = statedir_open(&paths, &dg);
		file_system = 0;
		if (rows[i].name == NULL) {
			CHECK_INT(rc, 0);
			continue;
		}
		want = xasprintf("%s is on %s, which has no dependable locks",
		    paths.state_dir, rows[i].name);
		id = home_below(paths.state_dir, "id");
		CHECK_INT(rc, -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK(strncmp(dg.message, want, strlen(want)) == 0);
		CHECK_INT(access(id, F_OK), -1);
	}
}

static void
test_id_faults(void)
{
	cleanup_free char *home __attribute__((unused)) = home_enter();
	cleanup_paths struct paths paths;
	cleanup_diag struct diag found = DIAG_INIT;

	paths_init(&paths);
	CHECK_INT(paths_find(&paths, &found), 0);
	for (int i = FAIL_RENAME; i <= FAIL_FSYNC; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_closedir DIR *dir = NULL;
		const struct dirent *entry;

		failing = i == FAIL_RENAME ? FAIL_RENAME : FAIL_FSYNC;
		CHECK_INT(statedir_open(&paths, &dg), -1);
		failing = FAIL_NONE;
		CHECK_INT(dg.class, DIAG_IO);
		CHECK_INT(dg.errnum, EIO);
		dir = opendir(paths.state_dir);
		if (!CHECK(dir != NULL))
			continue;
		while ((entry = readdir(dir)) != NULL)
			CHECK(strcmp(entry->d_name, ".") == 0 ||
			    strcmp(entry->d_name, "..") == 0);
	}
}

/* Eight processes at once make one state directory. */
static void
test_state_race(void)
{
	cleanup_free char *home __attribute__((unused)) = home_enter();
	int pipes[2];
	char ids[8 * 32];
	size_t got = 0;
	ssize_t n;

	CHECK_INT(pipe2(pipes, O_CLOEXEC), 0);
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct paths paths;
			struct diag dg = DIAG_INIT;
			bool ok;

			paths_init(&paths);
			ok = paths_find(&paths, &dg) == 0 &&
			    statedir_open(&paths, &dg) == 0 &&
			    write(pipes[1], paths.state_id, 32) == 32;
			_exit(ok ? 0 : 1);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status = -1;

		(void)wait(&status);
		CHECK_INT(status, 0);
	}
	(void)close(pipes[1]);
	while (got < sizeof(ids) &&
	    (n = read(pipes[0], ids + got, sizeof(ids) - got)) > 0)
		got += (size_t)n;
	(void)close(pipes[0]);
	CHECK_INT(got, sizeof(ids));
	for (size_t i = 1; i < 8; i++)
		CHECK_INT(memcmp(ids, ids + i * 32, 32), 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the state directory is private whatever the umask",
		    test_state },
		{ "a damaged or lost id is an error", test_state_id },
		{ "a file system without dependable locks is refused by its "
		  "name",
		    test_file_systems },
		{ "an id that could not be made whole leaves nothing behind",
		    test_id_faults },
		{ "first launches at once agree on the id", test_state_race },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
