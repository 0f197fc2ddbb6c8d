/* SPDX-License-Identifier: MIT */
/* What yajl does not look for in a document's text. */
#include "base/json-text.h"

size_t
json_line_of(const char *text, size_t offset)
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

/*
 * A backslash stands nowhere but in strings, so no more of the grammar is
 * needed; malformed escapes are yajl's to refuse.
 */
bool
json_find_lone_surrogate(const char *text, size_t len, size_t *ret_offset)
{
	size_t i = 0;

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

bool
json_find_foreign_blank(const char *text, size_t len, size_t *ret_offset)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\v' || text[i] == '\f') {
			*ret_offset = i;
			return true;
		}
	}
	return false;
}
