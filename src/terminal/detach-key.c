/* SPDX-License-Identifier: MIT */
/* Finds the detach key in each encoding that terminals use for keys. */
#include "terminal/detach-key.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/utf8.h"

/* Modifier bits of kitty and xterm, which send the bits plus 1. */
#define MODIFIER_SHIFT 1U
#define MODIFIER_CTRL 4U
/* Caps lock and num lock are sent as modifiers too. */
#define MODIFIERS_LOCK (64U | 128U)

#define RELEASE 3U

/* Bits of dwControlKeyState: either Alt key, either Ctrl key. */
#define WIN32_ALT 3U
#define WIN32_CTRL 12U

#define NUMBERS_MAX 6
#define PARTS_MAX 3

int
detach_key_parse(const char *text)
{
	static const char prefix[] = "ctrl-";
	size_t len = sizeof(prefix) - 1;
	if (strncmp(text, prefix, len) != 0 || text[len] == '\0')
		return -1;
	return text[len] & 0x1f;
}

/* Parameters, separated by ";", with sub-parameters by ":"; 0 if missing. */
struct numbers {
	size_t n;
	unsigned int v[NUMBERS_MAX][PARTS_MAX];
};

static bool
is_key_code(int key, unsigned int code)
{
	if (key == 0 && code == ' ')
		return true;
	return code >= 0x40 && code < 0x7f &&
	    (code & 0x1f) == (unsigned int)key;
}

/* Returns true for Ctrl plus also.  Any other modifier makes another key. */
static bool
is_ctrl(unsigned int modifiers, unsigned int also)
{
	return modifiers > 0 &&
	    ((modifiers - 1) & ~MODIFIERS_LOCK) == (MODIFIER_CTRL | also);
}

/*
 * Parameters: code : shifted : base ; modifiers : event ; text.  base is the
 * key's code in the US English PC layout.  It counts too, for users of other
 * layouts.
 */
static bool
is_kitty_key(int key, const struct numbers *in)
{
	unsigned int modifiers = in->v[1][0];
	if (in->v[1][1] == RELEASE)
		return false;
	/* A symbol may need Shift.  With a letter, Shift makes another key. */
	if (is_ctrl(modifiers, MODIFIER_SHIFT))
		return (key == 0 || key > 26) &&
		    in->v[0][1] == (0x40U | (unsigned int)key);
	return is_ctrl(modifiers, 0) &&
	    (is_key_code(key, in->v[0][0]) || is_key_code(key, in->v[0][2]));
}

/* A character without a key, such as pasted text, has virtual key 0. */
static bool
is_win32_key(int key, const struct numbers *in)
{
	/* VK_OEM_4, VK_OEM_5 and VK_OEM_6: [ \ ] on a US English keyboard. */
	static const unsigned int signs[] = {
		[0x1b] = 0xdb, [0x1c] = 0xdc, [0x1d] = 0xdd
	};
	unsigned int virtual_key = in->v[0][0];
	unsigned int character = in->v[2][0];
	unsigned int state = in->v[4][0];
	unsigned int named = 0;
	if (in->v[3][0] == 0)
		return false;
	if (virtual_key == 0)
		return character == (unsigned int)key && key != 0;
	if ((state & WIN32_CTRL) == 0)
		return false;
	if (character != 0)
		return character == (unsigned int)key;
	if (key >= 1 && key <= 26)
		named = 0x40 + (unsigned int)key;
	else if (key > 0 && (size_t)key < ARRAY_SIZE(signs))
		named = signs[key];
	else if (key == 0)
		named = ' ';
	return named == virtual_key && (state & WIN32_ALT) == 0;
}

static bool
is_key(int key, char final, const struct numbers *in)
{
	if (final == 'u')
		return is_kitty_key(key, in);
	if (final == '_')
		return is_win32_key(key, in);
	return final == '~' && in->v[0][0] == 27 && is_ctrl(in->v[1][0], 0) &&
	    is_key_code(key, in->v[2][0]);
}

enum found {
	FOUND_OTHER,
	FOUND_KEY,
	FOUND_PART /* more bytes are needed */
};

/* Returns the length of CSI at s: 0 for none, len + 1 if it is incomplete. */
static size_t
csi_len(const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];
	if (c == 0x9b)
		return 1;
	if (c != 0x1b && c != 0xc2)
		return 0;
	if (len == 1)
		return 2;
	return s[1] == (c == 0x1b ? '[' : '\x9b') ? 2 : 0;
}

static enum found
look(int key, const char *s, size_t len)
{
	struct numbers in = { 0 };
	size_t part = 0;
	size_t at = csi_len(s, len);
	if (s[0] == (char)key)
		return FOUND_KEY;
	if (at == 0)
		return FOUND_OTHER;
	for (; at < len && at < DETACH_KEY_MAX; at++) {
		char c = s[at];
		unsigned int *v = &in.v[in.n][part];
		if (c >= '0' && c <= '9' && *v < 10000000) {
			*v = *v * 10 + (unsigned int)(c - '0');
		} else if (c == ':' && part < PARTS_MAX - 1) {
			part++;
		} else if (c == ';' && in.n < NUMBERS_MAX - 1) {
			in.n++;
			part = 0;
		} else {
			return is_key(key, c, &in) ? FOUND_KEY : FOUND_OTHER;
		}
	}
	return at >= DETACH_KEY_MAX ? FOUND_OTHER : FOUND_PART;
}

/*
 * Returns the length of the UTF-8 character at s, or 0 when it is cut off.  A
 * byte inside a character must not be taken for a C1 control.
 */
static size_t
character_len(const char *s, size_t len)
{
	size_t n = utf8_size((unsigned char)s[0]);
	size_t i = 1;
	while (i < n && i < len && ((unsigned char)s[i] & 0xc0) == 0x80)
		i++;
	return i == len && i < n ? 0 : i;
}

bool
detach_key_find(struct detach_key *k, const char *input, size_t len,
    struct strbuf *ret_typed)
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	if (k->key == -1) {
		strbuf_add(ret_typed, input, len);
		return false;
	}
	strbuf_add(&all, k->held, k->nheld);
	strbuf_add(&all, input, len);
	k->nheld = 0;
	for (size_t at = 0; at < all.len;) {
		const char *s = all.buf + at;
		size_t left = all.len - at;
		size_t n = character_len(s, left);
		enum found found = look(k->key, s, left);
		if (found == FOUND_KEY)
			return true;
		if (found == FOUND_PART || n == 0) {
			memcpy(k->held, s, left);
			k->nheld = left;
			return false;
		}
		strbuf_add(ret_typed, s, n);
		at += n;
	}
	return false;
}

void
detach_key_flush(struct detach_key *k, struct strbuf *ret_typed)
{
	strbuf_add(ret_typed, k->held, k->nheld);
	k->nheld = 0;
}
