/* SPDX-License-Identifier: MIT */
/* Answers of the engine and Compose: failures, denials, logs, versions, times. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/moment.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "engine/answer.h"
#include "engine/api.h"
#include "engine/container.h"
#include "engine/engine.h"

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
		{ { "/usr/bin/docker", "pull", "--quiet", "x", NULL },
		    "docker pull" },
		{ { "/usr/bin/docker", "buildx", "version", NULL },
		    "docker buildx version" },
		{ { "/bin/docker", "compose", "--ansi=never", "up", NULL },
		    "docker compose up" },
		{ { "/bin/docker-compose", "--file=/x", "config", NULL },
		    "docker-compose config" },
		{ { "docker", NULL }, "docker" },
		{ { "docker", "buildx", NULL }, "docker buildx" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf name = STRBUF_INIT;

		(void)answer_command_name(rows[i].argv, &name);
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
		{ "tag", true, false, 15000,
		    "docker tag did not answer within 15s (setting "
		    "engine_timeout)" },
		{ "up", true, false, 1500,
		    "docker up did not answer within 1500ms (setting "
		    "launch_timeout)" },
		{ "build", true, false, 1000,
		    "docker build did not answer within 1s (setting "
		    "build_timeout)" },
		{ "pull", false, true, 1000,
		    "the answer of docker pull is larger than drydock reads, "
		    "and is not used" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;
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
		    "docker up failed: start the engine with \"systemctl "
		    "start docker\", or name another with --engine PATH or "
		    "engine = PATH in drydock.conf" },
		{ "permission denied while trying to connect to the Docker "
		  "daemon socket",
		    "docker up failed: join the group of the engine's socket "
		    "with \"sudo usermod -aG docker $USER\", then log in "
		    "again" },
	};
	static const char *const argv[] = { "/bin/docker", "up", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_proc_result struct proc_result r = PROC_RESULT_INIT;

		r.status = 1;
		strbuf_addstr(&r.out, "not this");
		strbuf_addstr(&r.err, rows[i].words);
		CHECK_INT(engine_check_result(argv, &r, 1000, &dg), -1);
		CHECK_STR(dg.message, rows[i].message);
		CHECK_STR(dg.detail, rows[i].words);
	}
}

static void
only_a_denial_of_what_was_asked_for_counts(void)
{
	static const struct {
		int status;
		const char *body;
		bool denied;
	} rows[] = {
		{ 404, "{\"message\":\"No such container: " A64 "\"}", true },
		{ 404, "{\"message\":\"no container with ID " A64 "\"}", true },
		{ 404, "{\"message\":\"No such container: " B64 "\"}", false },
		{ 404, "{\"message\":\"page not found\"}", false },
		{ 404, "{\"error\":\"" A64 "\"}", false },
		{ 404, "<html>" A64 "</html>", false },
		{ 404, "", false },
		{ 410, "{\"message\":\"No such container: " A64 "\"}", false },
		{ 200, "{\"message\":\"No such container: " A64 "\"}", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_http_answer struct http_answer answer =
		    HTTP_ANSWER_INIT;

		answer.status = rows[i].status;
		strbuf_addstr(&answer.body, rows[i].body);
		CHECK_INT(api_denies(&answer, A64), rows[i].denied);
	}
}

static void
a_log_is_whole_frames(void)
{
	static const struct {
		const char *data;
		size_t len;
		const char *out, *err; /* NULL: refused */
	} rows[] = {
		{ "", 0, "", "" },
		{ "\1\0\0\0\0\0\0\2a\n\2\0\0\0\0\0\0\1b\1\0\0\0\0\0\0\1c", 28,
		    "a\nc", "b" },
		{ "\1\0\0\0\0\0\0\0", 8, "", "" },
		/* Cut in a head, in a frame, and words that are no frame. */
		{ "\1\0\0\0\0\0\0", 7, NULL, NULL },
		{ "\1\0\0\0\0\0\0\2a", 9, NULL, NULL },
		{ "\1\0\0\0\377\377\377\377a", 9, NULL, NULL },
		{ "\1\0\0\0\0\0\0\1a\1\0\0\0", 13, NULL, NULL },
		{ "plain words\n", 12, NULL, NULL },
		{ "\4\0\0\0\0\0\0\1a", 9, NULL, NULL },
		{ "\3\0\0\0\0\0\0\1a", 9, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_strbuf struct strbuf err = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		bool good = rows[i].out != NULL;

		CHECK_INT(container_read_log(
			      rows[i].data, rows[i].len, &out, &err, &dg),
		    good ? 0 : -1);
		CHECK_INT(dg.class, good ? DIAG_NONE : DIAG_ENGINE);
		CHECK_STR(out.buf, good ? rows[i].out : "");
		CHECK_STR(err.buf, good ? rows[i].err : "");
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
		{ "only a denial of what was asked for counts",
		    only_a_denial_of_what_was_asked_for_counts },
		{ "a log is whole frames", a_log_is_whole_frames },
		{ "versions meet their floors", versions_meet_their_floors },
		{ "times are read with fractions and offsets",
		    times_are_read_with_fractions_and_offsets },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
