/* SPDX-License-Identifier: MIT */
/* What of a pasted text is a token; none is ever shown. */
#include "host/token.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"

#include "check.h"

static void
test_kept(void)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "sk-ant-oat01-abc_0-AA", "sk-ant-oat01-abc_0-AA" },
		{ "token\n", "token" },
		{ "token\r\n", "token" },
		{ "!~", "!~" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_token struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		strbuf_addstr(&text, rows[i].text);
		CHECK_INT(token_check(&text, &dg), 0);
		CHECK_STR(text.buf, rows[i].want);
	}
}

static void
test_refused(void)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "\n", 1 },
		{ "\r\n", 2 },
		{ "canary with blanks", 18 },
		{ "canary\rcanary", 13 },
		{ "canary\ncanary\n", 14 },
		{ "canary\n\n", 8 },
		{ "\033[200~canary\033[201~", 18 },
		{ "canary\0canary", 13 },
		{ "t\303\266ken-canary", 13 },
		{ "canary\177", 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_token struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		strbuf_add(&text, rows[i].text, rows[i].len);
		CHECK_INT(token_check(&text, &dg), -1);
		CHECK_INT(dg.class, DIAG_USAGE);
		CHECK(strstr(dg.message, "canary") == NULL);
	}
}

static void
test_length(void)
{
	for (size_t extra = 0; extra < 2; extra++) {
		cleanup_token struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		for (size_t i = 0; i < TOKEN_MAX + extra; i++)
			strbuf_addch(&text, 'a');
		strbuf_addch(&text, '\n');
		CHECK_INT(token_check(&text, &dg), extra == 0 ? 0 : -1);
		CHECK_INT(dg.class, extra == 0 ? DIAG_NONE : DIAG_USAGE);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "one line is kept, without its end", test_kept },
		{ "what is no line is refused, unseen", test_refused },
		{ "the length has a limit", test_length },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
