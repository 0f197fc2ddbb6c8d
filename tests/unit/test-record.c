/* SPDX-License-Identifier: MIT */
/* record: what is written is read back, and what is wrong is refused. */
#include "session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#include "check.h"

#define HEX16 "0123456789abcdef"
#define CONTAINER_ID HEX16 HEX16 HEX16 HEX16

static const char complete[] =
    "{\"version\": 1, \"id\": \"abcd1234\", \"project\": \"/p\","
    "\"agent\": \"claude\", \"mode\": \"contained\","
    "\"mode_reason\": \"default\", \"kind\": \"run\","
    "\"engine_id\": \"e\", \"engine_data_root\": \"/d\","
    "\"engine_socket\": \"/s\", \"created_at\": \"2026-01-01T00:00:00Z\"%s}";

static int
parse(const char *text, struct record *record, struct diag *dg)
{
	return record_parse(text, strlen(text), record, dg);
}

static void
test_round_trip(void)
{
	int fd cleanup_close =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct record in cleanup_record = {
		.id = xstrdup("abcd1234"),
		.project = xstrdup("/home/u/a \"b\" $c \xc3\xa4"),
		.agent = xstrdup("claude"),
		.mode = xstrdup("contained"),
		.mode_reason = xstrdup("--mode"),
		.kind = xstrdup("run"),
		.engine_id = xstrdup("E"),
		.engine_data_root = xstrdup("/var/lib/docker"),
		.engine_socket = xstrdup("/run/docker.sock"),
		.agent_container = xstrdup(CONTAINER_ID),
		.created_at = record_now(),
		.ends_with_client = true,
	};
	struct record_part part;
	struct record out cleanup_record = RECORD_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;
	struct stat st;

	record_add_service(&in, "db", "sha256:d");
	record_add_service(&in, "cache", "sha256:c");
	record_set_container(&in, "cache", CONTAINER_ID);
	CHECK_INT(record_write(fd, &in, &dg), 0);
	CHECK_INT(record_read(fd, &out, &dg), 0);
	CHECK(record_part_at(&out, 2, &part));
	CHECK_STR(part.role, "db");
	CHECK_STR(part.image, "sha256:d");
	CHECK_STR(part.container, NULL);
	CHECK(record_part_at(&out, 3, &part));
	CHECK_STR(part.role, "cache");
	CHECK_STR(part.container, CONTAINER_ID);
	CHECK(!record_part_at(&out, 4, &part));
	CHECK_STR(out.project, in.project);
	CHECK_STR(out.mode_reason, "--mode");
	CHECK_STR(out.agent_container, CONTAINER_ID);
	CHECK_STR(out.egress_container, NULL);
	CHECK_STR(out.launched_at, NULL);
	CHECK(out.ends_with_client);
	CHECK_INT(fstatat(fd, "session.json", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
}

static void
test_absent(void)
{
	int fd cleanup_close =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct record out cleanup_record = RECORD_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(record_read(fd, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_IO);
	CHECK_INT(dg.errnum, ENOENT);
}

static void
test_additions(void)
{
	static const struct {
		const char *more;
		bool ok;
	} rows[] = {
		{ "", true },
		{ ", \"later\": [1]", true },
		{ ", \"agent_container\": \"" CONTAINER_ID "\"", true },
		{ ", \"agent_container\": \"-f\"", false },
		{ ", \"agent_container\": \"" HEX16 "\"", false },
		{ ", \"egress_container\": 5", false },
		{ ", \"launched_at\": null", false },
		{ ", \"id\": \"twice123\"", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct strbuf text cleanup_strbuf = STRBUF_INIT;
		struct record out cleanup_record = RECORD_INIT;
		struct diag dg cleanup_diag = DIAG_INIT;
		const char *tail = strstr(complete, "%s");

		strbuf_add(&text, complete, (size_t)(tail - complete));
		strbuf_addstr(&text, rows[i].more);
		strbuf_addstr(&text, tail + 2);
		CHECK_INT(parse(text.buf, &out, &dg), rows[i].ok ? 0 : -1);
		CHECK_INT(dg.class, rows[i].ok ? DIAG_NONE : DIAG_DATA);
	}
}

static void
test_malformed(void)
{
	static const char *const rows[] = { "", "[]", "{}", "{\"version\": 1}",
		"{\"version\": 2, \"id\": \"abcd1234\"}",
		"{\"version\": \"1\"}", "{\"version\": 1, \"id\": " };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct record out cleanup_record = RECORD_INIT;
		struct diag dg cleanup_diag = DIAG_INIT;

		CHECK_INT(parse(rows[i], &out, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_STR(out.id, NULL);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a record is read back as it was written", test_round_trip },
		{ "no record is told from a bad one", test_absent },
		{ "keys of a later drydock are kept out, bad ones refused",
		    test_additions },
		{ "a malformed or newer record is refused", test_malformed },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
