/* SPDX-License-Identifier: MIT */
/* endnote: written by the real holder, read from a hostile directory. */
#include "session/endnote.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "guest/wire.h"

#include "check.h"
#include "holder-kit.h"

/* The directory that has the kit's run/, as a session's has its own. */
static int
open_session(const struct kit *kit)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/..", kit->run);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* -1: there is none. */
static int
note_of(int dir)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	bool noted = true;
	int status = -1;

	CHECK_INT(endnote_read(dir, &noted, &status, &dg), 0);
	return noted ? status : -1;
}

static void
test_own_ends(void)
{
	static const struct {
		const char *script;
		bool bound, stop;
		int want;
	} rows[] = {
		{ "exit 143", false, false, 143 },
		{ "exit 255", false, false, 255 },
		{ "exit 7", false, false, 7 },
		{ "exit 0", false, false, 0 },
		{ "kill -SEGV $$", false, false, 139 },
		/* Who killed it is not known: it can go on. */
		{ "kill -TERM $$", false, false, -1 },
		{ "kill -HUP $$", false, false, -1 },
		{ "kill -KILL $$", false, false, -1 },
		{ "exit 137", true, false, 137 },
		{ "kill -KILL $$", true, false, 137 },
		{ "trap 'exit 143' HUP; echo ready; read x", false, true, -1 },
		{ "trap 'exit 143' HUP; echo ready; read x", true, true, 143 },
		/* Its own directory, and what may be in the way there. */
		{ "rm -f $RUN/ended; exit 3", false, false, 3 },
		{ "rm -f $RUN/ended; mkdir $RUN/ended; exit 3", false, false,
		    3 },
		{ "rm -f $RUN/ended; ln -s /etc/passwd $RUN/ended; exit 3",
		    false, false, 3 },
		{ "chmod 0 $RUN/ended $RUN; exit 3", false, false, 3 },
		{ "rm -f $RUN/ended; chmod 0 $RUN; exit 3", false, false, 3 },
		{ "rm -f $RUN/ended; mkdir -p $RUN/ended/x; exit 3", false,
		    false, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		char run[300];
		const char *const envp[] = { "PATH=/usr/bin:/bin", run, NULL };
		const char *const argv[] = { "sh", "-c", rows[i].script, NULL };
		const struct kit_go go = { true, rows[i].bound, argv, envp,
			NULL };
		cleanup_close int dir = -1;
		int fd = -1;

		if (!kit_start(&kit, NULL))
			return;
		(void)snprintf(run, sizeof(run), "RUN=%s", kit.run);
		fd = kit_greet(&kit, NULL);
		(void)kit_go(fd, &go);
		if (rows[i].stop) {
			CHECK(kit_read_until(fd, &o, "ready"));
			CHECK_INT(kill(kit.pid, SIGTERM), 0);
		}
		kit_collect(fd, &o);
		(void)kit_wait(&kit);
		dir = open_session(&kit);
		CHECK_INT(note_of(dir), rows[i].want);
		kit_output_release(&o);
	}
}

/* Whatever a holder dies of, nothing has ended. */
static void
test_crashes(void)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGQUIT,
		SIGXCPU, SIGKILL };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		int fd = kit_shell(&kit, "echo ready; read x", true, i % 2);
		cleanup_close int dir = -1;

		if (fd == -1)
			return;
		CHECK(kit_read_until(fd, &o, "ready"));
		CHECK_INT(kill(kit.pid, signals[i]), 0);
		kit_collect(fd, &o);
		CHECK_INT(o.status, -1);
		CHECK_INT(kit_wait(&kit), 128 + signals[i]);
		dir = open_session(&kit);
		CHECK_INT(note_of(dir), -1);
		kit_output_release(&o);
	}
}

/* It says of the present command alone. */
static void
test_older(void)
{
	struct kit kit;
	char path[300];
	struct stat st;
	cleanup_close int dir = -1;

	if (!kit_make(&kit))
		return;
	const char *const args[] = { "hold", "--build", "--run", kit.run,
		"--policy", kit.policy, "--manifest", kit.manifest, "--wait",
		"100", NULL };

	(void)snprintf(path, sizeof(path), "%s/%s", kit.run, WIRE_END_NAME);
	CHECK_INT(symlink("/etc/passwd", path), 0);
	if (!kit_spawn(&kit, args))
		return;
	CHECK_INT(kit_wait(&kit), 75);
	CHECK_INT(lstat(path, &st), 0);
	CHECK(S_ISREG(st.st_mode));
	dir = open_session(&kit);
	CHECK_INT(note_of(dir), -1);
}

static void
test_reading(void)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "137\n", 137 },
		{ "7\n", 7 },
		{ "255\n", 255 },
		{ "256\n", -1 },
		{ "0\n", 0 },
		{ "", -1 },
		{ "\n", -1 },
		{ "137", -1 },
		{ "-1\n", -1 },
		{ "---\n", -1 },
		{ "000\n", 0 },
		{ "007\n", 7 },
		{ "1 7\n", -1 },
		{ "0137\n", -1 },
		{ "99999999999999999999\n", -1 },
	};
	char path[300];
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_INT(note_of(dir), -1);
	CHECK_INT(mkdirat(dir, "run", 0700), 0);
	CHECK_INT(note_of(dir), -1);
	(void)snprintf(
	    path, sizeof(path), "%s/run/%s", check_tmpdir(), WIRE_END_NAME);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		FILE *f = fopen(path, "we");

		CHECK(f != NULL && fputs(rows[i].text, f) >= 0);
		CHECK(f != NULL && fclose(f) == 0);
		CHECK_INT(note_of(dir), rows[i].want);
	}
}

static void
test_hostile(void)
{
	char path[300];
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(
	    path, sizeof(path), "%s/run/%s", check_tmpdir(), WIRE_END_NAME);
	CHECK_INT(mkdirat(dir, "run", 0700), 0);
	CHECK_INT(mkfifo(path, 0600), 0);
	CHECK_INT(note_of(dir), -1);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(mkdir(path, 0), 0);
	CHECK_INT(note_of(dir), -1);
	CHECK_INT(rmdir(path), 0);
	CHECK_INT(mkdirat(dir, "other", 0700), 0);
	cleanup_close int other =
	    openat(dir, "other", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd =
	    openat(other, WIRE_END_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, "137\n", 4), 4);
	CHECK_INT(close(fd), 0);
	CHECK_INT(symlink("../other/" WIRE_END_NAME, path), 0);
	CHECK_INT(note_of(dir), -1);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(unlinkat(dir, "run", AT_REMOVEDIR), 0);
	CHECK_INT(symlinkat("other", dir, "run"), 0);
	CHECK_INT(note_of(dir), -1);
}

/* What could not be read is not what is not there. */
static void
test_unread(void)
{
	struct rlimit all;
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool noted = true;
	int status = -1;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(mkdirat(dir, "run", 0700), 0);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &all), 0);
	struct rlimit none = { 0, all.rlim_max };
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
	CHECK_INT(endnote_read(dir, &noted, &status, &dg), -1);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &all), 0);
	CHECK_INT(dg.class, DIAG_IO);
	CHECK(!noted);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "each end of the command is noted", test_own_ends },
		{ "a holder that dies notes no end", test_crashes },
		{ "a note of an earlier command goes", test_older },
		{ "only a status is read", test_reading },
		{ "nothing but a plain file is read", test_hostile },
		{ "what cannot be read is told", test_unread },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
