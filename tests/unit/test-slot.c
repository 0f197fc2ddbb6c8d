/* SPDX-License-Identifier: MIT */
/* slot: who gets which slot, and what the collection may remove. */
#include "session/slot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "session/caches.h"

#include "check.h"
#include "host/text.h"

#define SET "caches/0123456789abcdef-p-contained"

static void
open_state(struct paths *paths)
{
	static const char *const names[] = { "sessions", "trash" };

	paths_init(paths);
	paths->state_dir = realpath(check_tmpdir(), NULL);
	paths->state_fd =
	    open(paths->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_INT(mkdirat(paths->state_fd, names[i], 0700), 0);
}

static void
begin_session(const struct paths *paths, const char *id)
{
	cleanup_free char *name = xasprintf("sessions/%s", id);

	CHECK_INT(mkdirat(paths->state_fd, name, 0700), 0);
}

static void
end_session(const struct paths *paths, const char *id)
{
	cleanup_free char *name = xasprintf("sessions/%s", id);

	CHECK_INT(unlinkat(paths->state_fd, name, AT_REMOVEDIR), 0);
}

static int
claim_slot(const struct paths *paths, const char *id, enum mode mode,
    struct slot *ret_slot, struct diag *dg)
{
	char path[] = "/p";
	char key[] = "0123456789abcdef-p";
	const struct project project = { .path = path, .key = key, .fd = -1 };

	return slot_claim(paths, &project, mode, id, ret_slot, dg);
}

/* Returned: the number of the claimed slot, "" on failure. */
static char *
claim(const struct paths *paths, const char *id, enum mode mode)
{
	cleanup_slot struct slot slot = SLOT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strvec struct strvec parts = STRVEC_INIT;

	if (claim_slot(paths, id, mode, &slot, &dg) != 0)
		return xstrdup("");
	strvec_split(&parts, slot.dir, '/');
	CHECK_STR(parts.v[parts.nr - 1], "data");
	return xstrdup(parts.v[parts.nr - 2]);
}

static void
check_claim(const struct paths *paths, const char *id, const char *want)
{
	cleanup_free char *got = claim(paths, id, MODE_CONTAINED);

	CHECK_STR(got, want);
}

static void
put(const struct paths *paths, const char *name, const char *text)
{
	cleanup_close int fd = openat(paths->state_fd, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static bool
exists(const struct paths *paths, const char *name)
{
	struct stat st;

	return fstatat(paths->state_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
test_lowest(void)
{
	cleanup_paths struct paths paths;
	cleanup_free char *dood = NULL;

	open_state(&paths);
	begin_session(&paths, "aaaaaaaa");
	begin_session(&paths, "bbbbbbbb");
	begin_session(&paths, "cccccccc");
	begin_session(&paths, "dddddddd");
	check_claim(&paths, "aaaaaaaa", "0");
	check_claim(&paths, "bbbbbbbb", "1");
	check_claim(&paths, "cccccccc", "2");
	end_session(&paths, "bbbbbbbb");
	check_claim(&paths, "dddddddd", "1");
	dood = claim(&paths, "dddddddd", MODE_DOOD);
	CHECK_STR(dood, "0");
}

/* A session with a directory has its slot, whatever is in the directory. */
static void
test_unknown(void)
{
	cleanup_paths struct paths paths;

	open_state(&paths);
	begin_session(&paths, "aaaaaaaa");
	check_claim(&paths, "aaaaaaaa", "0");
	end_session(&paths, "aaaaaaaa");
	/* Not ENOENT, so the session cannot be told to be gone. */
	put(&paths, "sessions/aaaaaaaa", "");
	begin_session(&paths, "bbbbbbbb");
	check_claim(&paths, "bbbbbbbb", "1");
	end_session(&paths, "bbbbbbbb");
	put(&paths, SET "/1/owner", "garbage");
	begin_session(&paths, "cccccccc");
	check_claim(&paths, "cccccccc", "2");
}

/* A launch that was killed left a slot without an owner, or half an owner. */
static void
test_half(void)
{
	cleanup_paths struct paths paths;

	open_state(&paths);
	CHECK_INT(mkdirat(paths.state_fd, "caches", 0700), 0);
	CHECK_INT(mkdirat(paths.state_fd, SET, 0700), 0);
	CHECK_INT(mkdirat(paths.state_fd, SET "/0", 0700), 0);
	put(&paths, SET "/0/.owner.abcdefghijkl", "aaa");
	begin_session(&paths, "aaaaaaaa");
	check_claim(&paths, "aaaaaaaa", "0");
	CHECK(!exists(&paths, SET "/0/.owner.abcdefghijkl"));
}

static void
test_again(void)
{
	cleanup_paths struct paths paths;
	cleanup_slot struct slot slot = SLOT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool gone = true;

	open_state(&paths);
	begin_session(&paths, "aaaaaaaa");
	begin_session(&paths, "bbbbbbbb");
	CHECK_INT(
	    claim_slot(&paths, "aaaaaaaa", MODE_CONTAINED, &slot, &dg), 0);
	CHECK_INT(
	    slot_claim_again(&paths, slot.dir, "aaaaaaaa", &gone, &dg), 0);
	CHECK(!gone);
	CHECK_INT(fs_remove_tree(paths.state_fd, "caches", &dg), 0);
	CHECK_INT(
	    slot_claim_again(&paths, slot.dir, "aaaaaaaa", &gone, &dg), 0);
	CHECK(gone);
	check_claim(&paths, "bbbbbbbb", "1");
	/* Another session has it by now. */
	CHECK_INT(fs_remove_tree(paths.state_fd, "caches", &dg), 0);
	check_claim(&paths, "bbbbbbbb", "0");
	CHECK_INT(
	    slot_claim_again(&paths, slot.dir, "aaaaaaaa", &gone, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
	diag_clear(&dg);
	/* A record that was edited leads nowhere else. */
	CHECK_INT(
	    slot_claim_again(&paths, "/etc/0/data", "aaaaaaaa", &gone, &dg),
	    -1);
	CHECK_INT(dg.class, DIAG_DATA);
}

static void
load_toolchain(struct toolchains *list, const char *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	list->v = xcalloc(1, sizeof(*list->v));
	list->v[0] = (struct toolchain)TOOLCHAIN_INIT;
	list->nr = 1;
	CHECK_INT(
	    toolchain_parse(list->v, "t", "t.json", text, strlen(text), &dg),
	    0);
}

/* The contents of a slot are hostile: a link leads the caches elsewhere. */
static void
test_caches(void)
{
	cleanup_paths struct paths paths;
	cleanup_slot struct slot slot = SLOT_INIT;
	cleanup_toolchains struct toolchains list = TOOLCHAINS_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	open_state(&paths);
	load_toolchain(&list,
	    "{\"caches\": [{\"path\": \"a/b\", \"variable\": \"V\", "
	    "\"source\": \"s\"}]}");
	begin_session(&paths, "aaaaaaaa");
	CHECK_INT(
	    claim_slot(&paths, "aaaaaaaa", MODE_CONTAINED, &slot, &dg), 0);
	CHECK_INT(slot_make_caches(&slot, &list, &dg), 0);
	CHECK(slot.cold);
	put(&paths, SET "/0/data/a/b/file", "x");
	CHECK_INT(slot_make_caches(&slot, &list, &dg), 0);
	CHECK(!slot.cold);
	CHECK_INT(mkdirat(paths.state_fd, "elsewhere", 0700), 0);
	CHECK_INT(renameat(paths.state_fd, SET "/0/data/a", paths.state_fd,
		      SET "/0/data/c"),
	    0);
	CHECK_INT(symlinkat("../../../../elsewhere", slot.data_fd, "a"), 0);
	CHECK_INT(slot_make_caches(&slot, &list, &dg), 0);
	CHECK(slot.cold);
	CHECK(exists(&paths, SET "/0/data/a/b"));
	CHECK(!exists(&paths, SET "/0/data/c"));
	CHECK(!exists(&paths, "elsewhere/b"));
}

static void
test_wanted(void)
{
	cleanup_settings struct settings settings;
	cleanup_toolchains struct toolchains none = TOOLCHAINS_INIT;
	cleanup_toolchains struct toolchains plain = TOOLCHAINS_INIT;
	cleanup_toolchains struct toolchains list = TOOLCHAINS_INIT;

	settings_init(&settings);
	load_toolchain(&plain, "{}");
	load_toolchain(&list,
	    "{\"caches\": [{\"path\": \"a\", \"link\": \".a\", "
	    "\"source\": \"s\"}]}");
	CHECK(!slot_is_wanted(&settings, &none));
	CHECK(!slot_is_wanted(&settings, &plain));
	CHECK(slot_is_wanted(&settings, &list));
	settings.cache = false;
	CHECK(!slot_is_wanted(&settings, &list));
}

/* A slot of KIB that session id had and left "days" days ago. */
static void
leave_slot(
    const struct paths *paths, const char *id, const char *number, int days)
{
	cleanup_free char *dir =
	    xasprintf("%s/" SET "/%s/data", paths->state_dir, number);
	cleanup_free char *file = xasprintf(SET "/%s/data/file", number);
	cleanup_free char *owner = xasprintf(SET "/%s/owner", number);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = time(NULL) - days * 24L * 60 * 60 - 1 } };
	static char text[256 * 1024];

	memset(text, 'x', sizeof(text) - 1);
	begin_session(paths, id);
	check_claim(paths, id, number);
	put(paths, file, text);
	slot_end(paths, dir, id, 10000);
	CHECK_INT(utimensat(paths->state_fd, owner, times, 0), 0);
}

static void
collect(const struct paths *paths, const struct settings *settings,
    bool dry_run, size_t *ret_failed)
{
	const struct caches_removal spec = { .paths = paths,
		.settings = settings,
		.dry_run = dry_run,
		.measure_ms = 10000 };
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(caches_collect(&spec, ret_failed, &dg), 0);
}

static void
test_collect(void)
{
	cleanup_paths struct paths paths;
	cleanup_settings struct settings settings;
	cleanup_caches struct caches caches = CACHES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t failed;

	open_state(&paths);
	settings_init(&settings);
	leave_slot(&paths, "aaaaaaaa", "0", 3);
	leave_slot(&paths, "bbbbbbbb", "1", 2);
	leave_slot(&paths, "cccccccc", "2", 40);
	leave_slot(&paths, "dddddddd", "3", 50);
	leave_slot(&paths, "eeeeeeee", "4", 1);
	end_session(&paths, "aaaaaaaa");
	end_session(&paths, "bbbbbbbb");
	end_session(&paths, "cccccccc");
	end_session(&paths, "eeeeeeee");
	CHECK_INT(caches_list(&paths, 0, &caches, &dg), 0);
	CHECK_INT(caches.nr, 5);
	for (size_t i = 0; i < caches.nr; i++) {
		CHECK(caches.v[i].facts.bytes >= 256 * 1024);
		CHECK(caches.v[i].facts.current);
		CHECK_INT(
		    caches.v[i].facts.state, i == 3 ? SLOT_TAKEN : SLOT_FREE);
	}
	/* Old, but not the one of a session that is there. */
	collect(&paths, &settings, true, &failed);
	CHECK(exists(&paths, SET "/2"));
	collect(&paths, &settings, false, &failed);
	CHECK_INT(failed, 0);
	CHECK(exists(&paths, SET "/0"));
	CHECK(!exists(&paths, SET "/2"));
	CHECK(exists(&paths, SET "/3/data/file"));
	/* The least recently used one goes first; the taken one counts. */
	settings.cache_size = INT64_C(900) * 1024;
	collect(&paths, &settings, false, &failed);
	CHECK(!exists(&paths, SET "/0"));
	CHECK(exists(&paths, SET "/1"));
	CHECK(exists(&paths, SET "/3/data/file"));
	CHECK(exists(&paths, SET "/4"));
	settings.cache_size = 1;
	collect(&paths, &settings, false, &failed);
	CHECK(!exists(&paths, SET "/4"));
	CHECK(exists(&paths, SET "/3/data/file"));
	end_session(&paths, "dddddddd");
	collect(&paths, &settings, false, &failed);
	CHECK(!exists(&paths, SET));
	CHECK(exists(&paths, "caches"));
}

/* "cache verify" reads a slot: it is neither given nor removed. */
static void
test_held(void)
{
	cleanup_paths struct paths paths;
	cleanup_settings struct settings settings;
	cleanup_close int dir_fd = -1;
	cleanup_close int held = -1;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer;
	size_t failed = 0;

	open_state(&paths);
	settings_init(&settings);
	leave_slot(&paths, "aaaaaaaa", "0", 50);
	end_session(&paths, "aaaaaaaa");
	CHECK_INT(fs_open_nolinks(
		      paths.state_fd, SET "/0", O_RDONLY, 0, &dir_fd, &dg),
	    0);
	CHECK_INT(slot_hold(dir_fd, &answer, &held, &dg), 0);
	CHECK_INT(answer, LOCK_WON);
	begin_session(&paths, "bbbbbbbb");
	check_claim(&paths, "bbbbbbbb", "1");
	collect(&paths, &settings, false, &failed);
	CHECK_INT(failed, 1);
	CHECK(exists(&paths, SET "/0/data/file"));
}

static void
collect_busy(void *arg)
{
	const struct paths *paths = arg;
	cleanup_settings struct settings settings;

	settings_init(&settings);
	caches_collect_quietly(paths, &settings);
}

static void
test_busy(void)
{
	cleanup_paths struct paths paths;
	cleanup_slots_lock struct slots_lock lock = SLOTS_LOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *said = NULL;

	open_state(&paths);
	leave_slot(&paths, "aaaaaaaa", "0", 50);
	end_session(&paths, "aaaaaaaa");
	CHECK_INT(slots_lock(&paths, 1000, &lock, &dg), 0);
	said = check_stderr(collect_busy, &paths);
	CHECK_STR(said, "");
	CHECK(exists(&paths, SET "/0"));
	slots_unlock(&lock);
	collect_busy(&paths);
	CHECK(!exists(&paths, SET "/0"));
}

enum {
	CLAIMERS = 8
};

/* Claimers at once: each has a slot of its own. */
static void
test_at_once(void)
{
	cleanup_paths struct paths paths;
	pid_t pids[CLAIMERS];
	bool seen[CLAIMERS] = { false };

	open_state(&paths);
	for (int i = 0; i < CLAIMERS; i++) {
		char id[SESSION_ID_SIZE];

		(void)snprintf(id, sizeof(id), "aaaaaaa%d", i);
		begin_session(&paths, id);
	}
	for (int i = 0; i < CLAIMERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			char id[SESSION_ID_SIZE];
			char *number;

			(void)snprintf(id, sizeof(id), "aaaaaaa%d", i);
			number = claim(&paths, id, MODE_CONTAINED);
			_exit(number[0] != '\0' ? number[0] - '0' : CLAIMERS);
		}
	}
	for (int i = 0; i < CLAIMERS; i++) {
		int status = 0;

		CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) < CLAIMERS);
		CHECK(!seen[WEXITSTATUS(status) % CLAIMERS]);
		seen[WEXITSTATUS(status) % CLAIMERS] = true;
	}
}

enum {
	ACTORS = 8,
	COLLECTORS = 2,
	STORM_MS = 2000, /* or DRYDOCK_TEST_STORM_MS */
	ROUNDS_MIN = 3
};

/*
 * Sessions of an actor until the deadline, a few at least: each claims a slot,
 * uses it as its only owner, and ends.  Returns 1 if another process touched the
 * slot.
 */
static int
act(const struct paths *paths, int actor, int64_t deadline)
{
	int rounds = 0;

	for (; monotime_left_ms(deadline) > 0 || rounds < ROUNDS_MIN;
	     rounds++) {
		cleanup_slot struct slot slot = SLOT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_close int fd = -1;
		char id[SESSION_ID_SIZE];

		(void)snprintf(id, sizeof(id), "%c%07u", 'a' + actor,
		    (unsigned)rounds % 10000000U);
		begin_session(paths, id);
		if (claim_slot(paths, id, MODE_CONTAINED, &slot, &dg) != 0)
			return 1;
		/* Left by the one before, which has ended. */
		(void)unlinkat(slot.data_fd, "mine", 0);
		fd = openat(slot.data_fd, "mine",
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd == -1 || write(fd, id, sizeof(id)) != sizeof(id))
			return 1;
		for (int i = 0; i < 1 + (actor + rounds) % 5; i++) {
			char text[SESSION_ID_SIZE] = "";
			cleanup_close int in = -1;

			(void)poll(NULL, 0, 1);
			in = open(slot.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (in == -1)
				return 1;
			cleanup_close_fn(&fd);
			fd = openat(in, "mine", O_RDONLY | O_CLOEXEC);
			if (fd == -1 ||
			    read(fd, text, sizeof(text)) != sizeof(text) ||
			    strcmp(text, id) != 0)
				return 1;
		}
		if (rounds % 2 == 0)
			slot_end(paths, slot.dir, id, 1000);
		end_session(paths, id);
	}
	return 0;
}

/* A launcher that is killed at any point; its session is then collected. */
static int
die(const struct paths *paths, int64_t deadline)
{
	for (int n = 0; monotime_left_ms(deadline) > 0; n++) {
		char id[SESSION_ID_SIZE];
		struct timespec after = { 0, (n % 40) * 25000L };
		pid_t pid;

		(void)snprintf(
		    id, sizeof(id), "z%07u", (unsigned)n % 10000000U);
		begin_session(paths, id);
		pid = fork();
		if (pid == 0) {
			cleanup_slot struct slot slot = SLOT_INIT;
			cleanup_diag struct diag dg = DIAG_INIT;

			(void)claim_slot(paths, id, MODE_CONTAINED, &slot, &dg);
			for (;;)
				(void)pause();
		}
		(void)nanosleep(&after, NULL);
		(void)kill(pid, SIGKILL);
		if (waitpid(pid, NULL, 0) != pid)
			return 1;
		end_session(paths, id);
	}
	return 0;
}

static int
collect_until(const struct paths *paths, int64_t deadline)
{
	cleanup_settings struct settings settings;
	size_t failed = 0;

	settings_init(&settings);
	settings.cache_size = 1;
	while (monotime_left_ms(deadline) > 0) {
		const struct caches_removal spec = { .paths = paths,
			.settings = &settings,
			.wait_ms = 10000,
			.measure_ms = 100 };
		cleanup_diag struct diag dg = DIAG_INIT;

		if (caches_collect(&spec, &failed, &dg) != 0)
			return 1;
	}
	return 0;
}

/* Afterwards each slot is whole, free, and can be claimed. */
static void
test_storm(void)
{
	const char *text = getenv("DRYDOCK_TEST_STORM_MS");
	int64_t ms = STORM_MS;
	cleanup_paths struct paths paths;
	cleanup_caches struct caches caches = CACHES_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	pid_t pids[ACTORS + COLLECTORS + 1];
	int64_t deadline;

	if (text != NULL)
		CHECK(text_decimal(text, 1, 600000, &ms));
	open_state(&paths);
	deadline = monotime_ms() + ms;
	for (int i = 0; i < (int)ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(i < ACTORS ? act(&paths, i, deadline)
				: i < ACTORS + COLLECTORS
				? collect_until(&paths, deadline)
				: die(&paths, deadline));
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		int status = -1;

		CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
		CHECK_INT(status, 0);
	}
	CHECK_INT(caches_list(&paths, 0, &caches, &dg), 0);
	CHECK(caches.nr <= ACTORS + 1);
	for (size_t i = 0; i < caches.nr; i++)
		CHECK_INT(caches.v[i].facts.state, SLOT_FREE);
	begin_session(&paths, "aaaaaaaa");
	check_claim(&paths, "aaaaaaaa", "0");
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the lowest free slot is claimed", test_lowest },
		{ "only ENOENT makes a slot free", test_unknown },
		{ "a half-made slot is free", test_half },
		{ "a session that starts again has its own slot", test_again },
		{ "a slot with a link in a cache's place is emptied",
		    test_caches },
		{ "only toolchains with caches want a slot", test_wanted },
		{ "old and least recently used slots are removed",
		    test_collect },
		{ "a slot that is verified stays", test_held },
		{ "a launch's collection does not wait", test_busy },
		{ "claimers at once get different slots", test_at_once },
		{ "sessions begin, run, end and die beside collectors",
		    test_storm },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
