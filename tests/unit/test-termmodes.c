/* SPDX-License-Identifier: MIT */
/* What a stream left set is undone, and nothing else. */
#include "terminal/termmodes.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "check.h"
#include "terminal/termfilter.h"

static void
modes_are_undone(void)
{
	static const struct {
		const char *in;
		const char *undo;
	} rows[] = {
		{ "text\r\n\033[2J\033[3;4H\033]0;title\007", "" },
		{ "\033[1;31mred\033[0m\033[mplain", "" },
		{ "\033[31mred", "\033[0m" },
		{ "\033[?25l\033[?7l", "\033[?7h\033[?25h" },
		{ "\033[?25l\033[?25h", "" },
		{ "\033[4h\033[20h", "\033[4l\033[20l" },
		{ "\033[?1;1000;1006;2004h",
		    "\033[?1l\033[?1000l\033[?1006l\033[?2004l" },
		{ "\033[?9001h\033[?2048h", "\033[?2048l\033[?9001l" },
		{ "\033[2 q", "\033[0 q" },
		{ "\033[2 q\033[0 q", "" },
		{ "\033=", "\033[?66l" },
		{ "\033[2;10r", "\0337\033[r\0338" },
		{ "\033[2;10r\033[r", "" },
		{ "\033[?6h\033[2;10r", "\033[r\033[?6l\033[9999;1H" },
		{ "\033(0\016", "\033(B\017" },
		{ "\033(0\016\017\033(B", "" },
		{ "\033[?1049h", "\033[?1049l" },
		{ "\033[?47h", "\033[?47l" },
		{ "\033[?1049h\033[?1049l", "" },
		{ "\033[?1049h\033[31m", "\033[?1049l" },
		{ "\033[31m\033[?1049h\033[0m", "\033[?1049l\033[0m" },
		{ "\033[31m\0337\033[0m\0338", "\033[0m" },
		{ "\033[?6h\0337\033[?6l\0338", "\033[r\033[?6l\033[9999;1H" },
		{ "\033[>1u\033[>3u\033[<u", "\033[<1u" },
		{ "\033[=1u", "\033[=0u" },
		{ "\033[?1049h\033[>1u", "\033[<1u\033[?1049l" },
		{ "\033[>4;2m", "\033[>4m\033[0m" },
		{ "\033[>4;2m\033[>4m", "" },
		{ "\033[>4n", "\033[>4m\033[0m" },
		{ "\033[22;0t\033[22;0t\033[23;0t", "\033[23;0t" },
		{ "\033H", "\033[?5W" },
		{ "\033]8;;http://a/\033\\", "\033]8;;\033\\" },
		{ "\033]8;;http://a/\033\\x\033]8;;\033\\", "" },
		{ "\033]11;#000\007\033]4;1;#000\007",
		    "\033]104\033\\\033]111\033\\" },
		{ "\033]10;#fff;#000\007", "\033]110\033\\\033]111\033\\" },
		{ "\033]11;#000\007\033]111\007\033]4;1;?\007", "" },
		{ "\033[?1000h\033[?1000s\033[?1000l\033[?1000r",
		    "\033[?1000l" },
		{ "\033[4h\033[?25l\033[31m\033[2;3r\033[?6h\033[!p", "" },
		/* With a private mark it is no soft reset. */
		{ "\033[?1h\033[?2!p", "\033[?1l" },
		{ "\033[?1000;1049h\033[4h\033[31m\033c", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct termfilter f = TERMFILTER_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_strbuf struct strbuf undo = STRBUF_INIT;
		termfilter_add(&f, rows[i].in, strlen(rows[i].in), &out);
		termmodes_undo(&f.modes, &undo);
		if (!CHECK_STR(undo.buf, rows[i].undo))
			CHECK_STR(rows[i].in, "");
		termfilter_release(&f);
	}
}

static void
modes_are_set_again(void)
{
	static const struct {
		const char *in;
		const char *redo;
	} rows[] = {
		{ "\033[?1;1000h\033[?25l\033[4h\033[>5u\033[>4;2m\033[4 q"
		  "\033[?1049h\033[>1u\033[2;9r",
		    "\033[>5u\033[?1049h\033[>1u\033[?1h\033[?25l\033[?1000h"
		    "\033[4h\033[>4;2m\033[4 q\033[2;9r" },
		{ "\033[>4n", "\033[>4n" },
		{ "\033[>4;998m\033[>1;999m\033[>2;1000f",
		    "\033[>1;999m\033[>2;1000f\033[>4;998m" },
		{ "\033[>4;99999999999m", "\033[>4;999999m" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct termfilter f = TERMFILTER_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_strbuf struct strbuf redo = STRBUF_INIT;
		termfilter_add(&f, rows[i].in, strlen(rows[i].in), &out);
		termmodes_redo(&f.modes, &redo);
		CHECK_STR(redo.buf, rows[i].redo);
		termfilter_release(&f);
	}
}

static const struct check_test tests[] = {
	{ "modes that are left set are undone", modes_are_undone },
	{ "modes are set again", modes_are_set_again },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
