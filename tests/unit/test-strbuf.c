/* SPDX-License-Identifier: MIT */
/* Strings that grow, the two ways out of them, and UTF-8. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/utf8.h"

static void
always_terminated(void)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	char *s;
	size_t len = 99;

	CHECK_STR(sb.buf, "");
	strbuf_setlen(&sb, 0);
	strbuf_reset(&sb);
	strbuf_add(&sb, "", 0);
	CHECK_INT(sb.alloc, 0);
	strbuf_addf(&sb, "%s-%d", "a", 7);
	strbuf_addch(&sb, '!');
	CHECK_STR(sb.buf, "a-7!");
	strbuf_add(&sb, "\0z", 2);
	CHECK_INT(sb.len, 6);
	strbuf_setlen(&sb, 3);
	CHECK_STR(sb.buf, "a-7");
	s = strbuf_detach(&sb, &len);
	CHECK_STR(s, "a-7");
	CHECK_INT(len, 3);
	free(s);
	CHECK_STR(sb.buf, "");
	s = strbuf_detach(&sb, NULL);
	CHECK_STR(s, "");
	free(s);
}

static void
equal_if_all_bytes_are(void)
{
	cleanup_strbuf struct strbuf a = STRBUF_INIT;
	cleanup_strbuf struct strbuf b = STRBUF_INIT;

	CHECK(strbuf_equal(&a, &b));
	strbuf_add(&a, "x\0y", 3);
	strbuf_add(&b, "x\0y", 3);
	CHECK(strbuf_equal(&a, &b));
	b.buf[2] = 'z';
	CHECK(!strbuf_equal(&a, &b));
	strbuf_setlen(&b, 2);
	CHECK(!strbuf_equal(&a, &b));
}

static void
grows(void)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	for (int i = 0; i < 100000; i++)
		strbuf_addch(&sb, (char)('a' + i % 26));
	CHECK_INT(sb.len, 100000);
	CHECK_INT(sb.buf[99999], 'a' + 99999 % 26);
	CHECK_INT(sb.buf[100000], '\0');
	strbuf_reset(&sb);
	strbuf_addf(&sb, "%5000d", 1);
	CHECK_INT(sb.len, 5000);
}

static void
terminals_obey_nothing(void)
{
	static const struct {
		const char *in;
		const char *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "a\\b", "a\\\\b" },
		{ "\t\n\r", "\\t\\n\\r" },
		{ "\x1b[31m", "\\033[31m" },
		{ "\x01\x7f", "\\001\\177" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x9c\x93 \xf0\x9f\x9a\xa2",
		    "\xe2\x9c\x93 \xf0\x9f\x9a\xa2" },
		{ "\xc2\x9b"
		  "2J",
		    "\\302\\2332J" },
		{ "\x9b"
		  "2J",
		    "\\2332J" },
		{ "\xe2\x80\xae", "\\342\\200\\256" },
		{ "\xe2\x81\xa6", "\\342\\201\\246" },
		{ "\xe2\x80\xa8", "\\342\\200\\250" },
		{ "\xc0\xaf", "\\300\\257" },
		{ "\xed\xa0\x80", "\\355\\240\\200" },
		{ "\xf4\x90\x80\x80", "\\364\\220\\200\\200" },
		{ "\xe2\x82", "\\342\\202" },
		{ "\xe2\x82x", "\\342\\202x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf sb = STRBUF_INIT;

		strbuf_add_escaped(&sb, rows[i].in, strlen(rows[i].in));
		CHECK_STR(sb.buf, rows[i].want);
	}
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	strbuf_add_escaped(&sb, "a\0b", 3);
	CHECK_STR(sb.buf, "a\\000b");
}

static void
shells_see_one_word(void)
{
	static const struct {
		const char *in;
		const char *want;
	} rows[] = {
		{ "a-b_c.d/e:f", "a-b_c.d/e:f" },
		{ "", "''" },
		{ "a b", "'a b'" },
		{ "it's", "'it'\\''s'" },
		{ "$(x)`y`", "'$(x)`y`'" },
		{ "~", "'~'" },
		{ "A=b", "'A=b'" },
		{ "a\nb", "'a\nb'" },
		{ "*", "'*'" },
		{ "#", "'#'" },
		{ "{a,b}", "'{a,b}'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf sb = STRBUF_INIT;

		strbuf_add_shell_quoted(&sb, rows[i].in);
		CHECK_STR(sb.buf, rows[i].want);
	}
}

static void
utf8_is_strict(void)
{
	uint32_t cp = 0;

	CHECK_INT(utf8_decode("", 0, &cp), 0);
	CHECK_INT(utf8_decode("\xf4\x8f\xbf\xbf", 4, &cp), 4);
	CHECK_INT(cp, 0x10ffff);
	CHECK_INT(utf8_decode("\xe0\xa0\x80", 3, &cp), 3);
	CHECK_INT(cp, 0x800);
	CHECK(utf8_valid("\xed\x9f\xbf\xee\x80\x80", 6));
	CHECK(!utf8_valid("\xe0\x9f\xbf", 3));
	CHECK(!utf8_valid("\xf0\x8f\xbf\xbf", 4));
	CHECK(!utf8_valid("\xed\xbf\xbf", 3));
	CHECK(!utf8_valid("\xf5\x80\x80\x80", 4));
	CHECK(!utf8_valid("\x80", 1));
	CHECK(!utf8_valid("a\xc3", 2));
}

static const struct check_test tests[] = {
	{ "a strbuf is terminated at all times", always_terminated },
	{ "strbufs are equal if all their bytes are", equal_if_all_bytes_are },
	{ "a strbuf grows", grows },
	{ "escaped text obeys no terminal", terminals_obey_nothing },
	{ "quoted text is one word of a shell", shells_see_one_word },
	{ "UTF-8 is decoded strictly", utf8_is_strict },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
