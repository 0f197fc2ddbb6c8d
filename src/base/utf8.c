/* SPDX-License-Identifier: MIT */
/* A strict UTF-8 decoder. */
#include "base/utf8.h"

#include <string.h>

size_t
utf8_size(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first >= 0xf5)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t
utf8_decode(const char *s, size_t len, uint32_t *ret_cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t need;
	uint32_t cp;

	if (len == 0)
		return 0;
	cp = (unsigned char)s[0];
	need = utf8_size((unsigned char)s[0]);
	if (need == 0 || len < need)
		return 0;
	if (need == 1) {
		*ret_cp = cp;
		return 1;
	}
	cp &= 0x7fU >> need;
	for (size_t i = 1; i < need; i++) {
		uint32_t c = (unsigned char)s[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (c & 0x3f);
	}
	if (cp < least[need] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return 0;
	*ret_cp = cp;
	return need;
}

/* Returns the length of a prefix of ASCII: whole words, for speed. */
static size_t
ascii_words(const char *s, size_t len)
{
	size_t done = 0;
	uint64_t word;

	for (; len - done >= sizeof(word); done += sizeof(word)) {
		memcpy(&word, s + done, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return done;
}

size_t
utf8_valid_prefix(const char *text, size_t len)
{
	size_t done = 0;

	while (done < len) {
		uint32_t cp;
		size_t n = ascii_words(text + done, len - done);

		if (n == 0)
			n = utf8_decode(text + done, len - done, &cp);
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

bool
utf8_valid(const char *s, size_t len)
{
	return utf8_valid_prefix(s, len) == len;
}
