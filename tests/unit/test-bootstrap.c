/* SPDX-License-Identifier: MIT */
/* Whether a user has subordinate ids, and which are free. */
#include "engine/bootstrap.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "host/paths.h"

#include "check.h"

static void
test_rows(void)
{
	static const struct {
		const char *text;
		uint64_t count;
		uint64_t free;
	} rows[] = {
		{ "", 0, 100000 },
		{ "ann:100000:65536\n", 65536, 165536 },
		{ "1000:100000:65536\n", 65536, 165536 },
		{ "bob:100000:65536\n", 0, 165536 },
		{ "bob:100000:65536\nann:165536:65536", 65536, 231072 },
		{ "anna:100000:65536\nan:165536:10\n", 0, 165546 },
		{ "ann:100000:1000\nann:200000:70000\n", 70000, 270000 },
		{ "# ann\n\nann\nann:\nann:x\nann:1\n", 0, 100000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t next = 0;

		CHECK_INT(bootstrap_count_ids(rows[i].text, "ann", 1000, &next),
		    rows[i].count);
		CHECK_INT(next, rows[i].free);
	}
}

/* The user is in neither file: its id is the largest one. */
static void
test_check(void)
{
	struct paths paths = { .user = (char[]){ "no-such-user" },
		.uid = UINT32_MAX - 1 };
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(bootstrap_check_ids(&paths, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK(strstr(dg.message, "--bootstrap needs ") == dg.message);
	CHECK(strstr(dg.message, " unless root runs it") != NULL);
	CHECK(strstr(dg.message, " with \"sudo ") != NULL);
}

static void
test_root(void)
{
	struct paths paths = { .user = (char[]){ "no-such-user" }, .uid = 0 };
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(bootstrap_check_ids(&paths, &dg), 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "ranges of one user, and where all end", test_rows },
		{ "a user without subordinate ids is refused", test_check },
		{ "root needs no subordinate ids", test_root },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
