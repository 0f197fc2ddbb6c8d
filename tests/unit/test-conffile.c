/* SPDX-License-Identifier: MIT */
/* A change of one line of drydock.conf leaves all others as they were. */

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "host/conffile.h"
#include "host/settings.h"

#include "check.h"

static void
test_edit(void)
{
	static const struct {
		const char *text;
		const char *key;
		const char *value; /* NULL: removed */
		bool found;
		const char *want;
	} rows[] = {
		{ "", "pids", "100", false, "pids = 100\n" },
		{ "", "pids", NULL, false, "" },
		{ "# mine", "pids", "100", false, "# mine\npids = 100\n" },
		{ "memory=1g\npids = 2 # why\n\ncpus = 1\n", "pids", "100",
		    true, "memory=1g\npids = 100 # why\n\ncpus = 1\n" },
		{ "  pids\t=2", "pids", "100", true, "  pids\t=100" },
		{ "pids = 2\r\nmemory = 1g\r\n", "pids", "3", true,
		    "pids = 3\r\nmemory = 1g\r\n" },
		{ "# pids = 2\n#pids = 3\npids_x = 4\n", "pids", "5", false,
		    "# pids = 2\n#pids = 3\npids_x = 4\npids = 5\n" },
		{ "packages = \"a # \\\" b\" # c\n", "packages", "a b", true,
		    "packages = \"a b\" # c\n" },
		{ "packages = \"a b\"# c\n", "packages", "d", true,
		    "packages = d # c\n" },
		{ "mode = # c\n", "mode", "dood", true, "mode = dood # c\n" },
		{ "mode =", "mode", "", true, "mode =\"\"" },
		{ "mode = a#b \n", "mode", "dood", true, "mode = dood \n" },
		{ "a line\npids = 2\n", "pids", "3", true,
		    "a line\npids = 3\n" },
		{ "# one\npids = 2 # gone\n# two", "pids", NULL, true,
		    "# one\n# two" },
		{ "memory = 1g\npids = 2", "pids", NULL, true,
		    "memory = 1g\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		bool found;

		strbuf_addstr(&text, rows[i].text);
		CHECK_INT(conffile_edit(&text, "drydock.conf", rows[i].key,
			      rows[i].value, &found, &dg),
		    0);
		CHECK_STR(text.buf, rows[i].want);
		CHECK_INT(found, rows[i].found);
	}
}

/* Each value that a file can have is written so that it reads back. */
static void
test_values(void)
{
	static const char *const values[] = { "", "a", "a b", "#", "a #b",
		"a\"b", "\\", "\\\"", " ", "\"\"", "a\\ b" };
	static const char *const texts[] = { "", "ca_file = /x # c\n",
		"ca_file =\n", "ca_file = \"a\" # b\n", "ca_file = \"\n" };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		for (size_t n = 0; n < ARRAY_SIZE(texts); n++) {
			cleanup_strbuf struct strbuf text = STRBUF_INIT;
			cleanup_conf_entry struct conf_entry e =
			    CONF_ENTRY_INIT;
			cleanup_diag struct diag dg = DIAG_INIT;
			struct lines lines;
			bool found;

			strbuf_addstr(&text, texts[n]);
			CHECK_INT(conffile_edit(&text, "f", "ca_file",
				      values[i], &found, &dg),
			    0);
			CHECK_INT(lines_init(&lines, "f", text.buf, text.len,
				      text.len, &dg),
			    0);
			CHECK_INT(conffile_next(&lines, &e, &dg), 1);
			CHECK_STR(e.key, "ca_file");
			CHECK_STR(e.value.buf, values[i]);
			CHECK_INT(conffile_next(&lines, &e, &dg), 0);
		}
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "one line changes; comments, blanks and order stay",
		    test_edit },
		{ "what is written reads back as the same value", test_values },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
