/* SPDX-License-Identifier: MIT */
/* Where things live: HOME, XDG directories, the state directory and its id. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "host/paths.h"

#include "check.h"

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

/* A real home below the temporary directory; HOME and XDG point at it. */
static char *
enter_home(void)
{
	cleanup_free char *tmp = realpath(check_tmpdir(), NULL);
	char *home = xasprintf("%s/home", tmp);

	CHECK_INT(mkdir(home, 0700), 0);
	CHECK_INT(setenv("HOME", home, 1), 0);
	CHECK_INT(unsetenv("XDG_CONFIG_HOME"), 0);
	CHECK_INT(unsetenv("XDG_STATE_HOME"), 0);
	return home;
}

static char *
below(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

/* Returned: the message of the failure that paths_find() must be. */
static char *
find_failure(void)
{
	cleanup_paths struct paths paths;
	cleanup_diag struct diag dg = DIAG_INIT;

	paths_init(&paths);
	CHECK_INT(paths_find(&paths, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	return xstrdup(dg.message != NULL ? dg.message : "");
}

static void
test_defaults(void)
{
	cleanup_free char *home = enter_home();
	cleanup_free char *config = below(home, ".config/drydock");
	cleanup_free char *state = below(home, ".local/state/drydock");
	cleanup_paths struct paths paths;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;

	paths_init(&paths);
	CHECK_INT(setenv("XDG_STATE_HOME", "", 1), 0);
	CHECK_INT(paths_find(&paths, &dg), 0);
	CHECK_STR(paths.home, home);
	CHECK_STR(paths.config_dir, config);
	CHECK_STR(paths.state_dir, state);
	CHECK_INT(paths.uid, geteuid());
	CHECK(paths.user != NULL && *paths.user != '\0');
	CHECK(strstr(paths.self, "-paths") != NULL);
	CHECK_INT(paths.state_fd, -1);
	/* Nothing was made. */
	CHECK_INT(stat(config, &st), -1);
	CHECK_INT(stat(state, &st), -1);
}

static void
test_links(void)
{
	cleanup_free char *home = enter_home();
	cleanup_free char *link = xasprintf("%s-link", home);
	cleanup_free char *state = below(home, "disk");
	cleanup_free char *state_link = below(home, "state-link");
	cleanup_free char *want = below(home, "disk/drydock");
	cleanup_paths struct paths paths;
	cleanup_diag struct diag dg = DIAG_INIT;

	paths_init(&paths);
	CHECK_INT(symlink(home, link), 0);
	CHECK_INT(mkdir(state, 0700), 0);
	CHECK_INT(symlink("disk", state_link), 0);
	CHECK_INT(setenv("HOME", link, 1), 0);
	CHECK_INT(setenv("XDG_STATE_HOME", state_link, 1), 0);
	CHECK_INT(paths_find(&paths, &dg), 0);
	CHECK_STR(paths.home, home);
	CHECK_STR(paths.state_dir, want);
}

static void
test_bad_variables(void)
{
	static const struct {
		const char *variable;
		const char *value; /* NULL: unset */
		const char *want; /* in the message */
	} rows[] = {
		{ "HOME", NULL, "HOME is not set" },
		{ "HOME", "", "HOME is not set" },
		{ "HOME", "home/me", "HOME: \"home/me\" is not an absolute" },
		{ "HOME", "/", "HOME is /" },
		{ "HOME", "/no/such/home", "HOME: /no/such/home: No such" },
		{ "HOME", "/etc/passwd", "HOME: /etc/passwd" },
		{ "HOME", "/a:b", "a colon" },
		{ "HOME", "/a\nb", "\"/a\\nb\" has a newline" },
		{ "HOME", "/a\\b", "a backslash" },
		{ "HOME", "/a\xff", "not UTF-8" },
		{ "XDG_STATE_HOME", "state", "is not an absolute path" },
		{ "XDG_CONFIG_HOME", "./x", "is not an absolute path" },
		{ "XDG_STATE_HOME", "/a:b", "a colon" },
		{ "XDG_STATE_HOME", "/no/such/../x", "leads nowhere" },
		{ "XDG_STATE_HOME", "/etc/passwd", "Not a directory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *home = i == 0 ? enter_home() : NULL;
		cleanup_free char *got = NULL;
		cleanup_free char *saved = NULL;

		if (home == NULL) {
			saved = xasprintf("%s/home", check_tmpdir());
			CHECK_INT(setenv("HOME", saved, 1), 0);
			(void)unsetenv("XDG_CONFIG_HOME");
			(void)unsetenv("XDG_STATE_HOME");
		}
		if (rows[i].value == NULL)
			CHECK_INT(unsetenv(rows[i].variable), 0);
		else
			CHECK_INT(
			    setenv(rows[i].variable, rows[i].value, 1), 0);
		got = find_failure();
		if (!CHECK(strstr(got, rows[i].want) != NULL))
			CHECK_STR(got, rows[i].want);
	}
}

static void
test_foreign_home(void)
{
	cleanup_free char *home = enter_home();
	cleanup_free char *got = NULL;

	if (geteuid() != 0) {
		check_skip("only root can give a directory away");
		return;
	}
	CHECK_INT(chown(home, 12345, 12345), 0);
	got = find_failure();
	CHECK(strstr(got, "belongs to uid 12345") != NULL);
}

static void
test_dangling_state(void)
{
	cleanup_free char *home = enter_home();
	cleanup_free char *link = below(home, "state");
	cleanup_free char *got = NULL;

	CHECK_INT(symlink("/no/such/disk", link), 0);
	CHECK_INT(setenv("XDG_STATE_HOME", link, 1), 0);
	got = find_failure();
	CHECK(strstr(got, "leads nowhere") != NULL);
}

static void
check_mode(const char *dir, const char *name, mode_t want)
{
	cleanup_free char *path = below(dir, name);
	struct stat st;

	if (CHECK_INT(stat(path, &st), 0))
		CHECK_INT(st.st_mode & 07777, want);
}

static void
test_state(void)
{
	cleanup_free char *home = enter_home();
	cleanup_paths struct paths paths;
	cleanup_paths struct paths again;
	cleanup_diag struct diag dg = DIAG_INIT;
	mode_t old = umask(0);
	int there = -1;

	paths_init(&paths);
	paths_init(&again);
	CHECK_INT(paths_find(&paths, &dg), 0);
	CHECK_INT(paths_find(&again, &dg), 0);
	CHECK_INT(paths_open_state_readonly(&paths, &there, &dg), 0);
	CHECK_INT(there, 0);
	if (!CHECK_INT(paths_open_state(&paths, &dg), 0))
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
	CHECK_INT(paths_open_state(&again, &dg), 0);
	CHECK_STR(again.state_id, paths.state_id);
	check_mode(paths.state_dir, ".", 0700);
	CHECK_INT(paths_open_state_readonly(&again, &there, &dg), 0);
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
	cleanup_free char *home __attribute__((unused)) = enter_home();
	cleanup_paths struct paths paths;
	cleanup_free char *id = NULL;
	cleanup_free char *session = NULL;

	paths_init(&paths);
	{
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(paths_find(&paths, &dg), 0);
		CHECK_INT(paths_open_state(&paths, &dg), 0);
	}
	id = below(paths.state_dir, "id");
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = open(id, O_WRONLY | O_TRUNC | O_CLOEXEC);

		CHECK_INT(write(fd, damaged[i], strlen(damaged[i])),
		    strlen(damaged[i]));
		CHECK_INT(paths_open_state(&paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
	}
	/* Missing beside sessions is damage; missing before any is new. */
	session = below(paths.state_dir, "sessions/abcdefgh");
	CHECK_INT(mkdir(session, 0700), 0);
	CHECK_INT(unlink(id), 0);
	{
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(paths_open_state(&paths, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK(strstr(dg.message, "is missing though") != NULL);
	}
	CHECK_INT(rmdir(session), 0);
	{
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(paths_open_state(&paths, &dg), 0);
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
	cleanup_free char *home __attribute__((unused)) = enter_home();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_paths struct paths paths;
		cleanup_free char *want = NULL;
		cleanup_free char *id = NULL;
		int rc;

		paths_init(&paths);
		CHECK_INT(paths_find(&paths, &dg), 0);
		file_system = rows[i].magic;
		rc = paths_open_state(&paths, &dg);
		file_system = 0;
		if (rows[i].name == NULL) {
			CHECK_INT(rc, 0);
			continue;
		}
		want = xasprintf("%s is on %s, which has no dependable locks",
		    paths.state_dir, rows[i].name);
		id = below(paths.state_dir, "id");
		CHECK_INT(rc, -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK(strncmp(dg.message, want, strlen(want)) == 0);
		CHECK_INT(access(id, F_OK), -1);
	}
}

static void
test_id_faults(void)
{
	cleanup_free char *home __attribute__((unused)) = enter_home();
	cleanup_paths struct paths paths;
	cleanup_diag struct diag found = DIAG_INIT;

	paths_init(&paths);
	CHECK_INT(paths_find(&paths, &found), 0);
	for (int i = FAIL_RENAME; i <= FAIL_FSYNC; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_closedir DIR *dir = NULL;
		const struct dirent *entry;

		failing = i == FAIL_RENAME ? FAIL_RENAME : FAIL_FSYNC;
		CHECK_INT(paths_open_state(&paths, &dg), -1);
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
	cleanup_free char *home __attribute__((unused)) = enter_home();
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
			    paths_open_state(&paths, &dg) == 0 &&
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
		{ "without XDG variables all is below HOME, and nothing is "
		  "made",
		    test_defaults },
		{ "a symlinked HOME and state directory are taken by their "
		  "real paths",
		    test_links },
		{ "bad variables are refused by name", test_bad_variables },
		{ "somebody else's HOME is refused", test_foreign_home },
		{ "a dangling state directory is refused",
		    test_dangling_state },
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
