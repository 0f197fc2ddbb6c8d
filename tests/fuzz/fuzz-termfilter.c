/* SPDX-License-Identifier: MIT */
/*
 * The filter before a terminal: what leaves it is in a form that all terminals
 * read alike, names no control string but harmless ones, does not depend on how
 * the stream was cut, and what undoes its modes leaves a terminal as it was.
 *
 * Input: a byte that says how to cut and with which settings, then the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "terminal/termfilter.h"

struct settings {
	bool clipboard, silent, narrow;
};

static void
filter(const struct fuzz_input *in, struct settings settings, uint32_t seed,
    struct termfilter *f, struct strbuf *out)
{
	struct fuzz_chunks chunks = { seed };
	f->clipboard = settings.clipboard;
	f->silent = settings.silent;
	f->vt.narrow = settings.narrow;
	for (size_t at = 0; at < in->size;) {
		size_t n = seed == 0 ? in->size
				     : fuzz_next_chunk(&chunks, in->size - at);
		termfilter_add(f, (const char *)in->data + at, n, out);
		at += n;
	}
}

/* As a terminal that wraps, or stops at what is no digit, reads a number. */
static void
check_number(const char *s, bool clipboard)
{
	static const unsigned int harmful[] = { 3, 7, 50, 51, 52, 633, 697,
		1337, 5522 };
	unsigned int wrapped = 0;
	unsigned short narrow = 0;
	FUZZ_CHECK(*s >= '0' && *s <= '9');
	for (; *s >= '0' && *s <= '9'; s++) {
		wrapped = wrapped * 10 + (unsigned int)(*s - '0');
		narrow = (unsigned short)(narrow * 10 + (*s - '0'));
	}
	FUZZ_CHECK(*s == ';' || *s == '\007' || *s == '\033');
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
		bool allowed = clipboard &&
		    (harmful[i] == 52 || harmful[i] == 5522 ||
			harmful[i] == 1337);
		FUZZ_CHECK(
		    allowed || (wrapped != harmful[i] && narrow != harmful[i]));
	}
}

/* A string is printable to its end, so that nothing in it is a control. */
static const char *
skip_string(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p >= 0x20 && *p != 0x7f)
		p++;
	FUZZ_CHECK(p < end);
	if (*p == '\007')
		return p + 1;
	FUZZ_CHECK(end - p >= 2 && p[0] == '\033' && p[1] == '\\');
	return p + 2;
}

/* Whole sequences, in 7 bits, and no C1 control outside of them. */
static void
check_stream(const char *p, const char *end, struct settings settings)
{
	while (p < end) {
		uint32_t cp = 0;
		unsigned char c = (unsigned char)*p;
		size_t n = utf8_decode(p, (size_t)(end - p), &cp);
		FUZZ_CHECK(c != 0x18 && c != 0x1a);
		if (c >= 0x80) {
			FUZZ_CHECK(n > 0 || c >= 0xa0);
			FUZZ_CHECK(settings.narrow || n == 0 || cp >= 0xa0);
			FUZZ_CHECK(!settings.narrow || c >= 0xa0);
			p += n > 0 && !settings.narrow ? n : 1;
			continue;
		}
		if (c != 0x1b) {
			p++;
			continue;
		}
		FUZZ_CHECK(++p < end);
		FUZZ_CHECK(strchr("X^!\\", *p) == NULL || *p == '\0');
		if (*p == ']') {
			check_number(p + 1, settings.clipboard);
			p = skip_string(p + 1, end);
		} else if (*p == 'P' || *p == '_' || *p == 'k') {
			FUZZ_CHECK(
			    *p != 'P' || strncmp(p + 1, "tmux;", 5) != 0);
			FUZZ_CHECK(*p != '_' || p[1] == 'G');
			p = skip_string(p + 1, end);
		} else if (*p == '[') {
			do
				FUZZ_CHECK(
				    ++p < end && *p >= 0x20 && *p < 0x7f);
			while (*p < 0x40);
			FUZZ_CHECK(*p++ != 'i');
		} else {
			while (p < end && *p >= 0x20 && *p < 0x30)
				p++;
			FUZZ_CHECK(p < end && *p >= 0x30 && *p < 0x7f);
			p++;
		}
	}
}

/* Terminals ignore parameters of DECSTR. */
static bool
is_soft_reset(const char *p)
{
	return strncmp(p, "\033[", 2) == 0 &&
	    strncmp(p + 2 + strspn(p + 2, "0123456789;:"), "!p", 2) == 0;
}

/* A terminal that knows some modes, one at a time, and nothing else. */
static bool
mode_is_set(const struct strbuf *stream, char mark, unsigned int mode)
{
	const char *p = stream->buf;
	const char *end = p + stream->len;
	bool set = false;
	for (; p < end; p++) {
		bool ours = false;
		unsigned int v = 0;
		if (*p != '\033')
			continue;
		if (p[1] == 'c')
			set = false;
		/* DECSTR ends insert mode, and the cursor keys'. */
		if ((mark == 0 || mode == 1) && is_soft_reset(p))
			set = false;
		if (p[1] != '[' || (mark != 0 && p[2] != mark))
			continue;
		const char *at = p + (mark != 0 ? 3 : 2);
		bool sub = false;
		for (; (*at >= '0' && *at <= '9') || *at == ';' || *at == ':';
		     at++) {
			if (*at == ';') {
				ours = ours || v == mode;
				v = 0;
			}
			if (*at == ';' || *at == ':')
				sub = *at == ':';
			else if (!sub && v < 100000)
				v = v * 10 + (unsigned int)(*at - '0');
		}
		ours = ours || v == mode;
		if (ours && (*at == 'h' || *at == 'l'))
			set = *at == 'h';
	}
	return set;
}

static void
check_undo(const struct termfilter *f, const struct strbuf *shown)
{
	static const unsigned int modes[] = { 1, 5, 45, 1000, 1002, 1003, 1004,
		1006, 2004, 2026 };
	struct termfilter after = TERMFILTER_INIT;
	cleanup_strbuf struct strbuf undo = STRBUF_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_strbuf struct strbuf passed = STRBUF_INIT;
	bool restores = memmem(shown->buf, shown->len, "\033[?", 3) != NULL &&
	    memchr(shown->buf, 'r', shown->len) != NULL;

	termmodes_undo(&f->modes, &undo);
	strbuf_add(&all, shown->buf, shown->len);
	strbuf_add(&all, undo.buf, undo.len);
	/* Nothing is left to undo, and what undoes would pass itself. */
	after.clipboard = true;
	after.vt.narrow = f->vt.narrow;
	termfilter_add(&after, all.buf, all.len, &passed);
	/* A character that is cut off waits for what is behind it. */
	termfilter_add(&after, "\n", 1, &passed);
	termfilter_release(&after);
	FUZZ_CHECK(passed.len == all.len + 1);
	termmodes_undo(&after.modes, &again);
	FUZZ_CHECK(again.len == 0);
	FUZZ_CHECK(!mode_is_set(&all, 0, 4));
	/* XTRESTORE is not what that terminal knows. */
	for (size_t i = 0; !restores && i < sizeof(modes) / sizeof(modes[0]);
	     i++)
		FUZZ_CHECK(!mode_is_set(&all, '?', modes[i]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	cleanup_strbuf struct strbuf cut = STRBUF_INIT;
	cleanup_strbuf struct strbuf twice = STRBUF_INIT;
	struct termfilter f = TERMFILTER_INIT;
	struct termfilter g = TERMFILTER_INIT;
	struct termfilter h = TERMFILTER_INIT;

	unsigned int first = fuzz_take(&in);
	struct settings settings = { (first & 0x20) != 0, (first & 0x40) != 0,
		(first & 0x80) != 0 };
	filter(&in, settings, 0, &f, &whole);
	filter(&in, settings, first + 1, &g, &cut);
	FUZZ_CHECK(whole.len == cut.len);
	FUZZ_CHECK(memcmp(whole.buf, cut.buf, whole.len) == 0);
	FUZZ_CHECK(f.asked == g.asked);
	FUZZ_CHECK(!settings.silent || !f.asked);
	FUZZ_CHECK(whole.len <= in.size * 3);
	check_stream(whole.buf, whole.buf + whole.len, settings);
	check_undo(&f, &whole);

	/* What was filtered once passes as it is. */
	struct fuzz_input out = { (const uint8_t *)whole.buf, whole.len };
	filter(&out, settings, 0, &h, &twice);
	termfilter_add(&h, "\n", 1, &twice);
	FUZZ_CHECK(twice.len == whole.len + 1);
	FUZZ_CHECK(memcmp(twice.buf, whole.buf, whole.len) == 0);
	termfilter_release(&f);
	termfilter_release(&g);
	termfilter_release(&h);

	/* Nothing that could introduce one: nothing is changed. */
	bool plain = true;
	for (size_t i = 0; i < in.size; i++)
		plain = plain && in.data[i] < 0x7f && in.data[i] >= 0x20;
	if (plain)
		FUZZ_CHECK(whole.len == in.size &&
		    memcmp(whole.buf, in.data, whole.len) == 0);
	return 0;
}
