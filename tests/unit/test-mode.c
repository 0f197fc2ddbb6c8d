/* SPDX-License-Identifier: MIT */
/* What a mode is taken from, and that doubt is contained. */

#include "base/cleanup.h"
#include "base/diag.h"
#include "host/mode.h"
#include "host/settings.h"

#include "check.h"

static void
test_resolve(void)
{
	static const struct {
		const char *option;
		enum settings_source source;
		const char *setting;
		const char *mode;
		const char *reason;
	} rows[] = {
		{ NULL, SETTINGS_DEFAULT, "", "contained", "the default" },
		{ NULL, SETTINGS_FILE, "", "contained", "the default" },
		{ NULL, SETTINGS_FILE, "contained", "contained",
		    "drydock.conf" },
		{ NULL, SETTINGS_FILE, "dood", "dood", "drydock.conf" },
		{ NULL, SETTINGS_PROJECT, "dood", "dood",
		    "the project's drydock.conf" },
		{ NULL, SETTINGS_ENVIRONMENT, "dood", "dood", "DRYDOCK_MODE" },
		{ "dood", SETTINGS_FILE, "contained", "dood", "--mode" },
		{ "contained", SETTINGS_FILE, "dood", "contained", "--mode" },
		{ "Dood", SETTINGS_FILE, "dood", "contained",
		    "an unknown mode was asked for" },
		{ "", SETTINGS_FILE, "dood", "contained",
		    "an unknown mode was asked for" },
		{ NULL, SETTINGS_FILE, "dood ", "contained",
		    "an unknown mode was asked for" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_settings struct settings s;
		cleanup_diag struct diag dg = DIAG_INIT;
		struct mode_choice got;

		settings_init(&s);
		CHECK_INT(settings_set(&s, rows[i].source, "mode",
			      rows[i].setting, "test", &dg),
		    0);
		got = mode_resolve(rows[i].option, &s);
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
