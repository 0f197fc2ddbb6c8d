/* SPDX-License-Identifier: MIT */
/*
 * The clipboard filter: what leaves it moves no clipboard, however the stream
 * is cut, and text without such sequences passes as it is.
 *
 * Input: a byte that says how to cut, then the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "fuzz.h"
#include "session/clipboard.h"

static void
filter(const struct fuzz_input *in, uint32_t seed, struct strbuf *out)
{
	struct clipboard cb = CLIPBOARD_INIT;
	struct fuzz_chunks chunks = { seed };

	for (size_t at = 0; at < in->size;) {
		size_t n = seed == 0 ? in->size
				     : fuzz_next_chunk(&chunks, in->size - at);
		clipboard_filter(&cb, (const char *)in->data + at, n, out);
		FUZZ_CHECK(cb.nheld <= sizeof(cb.held));
		at += n;
	}
	clipboard_finish(&cb, out);
}

/* Terminals act on these, or ignore them, inside of a sequence. */
static bool
is_ignored(char c)
{
	unsigned char u = (unsigned char)c;
	return (u < 0x20 || u == 0x7f) && u != 0x18 && u != 0x1a && u != 0x1b &&
	    u != 0x07;
}

static const char *
skip_ignored(const char *p, const char *end)
{
	while (p < end && is_ignored(*p))
		p++;
	return p;
}

/* Whether an operating system command that starts here is the clipboard's. */
static bool
is_clipboard(const char *p, const char *end)
{
	unsigned int number = 0;
	for (p = skip_ignored(p, end); p < end && *p >= '0' && *p <= '9';
	     p = skip_ignored(p + 1, end))
		number = (number * 10 + (unsigned int)(*p - '0')) % 1000000;
	if (p == end || *p != ';')
		return false;
	if (number == 52 || number == 5522)
		return true;
	if (number != 1337)
		return false;
	for (const char *word = "Copy"; *word != '\0'; word++) {
		p = skip_ignored(p + 1, end);
		if (p == end || *p != *word)
			return false;
	}
	return true;
}

/* How many continuation bytes the character before p still waits for. */
static unsigned int
continues(const char *start, const char *p)
{
	unsigned int seen = 0;
	while (p > start && seen < 4) {
		unsigned char c = (unsigned char)*--p;
		if (c < 0x80)
			return 0;
		unsigned int need = c >= 0xf0 ? 3
		    : c >= 0xe0               ? 2
		    : c >= 0xc2               ? 1
					      : 0;
		if (c >= 0xc0)
			return need > seen ? need - seen : 0;
		seen++;
	}
	return 0;
}

/* A terminal's eyes: each introducer, wherever it stands. */
static bool
moves_clipboard(const char *text, size_t len)
{
	const char *end = text + len;
	for (const char *p = text; p < end; p++) {
		unsigned char c = (unsigned char)*p;
		if (c == 0x1b) {
			const char *next = skip_ignored(p + 1, end);
			while (next < end && *next == 0x07)
				next = skip_ignored(next + 1, end);
			if (next < end && *next == ']' &&
			    is_clipboard(next + 1, end))
				return true;
		}
		/* U+009D is the bytes c2 9d; 8-bit terminals know 9d alone. */
		bool c1 = c == 0x9d &&
		    (continues(text, p) == 0 ||
			(p > text && (unsigned char)p[-1] == 0xc2));
		if (c1 && is_clipboard(p + 1, end))
			return true;
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct strbuf whole cleanup_strbuf = STRBUF_INIT;
	struct strbuf cut cleanup_strbuf = STRBUF_INIT;

	uint32_t seed = fuzz_take(&in) + 1;
	filter(&in, 0, &whole);
	filter(&in, seed, &cut);
	FUZZ_CHECK(whole.len == cut.len);
	FUZZ_CHECK(memcmp(whole.buf, cut.buf, whole.len) == 0);
	FUZZ_CHECK(whole.len <= in.size);
	FUZZ_CHECK(!moves_clipboard(whole.buf, whole.len));

	/* Nothing that could introduce one: nothing is changed. */
	bool plain = true;
	for (size_t i = 0; i < in.size; i++)
		plain = plain && in.data[i] != 0x1b && in.data[i] != 0x9d;
	if (plain)
		FUZZ_CHECK(whole.len == in.size &&
		    (whole.len == 0 ||
			memcmp(whole.buf, in.data, whole.len) == 0));
	return 0;
}
