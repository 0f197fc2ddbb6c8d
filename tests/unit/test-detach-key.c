/* SPDX-License-Identifier: MIT */
/* The detach key, in each form and however it is cut. */
#include "terminal/detach-key.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "check.h"

static void
keys_are_read(void)
{
	CHECK_INT(detach_key_parse("ctrl-\\"), 0x1c);
	CHECK_INT(detach_key_parse("ctrl-a"), 1);
	CHECK_INT(detach_key_parse("ctrl-@"), 0);
	CHECK_INT(detach_key_parse("none"), -1);
	CHECK_INT(detach_key_parse(""), -1);
}

static const struct {
	const char *input;
	int key;
	int at; /* what was typed before it; -1: it is not there */
} rows[] = {
	{ "ab\x1c"
	  "cd",
	    0x1c, 2 },
	{ "abcd", 0x1c, -1 },
	{ "a\x1c", -1, -1 },
	/* kitty's protocol: code : shifted : base ; modifiers : event */
	{ "x\033[92;5u", 0x1c, 1 },
	{ "\033[92;5:1u", 0x1c, 0 },
	{ "\033[92;5:2u", 0x1c, 0 },
	{ "\033[92;5:3u", 0x1c, -1 },
	{ "\033[92;69u", 0x1c, 0 },
	{ "\033[92;133u", 0x1c, 0 },
	{ "\033[92;6u", 0x1c, -1 },
	{ "\033[92u", 0x1c, -1 },
	{ "\033[28;5u", 0x1c, -1 },
	{ "\033[97;5u", 1, 0 },
	{ "\033[1092::92;5u", 0x1c, 0 },
	{ "\033[1092::97;5:1;1u", 1, 0 },
	{ "\033[1092::98;5u", 1, -1 },
	{ "\033[1092::92;5:3u", 0x1c, -1 },
	{ "\033[45:95;6u", 0x1f, 0 },
	{ "\033[97:65;6u", 1, -1 },
	{ "\033[32;5u", 0, 0 },
	{ "\033[92;5;28u", 0x1c, 0 },
	/* modifyOtherKeys */
	{ "\033[27;5;92~", 0x1c, 0 },
	{ "\033[27;5;93~", 0x1c, -1 },
	{ "\033[27;6;92~", 0x1c, -1 },
	/* win32-input-mode: Vk ; Sc ; Uc ; Kd ; Cs ; Rc */
	{ "\033[220;43;28;1;8;1_", 0x1c, 0 },
	{ "\033[220;43;28;1;4;1_", 0x1c, 0 },
	{ "\033[220;43;28;0;8;1_", 0x1c, -1 },
	{ "\033[220;43;0;1;8;1_", 0x1c, 0 },
	{ "\033[220;43;0;1;9;1_", 0x1c, -1 },
	{ "\033[65;30;1;1;8_", 1, 0 },
	{ "\033[65;30;97;1;0;1_", 1, -1 },
	{ "\033[;;28;1_", 0x1c, 0 },
	{ "\033[13;28;13;1;0;1_", 13, -1 },
	/* CSI as one control, in 8 bits and in UTF-8 */
	{ "a\x9b"
	  "92;5u",
	    0x1c, 1 },
	{ "a\xc2\x9b"
	  "92;5u",
	    0x1c, 1 },
	{ "\xc4\x9b"
	  "92;5u",
	    0x1c, -1 },
	{ "\033[A\033[97;5u", 1, 3 },
	{ "\033[97;5", 1, -1 },
	{ "\033[", 1, -1 },
	{ "\033", 1, -1 },
	{ "\xc2\xa9", 1, -1 },
	{ "\033[1;2;3;4;5;6;7;8u", 1, -1 },
	{ "\033[4294967393;5u", 1, -1 },
};

static void
keys_are_found(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].input);
		/* The cut between two reads may be anywhere. */
		for (size_t cut = 0; cut <= len; cut++) {
			struct detach_key k = { rows[i].key, 0, "" };
			cleanup_strbuf struct strbuf typed = STRBUF_INIT;
			bool found =
			    detach_key_find(&k, rows[i].input, cut, &typed) ||
			    detach_key_find(
				&k, rows[i].input + cut, len - cut, &typed);
			if (!found)
				detach_key_flush(&k, &typed);
			if (CHECK_INT(found, rows[i].at >= 0) &&
			    CHECK_INT(
				typed.len, found ? rows[i].at : (int)len) &&
			    CHECK_INT(
				memcmp(typed.buf, rows[i].input, typed.len), 0))
				continue;
			CHECK_STR(rows[i].input, "");
			return;
		}
	}
}

/* A sequence that does not end is no key, and does not wait for ever. */
static void
held_back_is_bounded(void)
{
	struct detach_key k = { 0x1c, 0, "" };
	cleanup_strbuf struct strbuf typed = STRBUF_INIT;
	CHECK(!detach_key_find(&k, "\033[", 2, &typed));
	CHECK_INT(k.nheld, 2);
	for (int i = 0; i < 1000; i++)
		CHECK(!detach_key_find(&k, "1", 1, &typed));
	CHECK_INT(typed.len + k.nheld, 1002);
	CHECK(k.nheld < DETACH_KEY_MAX);
	CHECK(detach_key_find(&k, "\x1c", 1, &typed));
}

static const struct check_test tests[] = {
	{ "the detach key is read from its setting", keys_are_read },
	{ "the detach key is found, however it is sent", keys_are_found },
	{ "what is held back is bounded", held_back_is_bounded },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
