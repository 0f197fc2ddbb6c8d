/* SPDX-License-Identifier: MIT */
/* Answers of docker and Compose: names, ids, denials, versions, times. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/moment.h"
#include "engine/version.h"

#define A16 "aaaaaaaaaaaaaaaa"
#define B16 "bbbbbbbbbbbbbbbb"
#define A64 A16 A16 A16 A16
#define B64 B16 B16 B16 B16

static void
commands_are_named_by_program_and_subcommand(void)
{
	static const struct {
		const char *argv[8];
		const char *name;
	} rows[] = {
		{ { "/usr/bin/docker", "info", "--format", "x", NULL },
		    "docker info" },
		{ { "/usr/bin/docker", "image", "ls", "-q", NULL },
		    "docker image ls" },
		{ { "/bin/docker", "compose", "--ansi=never", "up", NULL },
		    "docker compose up" },
		{ { "/bin/docker-compose", "--file=/x", "config", NULL },
		    "docker-compose config" },
		{ { "docker", NULL }, "docker" },
		{ { "docker", "image", NULL }, "docker image" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		answer_command_name(rows[i].argv, &name);
		CHECK_STR(name.buf, rows[i].name);
	}
}

static void
late_and_cut_answers_are_failures(void)
{
	static const struct {
		const char *command;
		bool timed_out;
		bool truncated;
		int timeout_ms;
		const char *message;
	} rows[] = {
		{ "info", true, false, 15000,
		    "docker info did not answer within 15s (setting "
		    "engine_timeout)" },
		{ "up", true, false, 1500,
		    "docker up did not answer within 1500ms (setting "
		    "launch_timeout)" },
		{ "build", true, false, 1000,
		    "docker build did not answer within 1s (setting "
		    "build_timeout)" },
		{ "ps", false, true, 1000,
		    "docker ps answered more than drydock reads; nothing of "
		    "it is used" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct proc_result r cleanup_proc_result = PROC_RESULT_INIT;
		const char *const argv[] = { "/bin/docker", rows[i].command,
			NULL };

		r.timed_out = rows[i].timed_out;
		r.truncated = rows[i].truncated;
		CHECK_INT(
		    engine_check_result(argv, &r, rows[i].timeout_ms, &dg), -1);
		CHECK_INT(dg.class, DIAG_ENGINE);
		CHECK_STR(dg.message, rows[i].message);
	}
}

static void
failures_have_the_engines_words_and_what_to_do(void)
{
	static const struct {
		const char *words;
		const char *message;
	} rows[] = {
		{ "Error: something else\n", "docker up failed with status 1" },
		{ "write /x: no space left on device\n",
		    "docker up failed: free space on the disk that holds the "
		    "engine's data (docker system df shows what uses it)" },
		{ "Cannot connect to the Docker daemon at unix:///x. Is the "
		  "docker daemon running?",
		    "docker up failed: is it running? start it (systemctl "
		    "start docker) or name another with --engine PATH"
		    " (or engine = PATH in drydock.conf)" },
	};
	static const char *const argv[] = { "/bin/docker", "up", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct proc_result r cleanup_proc_result = PROC_RESULT_INIT;

		r.status = 1;
		strbuf_addstr(&r.out, "not this");
		strbuf_addstr(&r.err, rows[i].words);
		CHECK_INT(engine_check_result(argv, &r, 1000, &dg), -1);
		CHECK_STR(dg.message, rows[i].message);
		CHECK_STR(dg.detail, rows[i].words);
	}
}

static void
listings_are_whole_lines_of_ids(void)
{
	static const struct {
		const char *text;
		int ids; /* -1: refused */
	} rows[] = {
		{ "", 0 },
		{ A64 "\n", 1 },
		{ A64 "\n" B64 "\n", 2 },
		{ A64 "\n" A64 "\n", 1 },
		{ A64, -1 },
		{ A64 "\n" B16, -1 },
		{ A64 "\n\n", -1 },
		{ A64 "a\n", -1 },
		{ A64 "\r\n", -1 },
		{ " " A64 "\n", -1 },
		{ "AAAAAAAAAAAAAAAA" A16 A16 A16 "\n", -1 },
		{ "WARNING: something\n" A64 "\n", -1 },
		{ "sha256:" A64 "\n", -1 },
	};
	static const char *const argv[] = { "/bin/docker", "ps", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct proc_result r cleanup_proc_result = PROC_RESULT_INIT;
		cleanup_strvec struct strvec ids = STRVEC_INIT;
		int got;

		strbuf_addstr(&r.out, rows[i].text);
		got = answer_read_ids(
		    argv, &r, answer_is_container_id, &ids, &dg);
		CHECK_INT(got, rows[i].ids == -1 ? -1 : 0);
		CHECK_INT(ids.nr, rows[i].ids == -1 ? 0 : rows[i].ids);
		CHECK_INT(dg.class, got == -1 ? DIAG_ENGINE : DIAG_NONE);
	}
}

static void
a_nul_in_a_listing_is_refused(void)
{
	static const char text[] = A64 "\0\n";
	static const char *const argv[] = { "/bin/docker", "ps", NULL };
	cleanup_diag struct diag dg = DIAG_INIT;
	struct proc_result r cleanup_proc_result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	strbuf_add(&r.out, text, sizeof(text) - 1);
	CHECK_INT(
	    answer_read_ids(argv, &r, answer_is_container_id, &ids, &dg), -1);
}

static void
only_clear_denials_count(void)
{
	static const char *const names[] = { A64, B64, "debian", NULL };
	static const char daemon[] = "Error response from daemon: ";
	static const struct {
		const char *before, *words;
		int denied; /* -1: no denial */
	} rows[] = {
		{ "", "", 0 },
		{ daemon, "No such container: " A64 "\n", 1 },
		{ "", "Error: No such container: " A64, 1 },
		{ "", "Error: No such object: " A64 "\n", 1 },
		{ "", "error: no such object: " A64 "\n", 1 },
		{ daemon,
		    "No such container: " A64
		    "\nError response from daemon: No such container: " B64
		    "\n",
		    2 },
		{ daemon, "No such container: debian:latest\n", 1 },
		{ daemon, "No such container: debian:lates\n", -1 },
		{ daemon, "No such image: " A64 "\n", -1 },
		{ daemon, "No such container: " A16 "\n", -1 },
		{ daemon, "No such container: " A64 B16 "\n", -1 },
		{ daemon,
		    "No such container: " A64 "\nError: No such container: " A64
		    "\n",
		    -1 },
		{ daemon, "No such container: " A64 "\nunexpected EOF\n", -1 },
		{ "", "unexpected EOF\n", -1 },
		{ "", "Cannot connect to the Docker daemon at unix:///x.\n",
		    -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf words = STRBUF_INIT;
		cleanup_strvec struct strvec asked = STRVEC_INIT;
		cleanup_strvec struct strvec denied = STRVEC_INIT;
		bool got;

		strbuf_addf(&words, "%s%s", rows[i].before, rows[i].words);
		strvec_push_all(&asked, names);
		got = answer_denies(&words, "container", &asked, &denied);
		CHECK_INT(got, rows[i].denied != -1);
		CHECK_INT(denied.nr, rows[i].denied == -1 ? 0 : rows[i].denied);
	}
}

static void
versions_meet_their_floors(void)
{
	static const struct {
		enum engine_floor_index floor;
		const char *version;
		bool good;
	} rows[] = {
		{ ENGINE_FLOOR_DOCKER, "20.10.24+dfsg1", true },
		{ ENGINE_FLOOR_DOCKER, "26.1.5+dfsg1", true },
		{ ENGINE_FLOOR_DOCKER, "20.9.0", false },
		{ ENGINE_FLOOR_DOCKER, "19.03.15", false },
		{ ENGINE_FLOOR_DOCKER, "dev", false },
		{ ENGINE_FLOOR_DOCKER, "", false },
		{ ENGINE_FLOOR_COMPOSE, "2.26.1-4", true },
		{ ENGINE_FLOOR_COMPOSE, "v2.20.0", true },
		{ ENGINE_FLOOR_COMPOSE, "5.0.0", true },
		{ ENGINE_FLOOR_COMPOSE, "2.3.3", false },
		{ ENGINE_FLOOR_COMPOSE, "1.29.2", false },
		{ ENGINE_FLOOR_COMPOSE, "99999999.1", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(engine_meets_floor(rows[i].floor, rows[i].version),
		    rows[i].good);
	for (const struct engine_floor *f = engine_floors(); f->program != NULL;
	     f++) {
		struct version v;

		CHECK(version_parse(f->version, &v));
	}
}

static void
times_are_read_with_fractions_and_offsets(void)
{
	static const struct {
		const char *text;
		long long seconds; /* -1: refused */
		long ns;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "2026-11-22T14:55:44.915030346Z", 1795359344, 915030346 },
		{ "2026-11-22T15:55:44.9+01:00", 1795359344, 900000000 },
		{ "2026-11-22T14:25:44-00:30", 1795359344, 0 },
		{ "2026-11-22T14:55:44", -1, 0 },
		{ "2026-11-22T14:55:44Zx", -1, 0 },
		{ "2026-11-22T14:55:44+1:00", -1, 0 },
		{ "yesterday", -1, 0 },
		{ "", -1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct timespec t = { -1, 0 };

		CHECK_INT(
		    moment_parse(rows[i].text, &t), rows[i].seconds != -1);
		CHECK_INT(t.tv_sec, rows[i].seconds);
		CHECK_INT(t.tv_nsec, rows[i].ns);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "commands are named by program and subcommand",
		    commands_are_named_by_program_and_subcommand },
		{ "late and cut answers are failures",
		    late_and_cut_answers_are_failures },
		{ "failures have the engine's words and what to do",
		    failures_have_the_engines_words_and_what_to_do },
		{ "listings are whole lines of ids",
		    listings_are_whole_lines_of_ids },
		{ "a NUL in a listing is refused",
		    a_nul_in_a_listing_is_refused },
		{ "only clear denials count", only_clear_denials_count },
		{ "versions meet their floors", versions_meet_their_floors },
		{ "times are read with fractions and offsets",
		    times_are_read_with_fractions_and_offsets },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
