/* SPDX-License-Identifier: MIT */
/* What of a container's bytes reaches a terminal. */
#include "terminal/termfilter.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "check.h"

#define SAME NULL
#define NONE ""
#define FFFD "\xef\xbf\xbd"

struct row {
	const char *in;
	const char *out;
};

static void
check_rows(const struct row *rows, size_t n, const struct termfilter *start)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].in);
		const char *want =
		    rows[i].out == SAME ? rows[i].in : rows[i].out;
		/* The cut between two reads may be anywhere. */
		for (size_t cut = 0; cut <= len; cut++) {
			struct termfilter f = *start;
			cleanup_strbuf struct strbuf out = STRBUF_INIT;
			termfilter_add(&f, rows[i].in, cut, &out);
			termfilter_add(&f, rows[i].in + cut, len - cut, &out);
			termfilter_release(&f);
			if (CHECK_STR(out.buf, want))
				continue;
			CHECK_STR(rows[i].in, "");
			return;
		}
	}
}

static void
listed_sequences_pass(void)
{
	static const struct row rows[] = {
		{ "plain text\r\n", SAME },
		{ "\033[1;31mred\033[0m\033[38:2::1:2:3m", SAME },
		{ "\033]0;title\007x", SAME },
		{ "\033]8;;http://a/\033\\link\033]8;;\033\\", SAME },
		{ "\033]4;1;rgb:00/00/00\007\033]11;?\033\\", SAME },
		{ "\033]104\033\\a\033]112\007", SAME },
		{ "\033]133;A\007\033]133;D;0\007", SAME },
		{ "\033]9;done\007\033]9;4;1;50\007\033]9;4\007", SAME },
		{ "\033]777;notify;a;b\007\033]99;;hello\033\\", SAME },
		{ "\xe2\x9d\x9d quoted \xe2\x9d\x9e \xd0\x9d", SAME },
		{ "\xe9t\xe9t", SAME },
		{ "\033P$qm\033\\\033P$q q\033\\\033P+q544e;436f\033\\", SAME },
		{ "\033P0;1;0q#0;2;0;0;0~-\033\\after", SAME },
		{ "\033_Gf=100,a=T,m=1;aGk=\033\\\033_Gm=0;\033\\", SAME },
		{ "\033_Gt=d,f=24;AAAA\033\\", SAME },
		{ "\033(0\033)B\033*A\033-A\0337\0338\033=\033>\033c", SAME },
		{ "\033%G\033#8\033ktitle\033\\", SAME },
		{ "\033[?1049h\033[?25l\033[2 q\033[>4;2m\033[=1;1u", SAME },
		{ "\033[6n\033[c\033[?2026$p\033[>q\033[?u\005", SAME },
		{ "\033[22;0t\033[!p\033[1\"q", SAME },
	};
	const struct termfilter f = TERMFILTER_INIT;
	check_rows(rows, ARRAY_SIZE(rows), &f);
}

static void
clipboard_is_left_out(void)
{
	static const struct row rows[] = {
		{ "a\033]52;c;aGk=\007b", "ab" },
		{ "a\033]52;c;?\007b", "ab" },
		{ "a\033]52;c;aGk=\033\\b", "ab" },
		{ "a\033]52\007b", "ab" },
		{ "a\033]5522;type=write\007b", "ab" },
		{ "a\033]1337;Copy=:aGk=\007b", "ab" },
		{ "a\033]1337;CopyToClipboard=\007b", "ab" },
		/* Numbers that a terminal reads as 52. */
		{ "a\033]052;c;aGk=\007b", "ab" },
		{ "a\033]52c;c;aGk=\007b", "ab" },
		{ "a\033]52 ;c;aGk=\007b", "ab" },
		{ "a\033]+52;c;aGk=\007b", "ab" },
		{ "a\033]4294967348;c;aGk=\007b", "ab" },
		{ "a\033]18446744073709551668;c;aGk=\007b", "ab" },
		{ "a\033]5\0012;c;aGk=\007b", "ab" },
		{ "a\033]5\r\n2;c;aGk=\007b", "a" /* no CR inside */ "b" },
		{ "a\033\001]52;c;aGk=\007b", "a\001b" },
		{ "a\033\033]52;c;aGk=\007b", "ab" },
		{ "a\0332]52;c;aGk=\007b", "a]52;c;aGk=\007b" },
		/* Joined by what is left out. */
		{ "\033]5\033]52;c;x\0072;c;y\007", "2;c;y\007" },
		{ "\033]52;c;aGk=\033]0;title\007", "\033]0;title\007" },
		{ "\033]52;c;aGk=\033[0mx", "\033[0mx" },
		{ "\033]52;c;aGk=\030x", "x" },
		{ "\033]5\0302;c;x\007", "2;c;x\007" },
		{ "\033\xc2\x9d"
		  "52;c;x\007]52;c;y\007",
		    "]52;c;y\007" },
		/* C1 controls, alone and in UTF-8. */
		{ "a\xc2\x9d"
		  "52;c;aGk=\xc2\x9c"
		  "b",
		    "ab" },
		{ "a\xc2\x9d"
		  "0;t\xc2\x9c"
		  "b",
		    "a\033]0;t\033\\b" },
		{ "a\x9d"
		  "52;c;aGk=\x9c"
		  "b",
		    "a" FFFD "52;c;aGk=" FFFD "b" },
		{ "a\xe2\x9d"
		  "52;c;aGk=\007b",
		    "a\xe2" FFFD "52;c;aGk=\007b" },
		{ "\xc2\x9b"
		  "31mx",
		    "\033[31mx" },
		/* Wrappers of tmux, and one name in two of screen. */
		{ "\033Ptmux;\033\033]52;c;aGk=\007\033\\x", "x" },
		{ "\033Ptmux;\033\033]52;c;aGk=\033\033\\\033\\x", "x" },
		{ "\033Ptmux;\033\033]0;t\007\033\\x", "x" },
		{ "\033P\033]52;c;aGk=\007\033\\x", "x" },
		{ "\033P\033]5\033\\\033P2;c;aGk=\007\033\\x",
		    "\033]5\033\\x" },
		{ "\033P\033\033\\\033P]52;c;aGk=\007\033\\x", "x" },
		{ "\033_\033]52;c;x\007\033\\y", "y" },
	};
	const struct termfilter f = TERMFILTER_INIT;
	check_rows(rows, ARRAY_SIZE(rows), &f);
}

static void
other_strings_are_left_out(void)
{
	static const struct row rows[] = {
		{ "\033]3;_NET=1\007\033]7;file://h/d\007\033]50;?\007", NONE },
		{ "\033]51;E\"f\"\007\033]633;E;rm\007\033]5;\007",
		    "\033]5;\007" },
		{ "\033]520;x\007\033]\007\033];x\007\033]x\007", NONE },
		{ "\033]1337;SetMark\007\033]1337;File=:x\007", NONE },
		{ "\033]9;7;cmd\007\033]9;6;macro\007\033]9;41;1\007", NONE },
		{ "\033]777;container;push;x\007\033]777;preexec\007", NONE },
		/* Keys, macros, states, tables, remote control. */
		{ "\033P1;1|17/726d\033\\\033P1;0;0!zx\033\\x", "x" },
		{ "\033P2$tx\033\\\033P+p616c\033\\\033P{x\033\\x", "x" },
		{ "\033P@kitty-cmd{}\033\\\033P0p\033\\x", "x" },
		/* What is asked for comes back as input. */
		{ "\033P$qrm -rf\033\\\033P$q\033\\\033P+qxy\033\\", NONE },
		/* Files and memory of the host. */
		{ "\033_Gt=f;L2V0Yw==\033\\\033_Ga=T,t=t;aGk=\033\\", NONE },
		{ "\033_Gt=s;eA==\033\\\033_Gt=df;eA==\033\\", NONE },
		{ "\033_Gt=;eA==\033\\\033_G,t=d\033\\\033_x\033\\", NONE },
		{ "\033^msg\033\\\033Xsos\033\\\033!x\033\\y", "y" },
		/* Another parser, other answers, printing. */
		{ "\033%@\033%/G\033 G\033Y  \033[?2l\033[?1;2h", "  " },
		{ "\033[5i\033[?5i\033[61\"p\033[1$}\033[>2p", NONE },
		/* The console's palette has no end. */
		{ "\033]P1234567x\033]Ry", "xy" },
		{ "\033]P123456gx\007y", "y" },
		/* Malformed. */
		{ "\033[1?h\033[??1hx\033[1\x7fmy", "x\x7f\033[1my" },
		{ "\033[3\n1mx", "\n\033[31mx" },
		{ "\033[3\0301mx", "1mx" },
	};
	const struct termfilter f = TERMFILTER_INIT;
	check_rows(rows, ARRAY_SIZE(rows), &f);
}

static void
clipboard_passes_with_the_setting(void)
{
	static const struct row rows[] = {
		{ "\033]52;c;aGk=\007\033]5522;type=read\033\\", SAME },
		{ "\033]1337;Copy=:aGk=\007", SAME },
		{ "\033]1337;CopyToClipboard=\007x\033]1337;EndCopy\007",
		    SAME },
		{ "\033]1337;File=:x\007\033]50;x\007\033]052;c;x\007", NONE },
	};
	const struct termfilter f = { .clipboard = true };
	struct termfilter start = TERMFILTER_INIT;
	start.clipboard = f.clipboard;
	check_rows(rows, ARRAY_SIZE(rows), &start);
}

static void
nothing_is_asked_where_nobody_reads(void)
{
	static const struct row rows[] = {
		{ "a\033[6n\033[c\033[>c\033[=c\033[5n\033Z\005b", "ab" },
		{ "a\033[18t\033[21t\033[?2026$p\033[>q\033[?u\033[xb", "ab" },
		{ "a\033]11;?\007\033]4;1;?\007\033P$qm\033\\b", "ab" },
		{ "a\033P+q544e\033\\\033_Ga=q;AAAA\033\\b", "ab" },
		{ "a\033[?1000h\033[?1004h\033[?9001h\033[>1u\033[=1ub", "ab" },
		{ "a\033[1m\033[?25l\033]0;t\007\033[22;0tb", SAME },
	};
	struct termfilter f = TERMFILTER_INIT;
	f.silent = true;
	check_rows(rows, ARRAY_SIZE(rows), &f);
}

static void
questions_are_noticed(void)
{
	static const struct {
		const char *in;
		bool asks;
		unsigned int attributes;
	} rows[] = {
		{ "text\r\n\033[1;31m\033[2J\033[5;1H\033[K\033[3q", true, 0 },
		{ "text\033[1;31m\033[2J\033[5;1H\033[K\033[1S\0337", false,
		    0 },
		{ "\033[?25l\033[2 q\033]0;t\007\033]8;;u\007", false, 0 },
		{ "\033[6n", true, 0 },
		{ "\033[?6n", true, 0 },
		{ "\033[c\033[0c\033Z", true, 3 },
		{ "\033[>c", true, 0 },
		{ "\033[?1003h", true, 0 },
		{ "\033]10;?\007", true, 0 },
		{ "\033P$qm\033\\", true, 0 },
		{ "\005", true, 0 },
		/* Left out, so that it is not asked. */
		{ "\033]52;c;?\007", false, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct termfilter f = TERMFILTER_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		termfilter_add(&f, rows[i].in, strlen(rows[i].in), &out);
		if (!CHECK_INT(f.asked, rows[i].asks) ||
		    !CHECK_INT(f.asked_attributes, rows[i].attributes))
			CHECK_STR(rows[i].in, "");
		termfilter_release(&f);
	}
}

/* In 8 bits a byte of a character may be the start of a string. */
static void
narrow_terminals_get_no_control(void)
{
	static const struct row rows[] = {
		{ "\xe2\x9d\x9d"
		  "52;c;x\007",
		    "\xe2??52;c;x\007" },
		{ "\xd0\x9d"
		  "52;c;x\007",
		    "\xd0?52;c;x\007" },
		{ "\x9d"
		  "52;c;x\007",
		    "?52;c;x\007" },
		{ "\xe9t\xc3\xa9\xe9", SAME },
		{ "\033]0;\xe9\007", SAME },
		{ "\033]0;\xd0\x9d"
		  "52;c;x\007y",
		    "y" },
	};
	struct termfilter f = TERMFILTER_INIT;
	f.vt.narrow = true;
	check_rows(rows, ARRAY_SIZE(rows), &f);
}

static void
held_back_is_bounded(void)
{
	struct termfilter f = TERMFILTER_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char text[4096];
	memset(text, '0', sizeof(text));
	termfilter_add(&f, "\033[", 2, &out);
	termfilter_add(&f, text, sizeof(text), &out);
	termfilter_add(&f, "m", 1, &out);
	CHECK_STR(out.buf, "");
	termfilter_add(&f, "\033]0;", 4, &out);
	for (size_t n = 0; n <= VT_STRING_MAX + 4 * sizeof(text);
	     n += sizeof(text))
		termfilter_add(&f, text, sizeof(text), &out);
	CHECK(f.vt.held.len <= VT_STRING_MAX);
	termfilter_add(&f, "\007x", 2, &out);
	CHECK_STR(out.buf, "x");
	CHECK(f.vt.held.alloc <= VT_SEQUENCE_MAX);
	termfilter_release(&f);
}

static const struct check_test tests[] = {
	{ "listed sequences pass as they are", listed_sequences_pass },
	{ "the clipboard is left out", clipboard_is_left_out },
	{ "strings that are not listed are left out",
	    other_strings_are_left_out },
	{ "the clipboard passes with the setting",
	    clipboard_passes_with_the_setting },
	{ "nothing is asked where nobody reads",
	    nothing_is_asked_where_nobody_reads },
	{ "questions are noticed", questions_are_noticed },
	{ "narrow terminals get no control", narrow_terminals_get_no_control },
	{ "what is held back is bounded", held_back_is_bounded },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
