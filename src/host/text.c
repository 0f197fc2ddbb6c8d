/* SPDX-License-Identifier: MIT */
/* text: validators for words, a line reader, and the nearest of names. */

#include "host/text.h"

#include <bsd/stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/ascii.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
text_is_plain(const char *s)
{
	size_t len = strlen(s);
	size_t n;

	for (; len > 0; s += n, len -= n) {
		uint32_t cp = 0;

		n = utf8_decode(s, len, &cp);
		/*
		 * C0, DEL and C1 controls, and U+FFFE and U+FFFF, which Compose
		 * rejects as controls.
		 */
		if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) ||
		    cp == 0xfffe || cp == 0xffff)
			return false;
	}
	return true;
}

char
text_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

char
text_upper(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	return c;
}

bool
text_decimal(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
	const char *problem = NULL;
	long long value = strtonum(text, min, max, &problem);

	/* strtonum() accepts blanks and a sign in front of the digits. */
	if (problem != NULL || text[strspn(text, "0123456789")] != '\0')
		return false;
	*ret_value = value;
	return true;
}

bool
text_ends_with(const char *s, const char *end)
{
	size_t len = strlen(s);
	size_t n = strlen(end);

	return len > n && strcmp(s + len - n, end) == 0;
}

bool
text_is_below(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (path[len] == '\0')
			return true;
		path += len + 1;
	}
}

bool
text_is_variable(const char *s)
{
	return *s != '\0' && (*s < '0' || *s > '9') &&
	    s[strspn(s, ASCII_ALNUM "_")] == '\0';
}

const char *
text_check_variable(const char *s)
{
	return text_is_variable(s) ? NULL : "is not the name of a variable";
}

/* Returns true if a line without its line end is text.  Tabs are allowed. */
static bool
line_is_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return utf8_valid(s, len);
}

/* Takes the next line without its line end; false at the end of the text. */
static bool
raw_next(struct lines *lines, const char **ret_start, size_t *ret_len)
{
	const char *start = lines->at;
	const char *nl;
	size_t len;

	if (start == lines->end)
		return false;
	nl = memchr(start, '\n', (size_t)(lines->end - start));
	len = (size_t)((nl != NULL ? nl : lines->end) - start);
	lines->at = nl != NULL ? nl + 1 : lines->end;
	lines->number++;
	if (len > 0 && start[len - 1] == '\r')
		len--;
	*ret_start = start;
	*ret_len = len;
	return true;
}

int
lines_init(struct lines *lines, const char *name, const char *text, size_t len,
    size_t max, struct diag *dg)
{
	struct lines check = { name, text, text + len, 0 };
	const char *start;
	size_t n;

	if (len > max)
		return diag_set(
		    dg, DIAG_CONFIG, "%s: larger than %zu bytes", name, max);
	while (raw_next(&check, &start, &n)) {
		if (!line_is_text(start, n))
			return diag_set(dg, DIAG_CONFIG,
			    "%s:%zu: not plain UTF-8 text", name, check.number);
	}
	*lines = (struct lines){ name, text, text + len, 0 };
	return 0;
}

bool
lines_next(struct lines *lines, struct strbuf *line)
{
	const char *start;
	size_t len;

	while (raw_next(lines, &start, &len)) {
		while (len > 0 && is_blank(*start)) {
			start++;
			len--;
		}
		while (len > 0 && is_blank(start[len - 1]))
			len--;
		if (len == 0 || *start == '#')
			continue;
		strbuf_reset(line);
		strbuf_add(line, start, len);
		return true;
	}
	return false;
}

void
lines_cut_comment(struct strbuf *line)
{
	size_t len = line->len;

	for (size_t i = 0; i < line->len; i++) {
		if (line->buf[i] == '#' &&
		    (i == 0 || is_blank(line->buf[i - 1]))) {
			len = i;
			break;
		}
	}
	while (len > 0 && is_blank(line->buf[len - 1]))
		len--;
	strbuf_setlen(line, len);
}

void
text_add_line(struct strbuf *text, const char *line)
{
	const char *first = strchr(text->buf, '\n');
	const char *end =
	    first != NULL && first > text->buf && first[-1] == '\r' ? "\r\n"
								    : "\n";

	if (text->len > 0 && text->buf[text->len - 1] != '\n')
		strbuf_addstr(text, end);
	strbuf_addf(text, "%s%s", line, end);
}

/* A longer word is not compared; this bounds the matrix. */
#define NEAREST_MAX 40

/*
 * Optimal string alignment distance of two words of at most NEAREST_MAX bytes.
 */
static size_t
distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t d[NEAREST_MAX + 1][NEAREST_MAX + 1];

	for (size_t i = 0; i <= alen; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= blen; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		for (size_t j = 1; j <= blen; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
			size_t best = d[i - 1][j - 1] + cost;

			best = MIN(best, MIN(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				best = MIN(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[alen][blen];
}

void
nearest_init(struct nearest *n, const char *word)
{
	n->word = word;
	n->name = NULL;
	n->distance = 1 + strlen(word) / 4;
}

void
nearest_offer(struct nearest *n, const char *name)
{
	size_t wlen = strlen(n->word);
	size_t nlen = strlen(name);
	size_t found;

	if (wlen == 0 || wlen > NEAREST_MAX || nlen > NEAREST_MAX)
		return;
	/* Each byte that one of them is longer is an edit. */
	if (MAX(wlen, nlen) - MIN(wlen, nlen) > n->distance)
		return;
	found = distance(n->word, wlen, name, nlen);
	if (found < n->distance || (found == n->distance && n->name == NULL)) {
		n->distance = found;
		n->name = name;
	}
}
