/* SPDX-License-Identifier: MIT */
/* A growing byte string, and escaping for terminals and shells. */
#include "base/strbuf.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "base/xalloc.h"

/* The buffer of every empty strbuf; never written. */
char strbuf_empty[1];

void
strbuf_init(struct strbuf *sb)
{
	sb->len = 0;
	sb->alloc = 0;
	sb->buf = strbuf_empty;
}

void
strbuf_release(struct strbuf *sb)
{
	if (sb->alloc > 0)
		free(sb->buf);
	strbuf_init(sb);
}

void
strbuf_reset(struct strbuf *sb)
{
	strbuf_setlen(sb, 0);
}

void
strbuf_reserve(struct strbuf *sb, size_t extra)
{
	size_t need;
	size_t alloc;

	/* An overflow becomes a size that no allocator grants. */
	if (__builtin_add_overflow(sb->len, extra, &need) ||
	    __builtin_add_overflow(need, 1, &need))
		need = SIZE_MAX;
	if (need <= sb->alloc)
		return;
	alloc = sb->alloc < SIZE_MAX / 2 ? sb->alloc * 2 : need;
	if (alloc < need)
		alloc = need;
	if (alloc < 32)
		alloc = 32;
	sb->buf = xreallocarray(sb->alloc > 0 ? sb->buf : NULL, alloc, 1);
	sb->alloc = alloc;
	sb->buf[sb->len] = '\0';
}

void
strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (len == 0)
		return;
	strbuf_reserve(sb, len);
	memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void
strbuf_addstr(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void
strbuf_addch(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void
strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void
strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is copied */
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(n >= 0);
	if (n <= 0)
		return;
	strbuf_reserve(sb, (size_t)n);
	(void)vsnprintf(sb->buf + sb->len, (size_t)n + 1, fmt, ap);
	sb->len += (size_t)n;
}

void
strbuf_setlen(struct strbuf *sb, size_t len)
{
	assert(len <= sb->len);
	sb->len = len;
	if (sb->alloc > 0)
		sb->buf[len] = '\0';
}

bool
strbuf_equal(const struct strbuf *a, const struct strbuf *b)
{
	return a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0;
}

char *
strbuf_detach(struct strbuf *sb, size_t *ret_len)
{
	char *s;

	strbuf_reserve(sb, 0);
	s = sb->buf;
	if (ret_len != NULL)
		*ret_len = sb->len;
	strbuf_init(sb);
	return s;
}

/*
 * Control characters command a terminal.  Separators and direction marks split
 * or reorder the text that a person reads.
 */
static bool
cp_is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
	    (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	    cp == 0x200e || cp == 0x200f || cp == 0x061c || cp == 0xfeff;
}

static void
add_octal(struct strbuf *sb, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		strbuf_addf(sb, "\\%03o", (unsigned int)(unsigned char)s[i]);
}

void
strbuf_add_escaped(struct strbuf *sb, const char *s, size_t len)
{
	while (len > 0) {
		uint32_t cp = 0;
		size_t n = utf8_decode(s, len, &cp);

		if (n == 0) {
			add_octal(sb, s, 1);
			n = 1;
		} else if (cp == '\n') {
			strbuf_addstr(sb, "\\n");
		} else if (cp == '\t') {
			strbuf_addstr(sb, "\\t");
		} else if (cp == '\r') {
			strbuf_addstr(sb, "\\r");
		} else if (cp == '\\') {
			strbuf_addstr(sb, "\\\\");
		} else if (cp_is_unsafe(cp)) {
			add_octal(sb, s, n);
		} else {
			strbuf_add(sb, s, n);
		}
		s += n;
		len -= n;
	}
}

void
strbuf_add_shell_quoted(struct strbuf *sb, const char *s)
{
	/* '=' is quoted: A=b as the first word would be an assignment. */
	static const char plain[] = ASCII_ALNUM "_@%+:,./-";

	if (*s != '\0' && s[strspn(s, plain)] == '\0') {
		strbuf_addstr(sb, s);
		return;
	}
	strbuf_addch(sb, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			strbuf_addstr(sb, "'\\''");
		else
			strbuf_addch(sb, *s);
	}
	strbuf_addch(sb, '\'');
}

void
strbuf_add_replaced(
    struct strbuf *sb, const char *text, const char *mark, const char *value)
{
	for (const char *at; (at = strstr(text, mark)) != NULL;
	     text = at + strlen(mark)) {
		strbuf_add(sb, text, (size_t)(at - text));
		strbuf_addstr(sb, value);
	}
	strbuf_addstr(sb, text);
}

void
strbuf_add_quoted(struct strbuf *sb, const char *s)
{
	strbuf_addch(sb, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_addch(sb, '\\');
		strbuf_addch(sb, *s);
	}
	strbuf_addch(sb, '"');
}
