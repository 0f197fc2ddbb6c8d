/* SPDX-License-Identifier: MIT */
/* The JSON filter: what goes, what stays to the byte, what is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "sync/jsonfilter.h"

#include "check.h"

static int
compile(const char *drop, const char *project, struct jsonfilter **ret_filter,
    struct diag *dg)
{
	cleanup_strvec struct strvec list = STRVEC_INIT;

	strvec_push(&list, drop);
	return jsonfilter_new(&list, "/home/u", project, ret_filter, dg);
}

static int
filter(const char *drop, const char *project, const char *text, size_t len,
    struct strbuf *out, struct diag *dg)
{
	cleanup_jsonfilter struct jsonfilter *f = NULL;

	if (compile(drop, project, &f, dg) != 0)
		return -1;
	return jsonfilter_run(f, text, len, "doc", out, dg);
}

static const struct {
	const char *drop;
	const char *text;
	const char *want;
} drop_rows[] = {
	{ ".a", "{\"a\":1}", "{}" },
	{ ".a", "{ \"a\" : 1 }", "{  }" },
	{ ".a", "{\"a\":1,\"b\":2}", "{\"b\":2}" },
	{ ".a", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{\n  \"b\": 2\n}\n" },
	{ ".b", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", "{\n  \"a\": 1\n}\n" },
	{ ".b", "{\"a\":1,\"b\":{\"x\":[{}]},\"c\":3}", "{\"a\":1,\"c\":3}" },
	{ ".a,.b", "{\"a\":1 , \"b\":2 , \"c\":3}", "{\"c\":3}" },
	{ ".a,.c", "{\"a\":1 , \"b\":2 , \"c\":3}", "{\"b\":2}" },
	{ ".b,.c", "{\"a\":1 , \"b\":2 , \"c\":3}", "{\"a\":1}" },
	{ ".[]", "{\"a\":1 , \"b\":2 , \"c\":3}", "{}" },
	{ ".[0,2]", "[1, 2, 3, 4]", "[2, 4]" },
	{ ".[]|select(. == 2)", "[2,[2],2]", "[[2]]" },
	{ ".a.b[1].c", "{\"a\":{\"b\":[{\"c\":1},{\"c\":1,\"d\":2}]}}",
	    "{\"a\":{\"b\":[{\"c\":1},{\"d\":2}]}}" },
	{ ".a.b", "{\"a\":{\"b\":[1]},\"b\":1}", "{\"a\":{},\"b\":1}" },
	{ ".a, .a.b", "{\"a\":{\"b\":1},\"c\":1}", "{\"c\":1}" },
	/* Absent places drop nothing. */
	{ ".x?", "{\"a\":1}", "{\"a\":1}" },
	{ ".x?", "[1]", "[1]" },
	{ ".x?", " null ", " null " },
	{ ".x?", "12", "12" },
	/* A key by its decoded form, and one with a NUL in it. */
	{ ".ab", "{\"\\u0061b\":1,\"c\":\"\\/\"}", "{\"c\":\"\\/\"}" },
	{ ".[\"a\\u0000b\"]", "{\"a\\u0000b\":1,\"a\\u0000c\":2}",
	    "{\"a\\u0000c\":2}" },
	{ ".[\"\"]", "{\"\":1,\"a\":2}", "{\"a\":2}" },
	/* What no number or string type of jq's would keep. */
	{ ".a",
	    "{\"a\":0,\"n\":[9007199254740993,1.0,1e400,-0,1E+2,0.10],"
	    "\"s\":\"\\ud83d\\ude00 \\u00e9 \\/ \\\\ \\\" \\u0000\"}",
	    "{\"n\":[9007199254740993,1.0,1e400,-0,1E+2,0.10],"
	    "\"s\":\"\\ud83d\\ude00 \\u00e9 \\/ \\\\ \\\" "
	    "\\u0000\"}" },
	{ ".[] | select(. == home)", "[\"/home/u\",\"/home/v\"]",
	    "[\"/home/v\"]" },
	{ "keys[] as $k | .[$k] | select($k != project)", "{\"/p\":1,\"/q\":2}",
	    "{\"/p\":1}" },
	/* Half a surrogate pair, as JSON.stringify() writes it. */
	{ ".a", "{\"a\":[\"\\ud83d\",{\"\\udc00\":1}],\"b\":2}", "{\"b\":2}" },
	{ ".a", "{\"a\":1,\"b\":\"x\\uD83Dy\\ude00\\ud83d\"}",
	    "{\"b\":\"x\\uD83Dy\\ude00\\ud83d\"}" },
	{ ".[keys[] | select(. != \"b\")]", "{\"s\\ud800\":1,\"b\":2,\"?\":3}",
	    "{\"b\":2}" },
	{ ".[\"?\"]", "{\"\\ud800\":1,\"?\":2}", "{\"\\ud800\":1}" },
	/* What goes is not judged beyond its grammar. */
	{ ".a", "{\"a\":{\"x\":1,\"x\":2},\"b\":2}", "{\"b\":2}" },
	{ ".a", "{\"a\":1,\"b\":2,\"a\":3}", "{\"b\":2}" },
	{ ".m[] | select(.c? == 2)",
	    "{\"m\":{\"x\":{\"c\":1,\"c\":2},\"y\":0}}", "{\"m\":{\"y\":0}}" },
};

static void
test_drop(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(drop_rows); i++) {
		cleanup_strbuf struct strbuf once = STRBUF_INIT;
		cleanup_strbuf struct strbuf twice = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_jsonfilter struct jsonfilter *f = NULL;

		if (!CHECK_INT(compile(drop_rows[i].drop, "/p", &f, &dg), 0))
			continue;
		CHECK_INT(jsonfilter_run(f, drop_rows[i].text,
			      strlen(drop_rows[i].text), "doc", &once, &dg),
		    0);
		CHECK_STR(dg.message, NULL);
		CHECK_STR(once.buf, drop_rows[i].want);
		if (strchr(drop_rows[i].drop, '0') != NULL)
			continue; /* an index means another element then */
		CHECK_INT(
		    jsonfilter_run(f, once.buf, once.len, "doc", &twice, &dg),
		    0);
		CHECK_STR(twice.buf, once.buf);
	}
}

static void
test_refused(void)
{
	static const char *const texts[] = {
		"",
		" \n",
		"x",
		"{",
		"{\"a\"",
		"{\"a\":1,}",
		"[1,]",
		"[1 2]",
		"{} {}",
		"{\"b\":1,\"b\":2}",
		"{\"b\":1,\"\\u0062\":2}",
		"{\"\\ud800\":1,\"\\udfff\":2}",
		"{\"x\":{\"b\":1,\"a\":2,\"b\":3}}",
		"{\"a\":\"\xff\"}",
		"{\"a\":\"\xed\xa0\x80\"}",
		"{\"a\":\"\xc0\xaf\"}",
		"{\"a\":NaN}",
		"{\"a\":nan}",
		"{\"a\":Infinity}",
		"{\"a\":01}",
		"{\"a\":.5}",
		"{\"a\":\"\n\"}",
		"{'a':1}",
		"{\"a\":1} // x",
		"/* x */ {}",
		"\xef\xbb\xbf{}",
		"{} \"x",
		"{} \"x\\",
		"0 tru",
		"0 -",
		"[1,\v2]",
		"\f{}",
	};

	cleanup_diag struct diag none = DIAG_INIT;
	cleanup_jsonfilter struct jsonfilter *f = NULL;

	if (!CHECK_INT(compile(".a?", NULL, &f, &none), 0))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		if (!CHECK_INT(jsonfilter_run(f, texts[i], strlen(texts[i]),
				   "doc", &out, &dg),
			-1))
			CHECK_STR(texts[i], "refused");
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK(dg.message != NULL &&
		    strncmp(dg.message, "doc: line ", 10) == 0);
		CHECK_INT(out.len, 0);
	}
}

static void
test_nul(void)
{
	static const char text[] = "{\"a\":1}\0";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(filter(".a", NULL, text, sizeof(text) - 1, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
}

static void
test_depth(void)
{
	for (size_t depth = JSON_LOOSE_DEPTH; depth <= JSON_LOOSE_DEPTH + 1;
	     depth++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		for (size_t i = 0; i < depth; i++)
			strbuf_addch(&text, '[');
		for (size_t i = 0; i < depth; i++)
			strbuf_addch(&text, ']');
		CHECK_INT(filter(".[7]", NULL, text.buf, text.len, &out, &dg),
		    depth == JSON_LOOSE_DEPTH ? 0 : -1);
		CHECK_INT(dg.class,
		    depth == JSON_LOOSE_DEPTH ? DIAG_NONE : DIAG_DATA);
	}
}

/* The same text ends in the same place wherever a writer was interrupted. */
static void
test_cut(void)
{
	static const char text[] =
	    "{\n  \"numStartups\": 9007199254740993,\n"
	    "  \"projects\": {\"/a\": {\"allowedTools\": [\"x\\n\"], "
	    "\"mcpServers\": {\"s\": {\"env\": {\"K\": \"\\ud83d\\ude00\"}}}}},"
	    "\n  \"f\": [1.0, -0, true, false, null]\n}";

	cleanup_jsonfilter struct jsonfilter *f = NULL;
	cleanup_strvec struct strvec drop = STRVEC_INIT;
	cleanup_diag struct diag none = DIAG_INIT;

	strvec_push(&drop, ".projects?");
	CHECK_INT(jsonfilter_new(&drop, "/home/u", NULL, &f, &none), 0);
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(jsonfilter_run(f, text, len, "doc", &out, &dg), -1);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_INT(out.len, 0);
	}
}

static void
test_bad_rules(void)
{
	static const char *const drops[] = { ".", ".[-1]", ".[0:1]", "(((" };

	for (size_t i = 0; i < ARRAY_SIZE(drops); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(filter(drops[i], NULL, "[1]", 3, &out, &dg), -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_INT(out.len, 0);
	}
}

static const struct {
	const char *text;
	const char *want;
	const char *left_out;
} program_rows[] = {
	{ "{\"s\": {\"a\": {\"c\": \"npx\"}}}", NULL, "" },
	{ "{\"s\": {\"a\": {\"c\": \"foo\"}}}", "{\"s\": {}}", "a (foo)" },
	{ "{\"s\": {\"a\": {\"c\": \"/usr/bin/npx\"}}}", NULL, "" },
	{ "{\"s\": {\"a\": {\"c\": \"/bin/foo\"}, \"n\": 1.0}}",
	    "{\"s\": {\"n\": 1.0}}", "a (/bin/foo)" },
	/* No name of a program. */
	{ "{\"s\": {\"a\": {\"c\": \"/opt/foo\"}, \"b\": {\"c\": \"./foo\"},"
	  " \"d\": {\"c\": \"${FOO}\"}, \"e\": {\"c\": \"\"},"
	  " \"f\": {\"c\": \"foo x\"}, \"g\": {\"c\": \"~/foo\"},"
	  " \"h\": {\"c\": \"foo\\u0000\\n\"}}}",
	    NULL, "" },
	/* No string, and no server. */
	{ "{\"s\": {\"a\": {\"c\": [\"foo\"]}, \"b\": 1, \"d\": null}}", NULL,
	    "" },
	{ "{\"s\": [{\"c\": \"foo\"}, 1]}", "{\"s\": [1]}", "an entry (foo)" },
	{ "{\"s\": \"foo\"}", NULL, "" },
	{ " [12345678901234567890] ", NULL, "" },
	/* Keys that look like jq, and bytes that are kept. */
	{ "{\"s\": {\"\\\\(1)\\\"|.\": {\"c\": \"foo\"}, "
	  "\"\\/\": {\"c\": \"npx\", \"n\": 1.00}}}",
	    "{\"s\": {\"\\/\": {\"c\": \"npx\", \"n\": 1.00}}}",
	    "\\(1)\"|. (foo)" },
	{ "{\"s\": {\"a\": {\"c\": \"foo\"}, \"b\": {\"c\": \"bar\"}}}",
	    "{\"s\": {}}", "a (foo), b (bar)" },
};

static void
test_programs(void)
{
	cleanup_strvec struct strvec expressions = STRVEC_INIT;
	cleanup_strvec struct strvec programs = STRVEC_INIT;

	strvec_push(&expressions, ".s?[]? | .c?");
	strvec_push(&programs, "npx");
	for (size_t i = 0; i < ARRAY_SIZE(program_rows); i++) {
		const char *text = program_rows[i].text;
		const char *want = program_rows[i].want;
		cleanup_strvec struct strvec left_out = STRVEC_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *names = NULL;

		CHECK_INT(jsonfilter_run_programs(&expressions, &programs, text,
			      strlen(text), "doc", &out, &left_out, &dg),
		    0);
		names = strvec_join(&left_out, ", ");
		CHECK_STR(out.buf, want != NULL ? want : text);
		CHECK_STR(names, program_rows[i].left_out);
	}
}

static void
test_bad_program_rules(void)
{
	static const char *const rules[] = { "(((", "1 + 1", "error" };
	static const char text[] = "{\"a\": 1}";

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		cleanup_strvec struct strvec expressions = STRVEC_INIT;
		cleanup_strvec struct strvec none = STRVEC_INIT;
		cleanup_strvec struct strvec left_out = STRVEC_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		strvec_push(&expressions, rules[i]);
		CHECK_INT(jsonfilter_run_programs(&expressions, &none, text,
			      strlen(text), "doc", &out, &left_out, &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		CHECK_INT(out.len, 0);
	}
}

/* A path of the user's is text to jq, whatever it looks like. */
static void
test_hostile_project(void)
{
	static const char text[] = "{\"\\\\(env)\\\"\":1,\"b\":2}";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(filter(".[keys_unsorted[] | select(. != project)]",
		      "\\(env)\"", text, strlen(text), &out, &dg),
	    0);
	CHECK_STR(out.buf, "{\"\\\\(env)\\\"\":1}");
}

static void
test_many(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	strbuf_addstr(&text, "{\"projects\":{");
	strbuf_addstr(&want, "{\"projects\":{");
	for (int i = 0; i < 10000; i++) {
		strbuf_addf(&text,
		    "%s\"/p/%d\": {\"a\": %d, \"secret\": {\"k\": [%d]}}",
		    i > 0 ? ", " : "", i, i, i);
		strbuf_addf(
		    &want, "%s\"/p/%d\": {\"a\": %d}", i > 0 ? ", " : "", i, i);
	}
	strbuf_addstr(&text, "}}");
	strbuf_addstr(&want, "}}");
	CHECK_INT(
	    filter(".projects[].secret", NULL, text.buf, text.len, &out, &dg),
	    0);
	CHECK(strcmp(out.buf, want.buf) == 0);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "what is named goes, what stays is the same bytes",
		    test_drop },
		{ "what is no JSON is refused with its line", test_refused },
		{ "a NUL behind the document is refused", test_nul },
		{ "nesting has a limit", test_depth },
		{ "a document that is cut anywhere is refused", test_cut },
		{ "rules that name no place are refused", test_bad_rules },
		{ "a project's path cannot be a program",
		    test_hostile_project },
		{ "ten thousand projects lose their secrets", test_many },
		{ "what needs an absent program goes", test_programs },
		{ "a bad rule for programs is an error",
		    test_bad_program_rules },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
