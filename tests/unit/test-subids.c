/* SPDX-License-Identifier: MIT */
/* Whether a user has subordinate ids, and which are free. */
#include "engine/subids.h"

#include "base/cleanup.h"

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

		CHECK_INT(subids_count(rows[i].text, "ann", 1000, &next),
		    rows[i].count);
		CHECK_INT(next, rows[i].free);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "ranges of one user, and where all end", test_rows },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
