/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "guest/wire.h"
#include "host/paths.h"
#include "host/shortlinks.h"
#include "session/links.h"
#include "session/session.h"

#include "check.h"

#define ID "aaaa1111"

enum {
	PROCESSES = 16,
	ROUNDS = 200
};

/* A state directory with one session, whose links are to be made. */
struct bed {
	struct paths paths;
	struct session session;
};

static void
bed_init(struct bed *bed)
{
	static const char *const made[] = { "state", "state/sessions",
		"state/sessions/" ID, "state/sessions/" ID "/run",
		"state/sessions/" ID "/services" };
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *tmp = check_tmpdir();

	*bed = (struct bed){ .session = SESSION_INIT };
	paths_init(&bed->paths);
	bed->paths.uid = geteuid();
	for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
		cleanup_free char *dir = xasprintf("%s/%s", tmp, made[i]);

		CHECK_INT(mkdir(dir, 0700), 0);
	}
	bed->paths.state_dir = xasprintf("%s/state", tmp);
	bed->paths.short_dir = xasprintf("%s/short", tmp);
	bed->paths.runtime_dir = xasprintf("%s/runtime", tmp);
	CHECK_INT(
	    fs_open_dir(bed->paths.state_dir, &bed->paths.state_fd, &dg), 0);
	CHECK_INT(session_open(&bed->paths, ID, &bed->session, &dg), 0);
}

static void
bed_release(struct bed *bed)
{
	session_release(&bed->session);
	paths_release(&bed->paths);
}

#define cleanup_bed __attribute__((cleanup(bed_release)))

static void
ensure(void *arg)
{
	const struct bed *bed = arg;

	links_ensure(&bed->paths, &bed->session);
}

/* Returns true if dir/name leads to the session's directory below. */
static bool
leads_to(
    const struct bed *bed, const char *dir, const char *name, const char *below)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	struct stat now;
	struct stat want;

	return stat(path, &now) == 0 &&
	    fstatat(bed->session.dir_fd, below, &want, 0) == 0 &&
	    fs_same(&now, &want);
}

static bool
all_right(const struct bed *bed)
{
	const char *dirs[] = { bed->paths.short_dir, bed->paths.runtime_dir };
	bool right = true;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		right = right && leads_to(bed, dirs[i], ID, "run") &&
		    leads_to(bed, dirs[i], ID LINKS_SERVICES, "services");
	return right;
}

static char *
below(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static bool
is_there(const char *dir, const char *name)
{
	cleanup_free char *path = below(dir, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Makes dir/name a symlink to target; an existing one is removed. */
static void
relink(const char *dir, const char *name, const char *target)
{
	cleanup_free char *path = below(dir, name);

	CHECK(unlink(path) == 0 || errno == ENOENT);
	CHECK_INT(symlink(target, path), 0);
}

static void
test_made(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *said = NULL;
	struct stat st;

	bed_init(&bed);
	said = check_stderr(ensure, &bed);
	CHECK_STR(said, "");
	CHECK(all_right(&bed));
	CHECK_INT(stat(bed.paths.short_dir, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	/* Without XDG_RUNTIME_DIR there is one directory. */
	cleanup_free_fn(&bed.paths.runtime_dir);
	CHECK_INT(unlinkat(AT_FDCWD, bed.paths.short_dir, 0), -1);
	ensure(&bed);
	CHECK(leads_to(&bed, bed.paths.short_dir, ID, "run"));
}

static void
test_healed(void)
{
	static const struct {
		const char *name, *target; /* NULL: removed */
	} rows[] = {
		{ ID, NULL },
		{ ID LINKS_SERVICES, NULL },
		{ ID, "/etc" },
		{ ID LINKS_SERVICES, "/etc" },
		{ ID, "/nowhere" },
		{ ID, ID },
		{ ID LINKS_SERVICES, ID },
	};
	cleanup_bed struct bed bed;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	bed_init(&bed);
	ensure(&bed);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *path =
		    below(bed.paths.short_dir, rows[i].name);

		CHECK_INT(unlink(path), 0);
		if (rows[i].target != NULL)
			CHECK_INT(symlink(rows[i].target, path), 0);
		CHECK(!all_right(&bed));
		ensure(&bed);
		CHECK(all_right(&bed));
	}
	CHECK_INT(fs_open_dir(check_tmpdir(), &fd, &dg), 0);
	CHECK_INT(fs_remove_tree(fd, "runtime", &dg), 0);
	ensure(&bed);
	CHECK(all_right(&bed));
}

static void
test_spelling(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *other = NULL;
	cleanup_free char *path = NULL;
	cleanup_free char *old = NULL;
	char text[4096];
	ssize_t n;

	bed_init(&bed);
	ensure(&bed);
	other = xasprintf("%s/./services/", bed.session.dir);
	relink(bed.paths.short_dir, ID LINKS_SERVICES, other);
	old = xasprintf("%s//run", bed.session.dir);
	relink(bed.paths.short_dir, ID, old);
	ensure(&bed);
	path = below(bed.paths.short_dir, ID LINKS_SERVICES);
	n = readlink(path, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n > 0 ? n : 0] = '\0';
	CHECK_STR(text, other);
	CHECK(all_right(&bed));
}

/* A file is not replaced, and a link beside it is made. */
static void
test_occupied(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *dir = NULL;
	cleanup_free char *said = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	bed_init(&bed);
	CHECK_INT(mkdir(bed.paths.short_dir, 0700), 0);
	CHECK_INT(mkdir(bed.paths.runtime_dir, 0700), 0);
	CHECK_INT(fs_open_dir(bed.paths.short_dir, &fd, &dg), 0);
	CHECK_INT(fs_replace_file(fd, ID, "mine", 4, 0600, &dg), 0);
	dir = below(bed.paths.runtime_dir, ID LINKS_SERVICES);
	CHECK_INT(mkdir(dir, 0700), 0);
	said = check_stderr(ensure, &bed);
	CHECK(strstr(said, "short/" ID " is not a symlink") != NULL);
	CHECK(strstr(said, "runtime/" ID ".services is not a symlink") != NULL);
	CHECK_INT(fs_read_file(fd, ID, 100, &text, &dg), 0);
	CHECK_STR(text.buf, "mine");
	CHECK_INT(rmdir(dir), 0);
	CHECK(leads_to(&bed, bed.paths.runtime_dir, ID, "run"));
	/* Neither the sweep nor the session's end takes it. */
	CHECK_INT(links_sweep(&bed.paths), 0);
	links_remove(&bed.paths, ID);
	CHECK(is_there(bed.paths.short_dir, ID));
}

static void
test_modes(void)
{
	static const mode_t modes[] = { 0755, 0777, 01777, 0710, 0500, 0 };
	cleanup_bed struct bed bed;
	struct stat st;

	bed_init(&bed);
	ensure(&bed);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		cleanup_free char *said = NULL;

		CHECK_INT(chmod(bed.paths.short_dir, modes[i]), 0);
		said = check_stderr(ensure, &bed);
		CHECK_STR(said, "");
		CHECK_INT(stat(bed.paths.short_dir, &st), 0);
		CHECK_INT(st.st_mode & 0777, 0700);
		CHECK(all_right(&bed));
	}
}

static void
test_foreign(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *foreign = NULL;
	cleanup_free char *linked = NULL;

	bed_init(&bed);
	CHECK_INT(mkdir(bed.paths.short_dir, 0777), 0);
	CHECK_INT(mkdir(bed.paths.runtime_dir, 0700), 0);
	CHECK_INT(chmod(bed.paths.short_dir, 0777), 0);
	/* Even one whose links are right is not trusted. */
	relink(bed.paths.short_dir, ID, bed.session.dir);
	bed.paths.uid++;
	foreign = check_stderr(ensure, &bed);
	CHECK(strstr(foreign, "short belongs to another user") != NULL);
	CHECK_INT(links_sweep(&bed.paths), 0);
	links_remove(&bed.paths, ID);
	CHECK(is_there(bed.paths.short_dir, ID));
	bed.paths.uid--;
	CHECK_INT(rmdir(bed.paths.runtime_dir), 0);
	CHECK_INT(symlink("/tmp", bed.paths.runtime_dir), 0);
	linked = check_stderr(ensure, &bed);
	CHECK(strstr(linked, "runtime is not a directory") != NULL);
	CHECK(!is_there("/tmp", ID));
}

/* A session of an older drydock has no services/. */
static void
test_old_session(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *said = NULL;

	bed_init(&bed);
	CHECK_INT(unlinkat(bed.session.dir_fd, "services", AT_REMOVEDIR), 0);
	said = check_stderr(ensure, &bed);
	CHECK_STR(said, "");
	CHECK(leads_to(&bed, bed.paths.short_dir, ID, "run"));
	CHECK(!is_there(bed.paths.short_dir, ID LINKS_SERVICES));
}

static void
move_away(const struct bed *bed)
{
	cleanup_free char *to = xasprintf("%s/gone", bed->paths.state_dir);

	CHECK_INT(rename(bed->session.dir, to), 0);
}

static void
test_removed(void)
{
	cleanup_bed struct bed bed;
	const char *dir;

	bed_init(&bed);
	dir = bed.paths.short_dir;
	ensure(&bed);
	relink(dir, "kept", "/nowhere");
	relink(dir, "bbbb2222", "/nowhere");
	relink(dir, "bbbb2222" LINKS_SERVICES, "bbbb2222/../services");
	relink(dir, "cccc3333", "cccc3333");
	relink(dir, "engine-0123abcd", "/nowhere");
	relink(dir, "." ID ".abcdefgh", "/etc");
	relink(dir, "." ID LINKS_SERVICES ".abcdefgh", "/etc");
	relink(dir, ".profile.abcdefgh", "/nowhere");
	CHECK_INT(links_sweep(&bed.paths), 0);
	CHECK(all_right(&bed));
	CHECK(!is_there(dir, "bbbb2222"));
	CHECK(!is_there(dir, "bbbb2222" LINKS_SERVICES));
	CHECK(!is_there(dir, "cccc3333"));
	CHECK(!is_there(dir, "engine-0123abcd"));
	CHECK(!is_there(dir, "." ID ".abcdefgh"));
	CHECK(!is_there(dir, "." ID LINKS_SERVICES ".abcdefgh"));
	/* Not drydock's names. */
	CHECK(is_there(dir, "kept"));
	CHECK(is_there(dir, ".profile.abcdefgh"));
	move_away(&bed);
	links_remove(&bed.paths, ID);
	CHECK(!is_there(dir, ID));
	CHECK(!is_there(bed.paths.runtime_dir, ID LINKS_SERVICES));
	/* Whoever still looks at the session makes no new ones. */
	ensure(&bed);
	CHECK(!is_there(dir, ID));
	CHECK(!is_there(dir, ID LINKS_SERVICES));
}

/* Each process makes the links; this one removes what they made. */
static void
test_at_once(void)
{
	cleanup_bed struct bed bed;
	cleanup_free char *path = NULL;
	cleanup_free char *other = NULL;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	cleanup_close int tmp_fd = -1;
	pid_t pids[PROCESSES];

	bed_init(&bed);
	CHECK_INT(fs_open_dir(check_tmpdir(), &tmp_fd, &dg), 0);
	path = below(bed.paths.short_dir, ID);
	other = below(bed.paths.runtime_dir, ID);
	for (size_t i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		for (int n = 0; n < ROUNDS; n++) {
			cleanup_free char *said = check_stderr(ensure, &bed);

			if (*said != '\0') {
				(void)dprintf(2, "# %s\n", said);
				_exit(1);
			}
		}
		_exit(0);
	}
	for (int n = 0; n < ROUNDS; n++) {
		cleanup_diag struct diag removed = DIAG_INIT;

		(void)unlink(path);
		(void)links_sweep(&bed.paths);
		/* Fails if another process is faster. */
		if (unlink(other) == 0 && symlink("/etc", other) != 0)
			CHECK_INT(errno, EEXIST);
		if (n % 4 == 0)
			(void)fs_remove_tree(tmp_fd, "short", &removed);
	}
	for (size_t i = 0; i < PROCESSES; i++) {
		int status = -1;

		CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
		CHECK_INT(status, 0);
	}
	ensure(&bed);
	CHECK(all_right(&bed));
	CHECK_INT(fs_open_dir(bed.paths.short_dir, &fd, &dg), 0);
	CHECK_INT(fs_list_names(fd, "short", &names, &dg), 0);
	CHECK_INT(names.nr, 2);
}

static void
test_lengths(void)
{
	static const char *const derived[] = { ".s.PGSQL.5432",
		".s.PGSQL.65535", "mysqld.sock", "mysqlx.sock", "redis.sock",
		"mongodb-27017.sock", "memcached.sock", WIRE_SOCKET_NAME };
	const struct paths paths = { .short_dir = (char[]){
					 SHORTLINKS_DIR "4294967295" } };

	for (size_t i = 0; i < ARRAY_SIZE(derived); i++) {
		cleanup_free char *dir = links_services(&paths, ID);
		cleanup_free char *path = below(dir, derived[i]);

		CHECK(strlen(derived[i]) <= LINKS_NAME_MAX);
		/* With the NUL. */
		CHECK(strlen(path) + 1 <= 104);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "both directories get both links", test_made },
		{ "what a cleaner removed or somebody changed is made again",
		    test_healed },
		{ "the target counts, not the text of the link",
		    test_spelling },
		{ "a file or directory in a link's place stays, and is told",
		    test_occupied },
		{ "a directory of ours with another mode is closed",
		    test_modes },
		{ "another user's directory and a symlink are refused",
		    test_foreign },
		{ "a session without services has one link", test_old_session },
		{ "links are removed with the session, and dangling ones "
		  "swept",
		    test_removed },
		{ "16 processes make them while others remove them",
		    test_at_once },
		{ "each name that a program derives fits into sun_path",
		    test_lengths },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
