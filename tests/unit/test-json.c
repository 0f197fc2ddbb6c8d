/* SPDX-License-Identifier: MIT */
/* JSON: what is refused, what is found, and what is written. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"

static void
bad_documents_are_refused(void)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		{ "", "doc: line 1: parse error: premature EOF" },
		{ " \n", "doc: line 2: parse error: premature EOF" },
		{ "{\"a\":1,\n\"b\":2,\"a\":3}",
		    "doc: line 2: duplicate key \"a\"" },
		{ "{\"a\":1,\"\\u0061\":3}",
		    "doc: line 1: duplicate key \"a\"" },
		{ "{\"\":1,\"\":1}", "doc: line 1: duplicate key \"\"" },
		{ "{} {}", "doc: line 1: parse error: trailing garbage" },
		{ "{}x", "doc: line 1: parse error: trailing garbage" },
		{ "[] // c", "doc: line 1: parse error: trailing garbage" },
		{ "01", "doc: line 1: parse error: trailing garbage" },
		{ "[1,\n\v2]", "doc: line 2: a control character" },
		{ "\f{}", "doc: line 1: a control character" },
		/* What the text's end cuts off is garbage as well. */
		{ "{} \"abc", "doc: line 1: parse error: trailing garbage" },
		{ "{} \"a\\", "doc: line 1: parse error: trailing garbage" },
		{ "0 tru", "doc: line 1: parse error: trailing garbage" },
		{ "0\n-", "doc: line 2: parse error: trailing garbage" },
		{ "\"\xff\"", "doc: line 1: not UTF-8" },
		{ "\n\"\xc0\x80\"", "doc: line 2: not UTF-8" },
		{ "\"\xed\xa0\x80\"", "doc: line 1: not UTF-8" },
		{ "\"\\ud800\"", "doc: line 1: half a surrogate pair" },
		{ "\"\\udc00\"", "doc: line 1: half a surrogate pair" },
		{ "\"\\uD83Dx\\uDE00\"", "doc: line 1: half a surrogate pair" },
		{ "\"\\ud83d\\u0041\"", "doc: line 1: half a surrogate pair" },
		{ "\"a\\u0000b\"",
		    "doc: line 1: a string holds a NUL character" },
		{ "{\"\\u0000\":1}",
		    "doc: line 1: a string holds a NUL character" },
		{ "[\"abc", "doc: line 1: parse error: premature EOF" },
		{ "{\"a\"", "doc: line 1: parse error: premature EOF" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_json struct json *root = NULL;
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(json_parse(rows[i].text, strlen(rows[i].text), "doc",
			      &root, &dg),
		    -1);
		CHECK(root == NULL);
		CHECK_INT(dg.class, DIAG_DATA);
		CHECK_STR(dg.message, rows[i].message);
	}
}

static void
odd_tokens_are_refused(void)
{
	static const char *const rows[] = { "nan", "NaN", "Infinity", "'a'",
		"[1,]", "{,}", "{\"a\":1,}", "{a:1}", "+1", "1.", ".5", "-",
		"1e", "\"\\x\"", "\"\\u12g4\"", "\"\x01\"", "\"\t\"",
		"\xef\xbb\xbf{}", "[1 2]", "{\"a\" 1}", "]", "tru", "nul",
		"/**/1", "{1:2}" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_json struct json *root = NULL;
		cleanup_diag struct diag dg = DIAG_INIT;

		if (!CHECK_INT(
			json_parse(rows[i], strlen(rows[i]), "doc", &root, &dg),
			-1))
			CHECK_STR(rows[i], NULL);
	}
	/* A NUL byte outside a string. */
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	CHECK_INT(json_parse("{}\0", 3, "doc", &root, &dg), -1);
}

static int
parse_nested(size_t depth, const char *open, const char *close, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < depth; i++)
		strbuf_addstr(&sb, open);
	strbuf_addch(&sb, '1');
	for (size_t i = 0; i < depth; i++)
		strbuf_addstr(&sb, close);
	return json_parse(sb.buf, sb.len, "doc", &root, dg);
}

static void
depth_is_bounded(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(parse_nested(64, "[", "]", &dg), 0);
	CHECK_INT(parse_nested(64, "{\"a\":", "}", &dg), 0);
	CHECK_INT(parse_nested(65, "[", "]", &dg), -1);
	CHECK_STR(dg.message, "doc: line 1: nested deeper than 64 levels");
	diag_clear(&dg);
	CHECK_INT(parse_nested(65, "{\"a\":", "}", &dg), -1);
	diag_clear(&dg);
	CHECK_INT(parse_nested(100000, "[", "]", &dg), -1);
}

static void
getters_answer_and_take_absence(void)
{
	static const char text[] =
	    "{\"s\":\"x\\u00fc\\ud83d\\ude00\",\"n\":null,\"t\":true,"
	    "\"i\":-42,\"f\":1.5,\"a\":[1,[2]],\"o\":{\"k\":\"v\"}}";
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	int64_t value = 0;

	CHECK_INT(json_parse(text, sizeof(text) - 1, "doc", &root, &dg), 0);
	CHECK(json_is_object(root));
	CHECK_INT(json_len(root), 7);
	CHECK_STR(json_key_at(root, 3), "i");
	CHECK(json_value_at(root, 3) == json_get(root, "i"));
	CHECK_STR(json_key_at(root, 7), NULL);
	CHECK_STR(
	    json_string(json_get(root, "s")), "x\xc3\xbc\xf0\x9f\x98\x80");
	CHECK(json_is_null(json_get(root, "n")));
	CHECK(!json_is_null(json_get(root, "none")));
	CHECK(json_bool(json_get(root, "t"), false));
	CHECK(json_bool(json_get(root, "none"), true));
	CHECK(json_int(json_get(root, "i"), &value));
	CHECK_INT(value, -42);
	CHECK(!json_int(json_get(root, "f"), &value));
	CHECK(!json_int(json_get(root, "s"), &value));
	CHECK_STR(json_number(json_get(root, "f")), "1.5");
	CHECK(json_is_array(json_get(root, "a")));
	CHECK_INT(json_len(json_at(json_get(root, "a"), 1)), 1);
	CHECK(json_at(json_get(root, "a"), 2) == NULL);
	CHECK_STR(json_string(json_get(json_get(root, "o"), "k")), "v");
	CHECK(json_get(json_get(json_get(root, "x"), "y"), "z") == NULL);
	CHECK_STR(json_string_or(json_get(root, "i"), "f"), "f");
	CHECK_INT(json_len(NULL), 0);
	CHECK_INT(json_len(json_get(root, "s")), 0);
}

static void
integers_fit_or_are_none(void)
{
	static const struct {
		const char *text;
		bool fits;
		int64_t value;
	} rows[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "9007199254740993", true, 9007199254740993 },
		{ "1e3", false, 0 },
		{ "1.0", false, 0 },
		{ "99999999999999999999999999", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_json struct json *root = NULL;
		cleanup_diag struct diag dg = DIAG_INIT;
		int64_t value = 0;

		CHECK_INT(json_parse(rows[i].text, strlen(rows[i].text), "doc",
			      &root, &dg),
		    0);
		CHECK_INT(json_int(root, &value), rows[i].fits);
		CHECK_INT(value, rows[i].value);
		CHECK_INT(json_count_or(root, 7),
		    rows[i].fits && value >= 0 ? value : 7);
	}
}

static void
many_keys_stay_affordable(void)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	strbuf_addch(&sb, '{');
	for (int i = 0; i < 200000; i++)
		strbuf_addf(&sb, "\"k%d\":%d,", i, i);
	strbuf_addstr(&sb, "\"k77\":0}");
	CHECK_INT(json_parse(sb.buf, sb.len, "doc", &root, &dg), -1);
	CHECK_STR(dg.message, "doc: line 1: duplicate key \"k77\"");
}

static void
nodes_are_written_again(void)
{
	static const char text[] =
	    "{\"z\":1.50,\"a\":[9007199254740993,1e400,-0,true,false,null],"
	    "\"e\":{},\"f\":[],\"s\":\"q\\\"/\\n\"}\n";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct jsonw *w = jsonw_new(false);

	CHECK_INT(json_parse(text, sizeof(text) - 1, "doc", &root, &dg), 0);
	jsonw_node(w, root);
	CHECK_INT(jsonw_finish(w, &out, &dg), 0);
	CHECK_STR(out.buf, text);
}

static void
pretty_documents_are_indented(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct jsonw *w = jsonw_new(true);

	jsonw_open_object(w);
	jsonw_key_str(w, "a", "b");
	jsonw_key_str(w, "none", NULL);
	jsonw_key_int(w, "i", -7);
	jsonw_key_bool(w, "t", true);
	jsonw_key_array(w, "list");
	jsonw_number_raw(w, "1.0");
	jsonw_open_object(w);
	jsonw_close_object(w);
	jsonw_close_array(w);
	jsonw_close_object(w);
	CHECK_INT(jsonw_finish(w, &out, &dg), 0);
	CHECK_STR(out.buf,
	    "{\n  \"a\": \"b\",\n  \"none\": null,\n  \"i\": -7,\n"
	    "  \"t\": true,\n  \"list\": [\n    1.0,\n    {}\n  ]\n}\n");
}

static void
the_writer_fails_at_its_end(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct jsonw *w = jsonw_new(false);

	strbuf_addstr(&out, "kept");
	jsonw_open_array(w);
	jsonw_str(w, "\xed\xa0\x80");
	jsonw_close_array(w);
	CHECK_INT(jsonw_finish(w, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_DATA);
	CHECK_STR(out.buf, "kept");
	diag_clear(&dg);

	w = jsonw_new(false);
	jsonw_open_object(w);
	jsonw_int(w, 1);
	jsonw_close_object(w);
	CHECK_INT(jsonw_finish(w, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_BUG);
	diag_clear(&dg);

	w = jsonw_new(false);
	jsonw_open_object(w);
	CHECK_INT(jsonw_finish(w, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_BUG);
	diag_clear(&dg);

	w = jsonw_new(false);
	CHECK_INT(jsonw_finish(w, &out, &dg), -1);
	CHECK_INT(dg.class, DIAG_BUG);
	jsonw_free(jsonw_new(true));
	jsonw_free(NULL);
}

static const struct check_test tests[] = {
	{ "bad documents are refused by line and reason",
	    bad_documents_are_refused },
	{ "what is nearly JSON is refused", odd_tokens_are_refused },
	{ "depth 64 is read and 65 refused", depth_is_bounded },
	{ "getters answer, and take absence for an answer",
	    getters_answer_and_take_absence },
	{ "an integer fits or is none", integers_fit_or_are_none },
	{ "a duplicate among 200,000 keys is found",
	    many_keys_stay_affordable },
	{ "a parsed node is written with its own digits",
	    nodes_are_written_again },
	{ "a pretty document is indented", pretty_documents_are_indented },
	{ "a writer's failure is reported at its end",
	    the_writer_fails_at_its_end },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
