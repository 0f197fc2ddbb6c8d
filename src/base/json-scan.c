/* SPDX-License-Identifier: MIT */
/* yajl, and what it does not look for in a document's text. */
#include "base/json-scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/utf8.h"

/* From 1. */
static size_t
line_of(const char *text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static bool
hex4(const char *s, size_t len, unsigned int *ret_value)
{
	unsigned int value = 0;

	if (len < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		unsigned int c = (unsigned char)s[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			c = (c | 0x20) - 'a' + 10;
		else
			return false;
		value = value << 4 | c;
	}
	*ret_value = value;
	return true;
}

bool
json_scan_find_lone_surrogate(
    const char *text, size_t len, size_t from, size_t *ret_offset)
{
	size_t i = from;

	while (i + 1 < len) {
		unsigned int high;
		unsigned int low;

		if (text[i] != '\\') {
			i++;
			continue;
		}
		if (text[i + 1] != 'u' ||
		    !hex4(text + i + 2, len - i - 2, &high) ||
		    (high & 0xf800) != 0xd800) {
			i += 2;
			continue;
		}
		*ret_offset = i;
		if (high >= 0xdc00 || len - i < 12 || text[i + 6] != '\\' ||
		    text[i + 7] != 'u' || !hex4(text + i + 8, 4, &low) ||
		    (low & 0xfc00) != 0xdc00)
			return true;
		i += 12;
	}
	return false;
}

/* Vertical tabs and form feeds are blanks to yajl, not to JSON. */
static bool
find_foreign_blank(const char *text, size_t len, size_t *ret_offset)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\v' || text[i] == '\f') {
			*ret_offset = i;
			return true;
		}
	}
	return false;
}

static int
fail_at(const char *text, size_t offset, const char *what, const char *why,
    struct diag *dg)
{
	return diag_set(dg, DIAG_DATA, "%s: line %zu: %s", what,
	    line_of(text, offset), why);
}

int
json_scan_check(const char *text, size_t len, const char *what, struct diag *dg)
{
	size_t offset = utf8_valid_prefix(text, len);

	if (offset < len)
		return fail_at(text, offset, what, "not UTF-8", dg);
	if (json_scan_find_lone_surrogate(text, len, 0, &offset))
		return fail_at(text, offset, what, "half a surrogate pair", dg);
	if (find_foreign_blank(text, len, &offset))
		return fail_at(text, offset, what, "a control character", dg);
	return 0;
}

/* Says in scan->why, if nobody has, why it is not ok. */
static yajl_status
parse(struct json_scan *scan, const char *text, size_t len, size_t *ret_offset)
{
	const unsigned char *bytes = (const unsigned char *)text;
	yajl_status status = yajl_parse(scan->yajl, bytes, len);

	*ret_offset = status == yajl_status_ok
	    ? len
	    : yajl_get_bytes_consumed(scan->yajl);
	/*
	 * Behind a whole document yajl forgives a token that is cut off; at a
	 * line's end it sees that there is none.
	 */
	if (status == yajl_status_ok && scan->begun && scan->depth == 0)
		status = yajl_parse(scan->yajl, (const unsigned char *)"\n", 1);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(scan->yajl);
	if (status == yajl_status_error) {
		unsigned char *words =
		    yajl_get_error(scan->yajl, 0, bytes, len);
		const char *s = (const char *)words;

		strbuf_add(&scan->why, s, strcspn(s, "\n"));
		yajl_free_error(scan->yajl, words);
	}
	return status;
}

int
json_scan_run(struct json_scan *scan, const yajl_callbacks *callbacks,
    const char *text, size_t len, const char *what, struct diag *dg)
{
	size_t offset = len;
	int rc = 0;

	scan->yajl = yajl_alloc(callbacks, NULL, scan);
	if (scan->yajl == NULL)
		abort(); /* as xalloc does: there is no memory */
	if (parse(scan, text, len, &offset) != yajl_status_ok || !scan->begun)
		rc = fail_at(text, offset < len ? offset : len, what,
		    scan->why.len > 0 ? scan->why.buf : "no value", dg);
	yajl_free(scan->yajl);
	scan->yajl = NULL;
	strbuf_release(&scan->why);
	return rc;
}
