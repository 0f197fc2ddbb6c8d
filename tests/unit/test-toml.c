/* SPDX-License-Identifier: MIT */
/* The statements of a TOML text, and their keys. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/toml.h"

/* Appends "part|part=value;" or "part|part;". */
static int
show(void *arg, const struct toml_path *path, const struct toml_slice *value,
    struct diag *dg)
{
	struct strbuf *out = arg;

	(void)dg;
	for (size_t i = 0; i < path->nr; i++) {
		if (i > 0)
			strbuf_addch(out, '|');
		strbuf_add(out, path->v[i].at, path->v[i].len);
	}
	if (value != NULL) {
		strbuf_addch(out, '=');
		toml_add_plain(out, value->at, value->len);
	}
	strbuf_addch(out, ';');
	return 0;
}

/* Walks a whole text; returns the number of statements, or -1. */
static int
walk(const char *text, size_t len, struct strbuf *out, struct diag *dg)
{
	struct toml_path table = { .nr = 0 };
	struct toml t;
	bool more;
	int n = 0;

	if (toml_begin(&t, text, len, "x.toml", dg) != 0)
		return -1;
	for (;; n++) {
		if (toml_next(&t, &more, dg) != 0)
			return -1;
		if (!more)
			return n;
		if (toml_visit(&t, &table, show, out, dg) != 0)
			return -1;
	}
}

static void
test_keys(void)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "", "" },
		{ "# only\n", "" },
		{ "a = 1\nb=2 # c\n", "a=1;b=2;" },
		{ "\xef\xbb\xbf[a]\nb = 1\n", "a;a|b=1;" },
		{ "[a . 'b.c' . \"d\"] # x\r\ne . f = 1\r\n",
		    "a|b.c|d;a|b.c|d|e|f=1;" },
		{ "[[ a.b ]]\nc = 1\n[d]\n", "a|b;a|b|c=1;d;" },
		{ "a = { b = 1, c.d = [ 2, { e = 3 } ], f = { g = 4 } }\n",
		    "a={b=1,c.d=[2,{e=3}],f={g=4}};a|b=1;"
		    "a|c|d=[2,{e=3}];a|f={g=4};a|f|g=4;" },
		{ "a = {\n # }\n b = 1,\n c = 2,\n}\n",
		    "a={b=1,c=2,};a|b=1;a|c=2;" },
		{ "a = {}\nb = { }\n", "a={};b={};" },
		{ "a = [\n 1, # ]\n 2 ]\nb = 3", "a=[1,2];b=3;" },
		{ "a = \"\"\"\n[b]\nc = 1 # d\n\"\"\"\"\ne = 2\n",
		    "a=\"\"\"\n[b]\nc = 1 # d\n\"\"\"\";e=2;" },
		{ "a = '''\n[b]\\'''\nc = 1\n", "a='''\n[b]\\''';c=1;" },
		{ "a = \"\\\"[b]#\"\n", "a=\"\\\"[b]#\";" },
		{ "[t.\"x = \\\"y\\\"\".d]\n", "t|x = \\\"y\\\"|d;" },
		{ "\"\" = 1\n", "=1;" },
		{ "a = \"b\n", NULL },
		{ "a = \"b\\", NULL },
		{ "a = [\n", NULL },
		{ "a = '''b''\n", NULL },
		{ "]\n", NULL },
		{ "a\n", NULL },
		{ "a =\n", NULL },
		{ "a = \r\n", NULL },
		{ "a b = 1\n", NULL },
		{ "[a\n]\n", NULL },
		{ "[a] b\n", NULL },
		{ "[[a] ]\n", NULL },
		{ "[a]]\n", NULL },
		{ "[]\n", NULL },
		{ "[a.]\n", NULL },
		{ "a. = 1\n", NULL },
		{ ".a = 1\n", NULL },
		{ "\"\"\"a\"\"\" = 1\n", NULL },
		{ "\"\\u0061\" = 1\n", NULL },
		{ "\"\\x61\" = 1\n", NULL },
		{ "\xc3\xa9 = 1\n", NULL },
		{ "a = { b }\n", NULL },
		{ "a = { b = }\n", NULL },
		{ "a = { b = 1, c }\n", NULL },
		{ "a = 1 # x\ry\n", NULL },
		{ "a = 1 # \x01\n", NULL },
		{ "a = \"\x7f\"\n", NULL },
		{ "a = \"\xff\"\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		int n = walk(rows[i].text, strlen(rows[i].text), &out, &dg);

		if (rows[i].want != NULL) {
			CHECK_STR(dg.message, NULL);
			CHECK_STR(out.buf, rows[i].want);
		} else if (!CHECK_INT(n, -1) ||
		    !CHECK_INT(dg.class, DIAG_DATA)) {
			CHECK_STR(rows[i].text, "refused");
		}
	}
}

static void
test_limits(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag nul = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	CHECK_INT(walk("a = 1\n\0", 7, &out, &nul), -1);
	CHECK_STR(nul.message, "x.toml: line 2: a control character");
	for (int i = 0; i < 20000; i++)
		strbuf_addstr(&text, "a={");
	CHECK_INT(walk(text.buf, text.len, &out, &dg), -1);
	for (int i = 0; i < 20000; i++)
		strbuf_addstr(&text, "}");
	diag_clear(&dg);
	CHECK_INT(walk(text.buf, text.len, &out, &dg), -1);
	CHECK_STR(dg.message, "x.toml: line 1: a key with too many parts");
}

static void
test_strings(void)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: not such a string */
	} rows[] = {
		{ "\"a\"", "a" },
		{ "'a' # b", "a" },
		{ "\"a\"\r", "a" },
		{ "\"\"", "" },
		{ "\"\"\"a\"\"\"", NULL },
		{ "'''a'''", NULL },
		{ "\"a\\u0062\"", NULL },
		{ "\"a\" b", NULL },
		{ "\"a", NULL },
		{ "a", NULL },
		{ "", NULL },
		{ "[\"a\"]", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct toml_slice value = { rows[i].text,
			strlen(rows[i].text) };
		struct toml_slice s = { "", 0 };
		bool is_string = toml_string(&value, &s);
		cleanup_free char *got = xstrndup(s.at, s.len);

		CHECK_STR(is_string ? got : NULL, rows[i].want);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "keys and values are found, all else is refused", test_keys },
		{ "depth is bounded", test_limits },
		{ "a string on one line is read", test_strings },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
