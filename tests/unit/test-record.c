/* SPDX-License-Identifier: MIT */
/* record: what is written is read back, and what is wrong is refused. */
#include "session/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"

#include "base/moment.h"
#include "check.h"

#define HEX16 "0123456789abcdef"
#define CONTAINER_ID HEX16 HEX16 HEX16 HEX16

static const char complete[] =
    "{\"version\": %d, \"id\": \"abcd1234\", \"project\": \"/p\","
    "\"agent\": \"claude\", \"mode\": \"contained\","
    "\"mode_reason\": \"default\", \"kind\": \"run\","
    "\"engine_id\": \"e\", \"engine_data_root\": \"/d\","
    "\"engine_socket\": \"/s\", \"created_at\": \"2026-01-01T00:00:00Z\"%s}";

static int
parse(const char *text, struct record *record, struct diag *dg)
{
	return record_parse(text, strlen(text), true, record, dg);
}

static void
test_round_trip(void)
{
	cleanup_close int fd =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_record struct record in = {
		.id = xstrdup("abcd1234"),
		.project = xstrdup("/home/u/a \"b\" $c \xc3\xa4"),
		.agent = xstrdup("claude"),
		.mode = xstrdup("contained"),
		.mode_reason = xstrdup("--mode"),
		.kind = xstrdup("run"),
		.engine_id = xstrdup("E"),
		.engine_data_root = xstrdup("/var/lib/docker"),
		.engine_socket = xstrdup("/run/docker.sock"),
		.created_at = moment_now(),
		.toolchains = xstrdup(""),
		.agent_hosts = xstrdup("no"),
		.upstream_proxy = xstrdup("http://p.example:3128"),
		.ends_with_client = true,
	};
	cleanup_record struct record out = RECORD_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;

	record_set(&in, "agent", "sha256:a", NULL);
	record_set(&in, "db", "sha256:d", NULL);
	record_set(&in, "agent", NULL, CONTAINER_ID);
	CHECK_INT(record_write(fd, &in, &dg), 0);
	CHECK_INT(record_read(fd, &out, &dg), 0);
	CHECK_INT(out.ncontainers, 2);
	CHECK_STR(record_find(&out, "agent")->image, "sha256:a");
	CHECK_STR(record_container_id(&out, "agent"), CONTAINER_ID);
	CHECK_STR(record_find(&out, "db")->image, "sha256:d");
	CHECK_STR(record_container_id(&out, "db"), NULL);
	CHECK(record_find(&out, "egress") == NULL);
	CHECK_STR(record_container_id(&out, "egress"), NULL);
	CHECK_STR(out.project, in.project);
	CHECK_STR(out.mode_reason, "--mode");
	CHECK_STR(out.launched_at, NULL);
	CHECK_STR(out.toolchains, "");
	CHECK_STR(out.agent_hosts, "no");
	CHECK_STR(out.upstream_proxy, "http://p.example:3128");
	CHECK(out.ends_with_client);
	CHECK_INT(fstatat(fd, "session.json", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
}

static void
test_absent(void)
{
	cleanup_close int fd =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_record struct record out = RECORD_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(record_read(fd, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_IO);
	CHECK_INT(dg.errnum, ENOENT);
}

/* The complete record of a version, with more keys. */
static int
parse_with(
    int version, const char *more, struct record *record, struct diag *dg)
{
	cleanup_free char *text = NULL;

	CHECK(asprintf(&text, complete, version, more) > 0);
	return parse(text, record, dg);
}

static void
test_additions(void)
{
	static const struct {
		int version;
		const char *more;
		bool ok;
	} rows[] = {
		{ 1, "", true },
		{ 1, ", \"later\": [1]", true },
		{ 1, ", \"agent_container\": \"" CONTAINER_ID "\"", true },
		{ 1, ", \"agent_container\": \"-f\"", false },
		{ 1, ", \"agent_container\": \"" HEX16 "\"", false },
		{ 1, ", \"egress_container\": 5", false },
		{ 1, ", \"launched_at\": null", false },
		{ 1, ", \"id\": \"twice123\"", false },
		{ 1, ", \"services\": {}", false },
		{ 1, ", \"services\": [{\"service\": \"db\"}]", false },
		{ 2, "", false },
		{ 2, ", \"containers\": []", true },
		{ 2, ", \"containers\": [], \"later\": [1]", true },
		{ 2, ", \"containers\": {}", false },
		{ 2, ", \"containers\": [1]", false },
		{ 2, ", \"containers\": [{\"image\": \"a\"}]", false },
		{ 2, ", \"containers\": [{\"role\": 1}]", false },
		{ 2, ", \"containers\": [{\"role\": \"db\"}]", true },
		{ 2, ", \"containers\": [{\"role\": \"db\", \"id\": \"-f\"}]",
		    false },
		{ 2,
		    ", \"containers\": [{\"role\": \"db\"}, "
		    "{\"role\": \"db\"}]",
		    false },
		{ 3, ", \"containers\": []", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_record struct record out = RECORD_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		check_int(__FILE__, __LINE__, rows[i].more,
		    parse_with(rows[i].version, rows[i].more, &out, &dg),
		    rows[i].ok ? 0 : -1);
		CHECK_INT(dg.class, rows[i].ok ? DIAG_NONE : DIAG_DATA);
	}
}

static void
test_version_1(void)
{
	cleanup_record struct record out = RECORD_INIT;
	cleanup_record struct record dood = RECORD_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(parse_with(1,
		      ", \"agent_image\": \"sha256:a\", \"agent_container\": "
		      "\"" CONTAINER_ID "\", \"egress_image\": \"sha256:e\", "
		      "\"services\": [{\"service\": \"db\", \"image\": "
		      "\"sha256:d\", \"container\": \"" CONTAINER_ID "\"}]",
		      &out, &dg),
	    0);
	CHECK_INT(out.ncontainers, 3);
	CHECK_STR(record_find(&out, "agent")->image, "sha256:a");
	CHECK_STR(record_container_id(&out, "agent"), CONTAINER_ID);
	CHECK_STR(record_find(&out, "egress")->image, "sha256:e");
	CHECK_STR(record_container_id(&out, "egress"), NULL);
	CHECK_STR(record_find(&out, "db")->image, "sha256:d");
	CHECK_STR(record_container_id(&out, "db"), CONTAINER_ID);
	CHECK_INT(
	    parse_with(1, ", \"agent_image\": \"sha256:a\"", &dood, &dg), 0);
	CHECK(record_find(&dood, "egress") == NULL);
}

static void
test_malformed(void)
{
	static const char *const rows[] = { "", "[]", "{}", "{\"version\": 1}",
		"{\"version\": 2, \"id\": \"abcd1234\"}",
		"{\"version\": 0, \"id\": \"abcd1234\"}",
		"{\"version\": \"1\"}", "{\"version\": 1, \"id\": " };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_record struct record out = RECORD_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

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
		{ "containers of version 1 are found by role", test_version_1 },
		{ "a malformed or newer record is refused", test_malformed },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
