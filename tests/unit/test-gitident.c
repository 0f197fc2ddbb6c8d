/* SPDX-License-Identifier: MIT */
/* The git identity: git's syntax, and nothing but a name and an address. */
#include "host/gitident.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"

#include "check.h"

static void
test_parse(void)
{
	static const struct {
		const char *text;
		const char *name;
		const char *email;
	} cases[] = {
		{ "", NULL, NULL },
		{ "[user]\n\tname = A B\n\temail = a@b\n", "A B", "a@b" },
		{ "[user] name = A", "A", NULL },
		{ "[USER]\r\nNAME = A\r\n", "A", NULL },
		{ "[user]\nname = A # c\nemail = a@b ; c", "A", "a@b" },
		{ "[user]\nname = \"A # \\\"B\\\"  \"", "A # \"B\"  ", NULL },
		{ "[user]\nname = A\\\nB", "AB", NULL },
		{ "[user]\nname = A\nname = B", "B", NULL },
		{ "[user \"x\"]\nname = A", NULL, NULL },
		{ "[other]\nname = A\n[user]\nname = B", "B", NULL },
		{ "[include]\npath = x\n[user]\nname = B", "B", NULL },
		{ "[user]\nname\nemail = a@b", NULL, "a@b" },
		{ "[user]\nname =\n", NULL, NULL },
		{ "[user]\nname = \"a\\nb\"\n", NULL, NULL },
		{ "[user]\nname = \xff\n", NULL, NULL },
		{ "\xef\xbb\xbf[user]\nname = A", "A", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_gitident struct gitident ident = GITIDENT_INIT;
		cleanup_gitident struct gitident again = GITIDENT_INIT;
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(gitident_parse(&ident, "conf", cases[i].text,
			      strlen(cases[i].text), &dg),
		    0);
		CHECK_STR(ident.name, cases[i].name);
		CHECK_STR(ident.email, cases[i].email);
		/* What is written is read back as the same. */
		gitident_write(&ident, &text);
		CHECK_INT(
		    gitident_parse(&again, "again", text.buf, text.len, &dg),
		    0);
		CHECK_STR(again.name, ident.name);
		CHECK_STR(again.email, ident.email);
	}
}

static void
test_bad(void)
{
	static const char *const texts[] = { "[user", "[user \"x]", "[]",
		"[user]\n= x", "[user]\nname = \"x", "[user]\nname = \\q" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_gitident struct gitident ident = GITIDENT_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(gitident_parse(
			      &ident, "conf", texts[i], strlen(texts[i]), &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_STR(ident.name, NULL);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "git's syntax is read", test_parse },
		{ "what is not git's syntax is refused", test_bad },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
