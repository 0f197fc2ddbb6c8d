/* SPDX-License-Identifier: MIT */
/* The detach key, and what the clipboard filter takes out. */
#include "session/tty.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "check.h"
#include "session/clipboard.h"

static void
keys_are_read(void)
{
	CHECK_INT(tty_parse_key("ctrl-\\"), 0x1c);
	CHECK_INT(tty_parse_key("ctrl-a"), 1);
	CHECK_INT(tty_parse_key("ctrl-@"), 0);
	CHECK_INT(tty_parse_key("none"), -1);
	CHECK_INT(tty_parse_key(""), -1);
}

static void
keys_are_found(void)
{
	static const struct {
		const char *input;
		int key;
		int at; /* -1: nowhere */
	} rows[] = {
		{ "ab\x1c"
		  "cd",
		    0x1c, 2 },
		{ "abcd", 0x1c, -1 },
		{ "a\x1c", -1, -1 },
		{ "x\033[92;5u", 0x1c, 1 },
		{ "\033[92;5:1u", 0x1c, 0 },
		{ "\033[92;69u", 0x1c, 0 },
		{ "\033[92;133u", 0x1c, 0 },
		{ "\033[92;6u", 0x1c, -1 },
		{ "\033[92u", 0x1c, -1 },
		{ "\033[28;5u", 0x1c, -1 },
		{ "\033[27;5;92~", 0x1c, 0 },
		{ "\033[27;5;93~", 0x1c, -1 },
		{ "\033[97;5u", 1, 0 },
		{ "\033[A\033[97;5u", 1, 3 },
		{ "\033[97;5", 1, -1 },
		{ "\033[", 1, -1 },
		{ "\033", 1, -1 },
		{ "\033[1;2;3;4;5;6u", 1, -1 },
		{ "\033[99999999999;5u", 1, -1 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].input);
		size_t at = tty_find_key(rows[i].key, rows[i].input, len);
		if (!CHECK_INT(at == len ? -1 : (int)at, rows[i].at))
			CHECK_STR(rows[i].input, "");
	}
}

#define SAME NULL

static const struct {
	const char *in;
	const char *out;
} clips[] = {
	{ "plain text\r\n", SAME },
	{ "\033[1;31mred\033[0m", SAME },
	{ "\033]0;title\007x", SAME },
	{ "\033]8;;http://a/\033\\link\033]8;;\033\\", SAME },
	{ "\033]5;2\007", SAME },
	{ "\033]520;x\007", SAME },
	{ "\033]1337;SetMark\007", SAME },
	{ "\033]1337;Co\007", SAME },
	{ "\033]133;A\007", SAME },
	{ "\xe2\x9d\x9d quoted \xe2\x9d\x9e", SAME },
	{ "\xc3\x9d"
	  "52;c;not one",
	    SAME },
	{ "\033P1$r0m\033\\", SAME },
	{ "\033Pq#0;2;0;0;0\033\\after", SAME },
	{ "\033\033[A", SAME },
	{ "a\033]52;c;aGk=\007b", "ab" },
	{ "a\033]52;c;?\007b", "ab" },
	{ "a\033]52;c;aGk=\033\\b", "a\033\\b" },
	{ "a\033]052;c;aGk=\007b", "ab" },
	{ "a\033]0000000000000052;c;aGk=\007b", "ab" },
	{ "a\033]5\0012;c;aGk=\007b", "ab" },
	{ "a\033\001]52;c;aGk=\007b", "a\001b" },
	{ "a\033\033]52;c;aGk=\007b", "ab" },
	/* Inside another one's name, which must not go on behind it. */
	{ "\033]104\033\\a", SAME },
	{ "\033]5\033]52;c;x\0072;c;y\007", "\033]5\033\\2;c;y\007" },
	{ "\033]5\x9d"
	  "52;c;x\0072;c;y\007",
	    "\033]5\033\\2;c;y\007" },
	{ "\033\xc2\x9d"
	  "52;c;x\007]52;c;y\007",
	    "\033\033\\]52;c;y\007" },
	{ "\033]5\033\x9d"
	  "52;c;x\0072;c;y\007",
	    "\033]5\033\\2;c;y\007" },
	{ "a\x9d"
	  "52;c;aGk=\x9c"
	  "b",
	    "ab" },
	{ "a\xc2\x9d"
	  "52;c;aGk=\xc2\x9c"
	  "b",
	    "ab" },
	{ "a\033]5522;type=write\007b", "ab" },
	{ "a\033]1337;Copy=:aGk=\007b", "ab" },
	{ "a\033]1337;CopyToClipboard=\007b", "ab" },
	{ "\033]52;c;aGk=\033]0;title\007", "\033]0;title\007" },
	{ "\033]52;c;aGk=\033[0mx", "\033[0mx" },
	{ "\033]52;c;aGk=\030x", "x" },
	{ "\033Ptmux;\033\033]52;c;aGk=\007\033\\x", "\033Ptmux;\033\\x" },
	{ "\033Ptmux;\033\033]52;c;aGk=\033\033\\\033\\x",
	    "\033Ptmux;\033\\x" },
	{ "\033P\033]52;c;aGk=\007\033\\x", "\033P\033\\x" },
	{ "\033]52;c;aGk=\007\033]52;c;aGk=\007\033]2;t\007", "\033]2;t\007" },
};

static void
clipboard_is_taken_out(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(clips); i++) {
		size_t len = strlen(clips[i].in);
		/* The cut between two reads may be anywhere. */
		for (size_t cut = 0; cut <= len; cut++) {
			struct clipboard cb = CLIPBOARD_INIT;
			struct strbuf out cleanup_strbuf = STRBUF_INIT;
			clipboard_filter(&cb, clips[i].in, cut, &out);
			clipboard_filter(
			    &cb, clips[i].in + cut, len - cut, &out);
			clipboard_finish(&cb, &out);
			if (!CHECK_STR(out.buf,
				clips[i].out == SAME ? clips[i].in
						     : clips[i].out))
				return;
		}
	}
}

static void
held_back_is_bounded(void)
{
	struct clipboard cb = CLIPBOARD_INIT;
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	for (int i = 0; i < 10000; i++)
		clipboard_filter(&cb, "\033", 1, &out);
	CHECK(out.len >= 10000 - CLIPBOARD_HELD_MAX);
	clipboard_filter(&cb, "]", 1, &out);
	for (int i = 0; i < 10000; i++)
		clipboard_filter(&cb, "0", 1, &out);
	clipboard_filter(&cb, "\007x", 2, &out);
	CHECK(out.len <= 10000 && out.buf[out.len - 1] == 'x');
}

/* Whatever comes, no write that counts may be found in what goes out. */
static void
nothing_slips_through(void)
{
	static const char *const parts[] = { "\033", "]", "52", ";",
		"c;QQ==", "\007", "\033\\", "\xc2", "\x9d", "\x9c", "0", "5",
		"2", "P", "tmux;", "x", "\030", "\001", "1337", "Copy",
		"\xe2" };
	unsigned int seed = 7;
	for (int round = 0; round < 20000; round++) {
		struct clipboard cb = CLIPBOARD_INIT;
		struct strbuf out cleanup_strbuf = STRBUF_INIT;
		for (int i = 0; i < 24; i++) {
			seed = seed * 1103515245U + 12345U;
			const char *s = parts[(seed >> 16) % ARRAY_SIZE(parts)];
			clipboard_filter(&cb, s, strlen(s), &out);
		}
		clipboard_finish(&cb, &out);
		if (!CHECK(strstr(out.buf, "\033]52;") == NULL) ||
		    !CHECK(strstr(out.buf,
			       "\xc2\x9d"
			       "52;") == NULL) ||
		    !CHECK(strstr(out.buf, "\033]1337;Copy") == NULL)) {
			CHECK_STR(out.buf, "");
			return;
		}
	}
}

static const struct check_test tests[] = {
	{ "the detach key is read from its setting", keys_are_read },
	{ "the detach key is found, however it is sent", keys_are_found },
	{ "clipboard sequences are taken out, the rest stays",
	    clipboard_is_taken_out },
	{ "what is held back is bounded", held_back_is_bounded },
	{ "nothing slips through", nothing_slips_through },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
