/* SPDX-License-Identifier: MIT */
/* What a mode is taken from, and that doubt is contained. */

#include "base/cleanup.h"
#include "host/mode.h"

#include "check.h"

static void
test_resolve(void)
{
	static const struct {
		const char *option;
		const char *setting;
		const char *mode;
		const char *reason;
	} rows[] = {
		{ NULL, NULL, "contained", "the default" },
		{ NULL, "", "contained", "the default" },
		{ NULL, "contained", "contained", "the mode setting" },
		{ NULL, "dood", "dood", "the mode setting" },
		{ "dood", "contained", "dood", "--mode" },
		{ "contained", "dood", "contained", "--mode" },
		{ "Dood", "dood", "contained",
		    "an unknown mode was asked for" },
		{ "", "dood", "contained", "an unknown mode was asked for" },
		{ NULL, "dood ", "contained", "an unknown mode was asked for" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mode_choice got =
		    mode_resolve(rows[i].option, rows[i].setting);

		CHECK_STR(mode_name(got.mode), rows[i].mode);
		CHECK_STR(got.reason, rows[i].reason);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "the option beats the setting, a word it does not know is "
		  "contained",
		    test_resolve },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
