/* SPDX-License-Identifier: MIT */
/* listing and viewers: what is told of sessions that are there. */
#include "session/listing.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "session/view.h"

#include "check.h"

static void
test_states(void)
{
	static const struct {
		enum container_state state;
		int code;
		bool noted, launched, leased, viewed;
		const char *want;
	} rows[] = {
		{ CONTAINER_RUNNING, 0, false, true, false, true, "running" },
		{ CONTAINER_RUNNING, 0, false, true, false, false, "detached" },
		{ CONTAINER_EXITED, 0, true, true, false, false, "ended" },
		{ CONTAINER_EXITED, 0, false, true, false, false, "stopped" },
		{ CONTAINER_EXITED, 143, false, true, false, false, "stopped" },
		{ CONTAINER_EXITED, 143, false, true, true, false, "starting" },
		{ CONTAINER_RUNNING, 0, false, false, true, false, "starting" },
		{ CONTAINER_RUNNING, 0, false, false, false, false, "ended" },
	};
	static char id[] = "abcd1234";
	static char text[] = "x";
	static char role[] = "agent";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct record_container agent = { role, text, text };
		struct record record = { .id = id,
			.engine_id = text,
			.engine_data_root = text,
			.engine_socket = text,
			.containers = &agent,
			.ncontainers = 1,
			.launched_at = rows[i].launched ? text : NULL };
		struct container c = { .id = text,
			.session = id,
			.state_id = text,
			.role = role,
			.image_id = text,
			.state = rows[i].state,
			.exit_code = rows[i].code };
		struct container_list list = { &c, 1 };
		struct engine engine = {
			.id = text, .data_root = text, .socket = text
		};
		struct session_facts facts = { .record = &record,
			.noted = rows[i].noted,
			.leased = rows[i].leased,
			.viewed = rows[i].viewed,
			.engine = &engine,
			.containers = &list,
			.state_id = text,
			.id = id };

		CHECK_STR(
		    session_state_name(session_status(&facts)), rows[i].want);
	}
}

static void
test_match(void)
{
	static const struct {
		const char *word, *want;
	} rows[] = {
		{ "aaaa1111", "aaaa1111" },
		{ "aaaa1", "aaaa1111" },
		{ "b", "bbbb3333" },
		{ "aaaa", NULL },
		{ "", NULL },
		{ "c", NULL },
		{ "*", NULL },
	};
	struct listed v[] = { { .id = "aaaa1111" }, { .id = "aaaa2222" },
		{ .id = "bbbb3333" } };
	const struct listing listing = { v, ARRAY_SIZE(v), false };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		const struct listed *found = NULL;
		int rc = listing_match(&listing, rows[i].word, &found, &dg);

		CHECK_INT(rc, rows[i].want != NULL ? 0 : -1);
		CHECK_STR(rc == 0 ? found->id : NULL, rows[i].want);
	}
}

static void
test_projects(void)
{
	static const char *const others[] = { "/src/a", "/src/abc", "/src/a*",
		"/src", "b", "/src/ab/", "/x/src/ab" };
	static char project[] = "/src/ab";
	static char text[] = "x";
	const struct listed s = { .recorded = true,
		.state = SESSION_STOPPED,
		.record = { .project = project, .launched_at = text } };

	CHECK(listed_is_attachable(&s, "/src/ab"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		CHECK(!listed_is_attachable(&s, others[i]));
}

static void
test_when(void)
{
	static const struct {
		long long age;
		const char *want;
	} rows[] = {
		{ 0, "just now" },
		{ -5, "just now" },
		{ 59, "just now" },
		{ 60, "1 min ago" },
		{ 3599, "59 min ago" },
		{ 2 * 3600 + 1, "2 h ago" },
		{ 24 * 3600, "1 d ago" },
		{ 7 * 24 * 3600, "2026-01-01" },
		{ -3600, "2026-01-01" },
	};
	/* 2026-01-01T00:30:00Z, where the date is one day further. */
	static const time_t then = 1767227400;

	(void)setenv("TZ", "EAST-1", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		listed_add_when(&out, "2025-12-31T23:30:00Z",
		    then - 3600 + (time_t)rows[i].age);
		CHECK_STR(out.buf, rows[i].want);
	}
	(void)unsetenv("TZ");
}

static void
test_escapes(void)
{
	static char project[] = "/src/\033]0;x\007";
	static char text[] = "\033[31m";
	const struct listed s = { .id = "aaaa1111",
		.recorded = true,
		.record = { .project = project,
		    .agent = text,
		    .mode = text,
		    .created_at = text } };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	listed_describe(&s, &out);
	for (size_t i = 0; i < out.len; i++)
		CHECK(out.buf[i] >= ' ' && out.buf[i] < 0x7f);
}

static void
test_containers_of(void)
{
	static char a[] = "aaaaaaaa";
	static char b[] = "bbbbbbbb";
	static char c[] = "cccccccc";
	struct container v[] = { { .session = b }, { .session = a },
		{ .session = c }, { .session = b } };
	struct container_list list = { v, ARRAY_SIZE(v) };
	struct container_list empty = CONTAINER_LIST_INIT;

	containers_sort(&empty);
	CHECK_INT(containers_of(&empty, a).nr, 0);
	containers_sort(&list);
	CHECK_INT(containers_of(&list, a).nr, 1);
	CHECK_INT(containers_of(&list, b).nr, 2);
	CHECK_STR(containers_of(&list, b).v[1].session, b);
	CHECK_INT(containers_of(&list, c).nr, 1);
	CHECK_INT(containers_of(&list, "bbbb").nr, 0);
	CHECK_INT(containers_of(&list, "zzzzzzzz").nr, 0);
}

static void
test_viewers(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int one;
	int two;

	CHECK(!viewers_present(dir));
	one = viewers_join(dir);
	two = viewers_join(dir);
	CHECK(one >= 0 && two >= 0);
	CHECK(viewers_present(dir));
	(void)close(one);
	CHECK(viewers_present(dir));
	(void)close(two);
	CHECK(!viewers_present(dir));
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "each state has its name", test_states },
		{ "a session is named by the start of its id", test_match },
		{ "a project is its whole path", test_projects },
		{ "times are told as people say them", test_when },
		{ "what is printed carries no escape sequence", test_escapes },
		{ "each session has its containers", test_containers_of },
		{ "viewers are seen while they are there", test_viewers },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
