/* SPDX-License-Identifier: MIT */
/* text: validators for words, and a line reader. */

#include "host/text.h"

#include <bsd/stdlib.h>
#include <string.h>

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
	if (*s == '\0' || (*s >= '0' && *s <= '9'))
		return false;
	for (; *s != '\0'; s++) {
		if ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
		    (*s >= 'A' && *s <= 'Z') || *s == '_')
			continue;
		return false;
	}
	return true;
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
