/* SPDX-License-Identifier: MIT */
/*
 * The states are those of the VT500 (vt100.net/emu/dec_ansi_parser), with
 * UTF-8, and without features on which terminals disagree.
 */
#include "terminal/vt.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/utf8.h"

#define ESC 0x1b
#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a
#define DEL 0x7f

/* The receiver of the tokens of one call. */
struct sink_fn {
	vt_token_fn *token;
	void *arg;
};

static void parse_byte(
    struct vt *vt, unsigned char c, const struct sink_fn *to);

static void
emit(const struct sink_fn *to, enum vt_kind kind, const char *body, size_t len)
{
	struct vt_token token = { kind, body, len, false };
	to->token(to->arg, &token);
}

static bool
is_control(unsigned char c)
{
	return c < 0x20 || c == DEL;
}

static void
start(struct vt *vt, enum vt_state state)
{
	vt->state = state;
	vt->bad = false;
	strbuf_reset(&vt->held);
}

static void
hold(struct vt *vt, const char *data, size_t len, size_t max)
{
	if (vt->held.len + len > max)
		vt->bad = true;
	else
		strbuf_add(&vt->held, data, len);
}

/* Frees the memory of a long string. */
static void
finish(struct vt *vt, enum vt_kind kind, bool bell, const struct sink_fn *to)
{
	struct vt_token token = { kind, vt->held.buf, vt->held.len, bell };
	vt->state = VT_GROUND;
	if (!vt->bad)
		to->token(to->arg, &token);
	if (vt->held.alloc > VT_SEQUENCE_MAX)
		strbuf_release(&vt->held);
}

/* Handles a byte after ESC and possibly intermediates. */
static void
in_escape(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	static const struct {
		char c;
		enum vt_kind kind;
	} strings[] = { { ']', VT_OSC }, { 'P', VT_DCS }, { '_', VT_APC },
		{ '^', VT_PM }, { 'X', VT_SOS }, { 'k', VT_TITLE } };
	char byte = (char)c;
	if (c == '[' && vt->held.len == 0) {
		start(vt, VT_IN_CSI);
		return;
	}
	for (size_t i = 0; vt->held.len == 0 && i < ARRAY_SIZE(strings); i++) {
		if (byte == strings[i].c) {
			start(vt, VT_IN_STRING);
			vt->kind = strings[i].kind;
			return;
		}
	}
	hold(vt, &byte, 1, 4);
	if (c >= 0x30)
		finish(vt, VT_ESCAPE, false, to);
}

/* U+0080 to U+009F mean ESC and a byte from 0x40 to 0x5f. */
static void
on_c1(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	if (c == 0x9c && vt->state == VT_IN_STRING) {
		finish(vt, vt->kind, false, to);
		return;
	}
	start(vt, VT_IN_ESCAPE);
	in_escape(vt, (unsigned char)(c - 0x40), to);
}

/* Handles a complete character beyond ASCII. */
static void
on_character(struct vt *vt, uint32_t cp, const struct sink_fn *to)
{
	if (cp < 0xa0)
		on_c1(vt, (unsigned char)cp, to);
	else if (vt->state == VT_IN_STRING)
		hold(vt, vt->character, vt->ncharacter, VT_STRING_MAX);
	else
		emit(to, VT_TEXT, vt->character, vt->ncharacter);
}

/*
 * Handles a byte that is not valid UTF-8, or any byte for a narrow terminal.
 * Some terminals take a byte from 0x80 to 0x9f for a control and some do not,
 * so no terminal gets it.
 */
static void
on_stray(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char byte = (char)c;
	if (vt->state == VT_IN_STRING && c == 0x9c)
		finish(vt, vt->kind, false, to);
	else if (vt->state == VT_IN_STRING && vt->narrow && c >= 0xa0)
		hold(vt, &byte, 1, VT_STRING_MAX);
	else if (vt->state == VT_IN_STRING)
		vt->bad = true;
	else if (c >= 0xa0)
		emit(to, VT_TEXT, &byte, 1);
	else if (vt->narrow)
		emit(to, VT_TEXT, "?", 1);
	else
		emit(to, VT_TEXT, replacement, sizeof(replacement) - 1);
}

static void
flush_strays(struct vt *vt, const struct sink_fn *to)
{
	char bytes[sizeof(vt->character)];
	size_t n = vt->ncharacter;
	memcpy(bytes, vt->character, sizeof(bytes));
	vt->ncharacter = 0;
	for (size_t i = 0; i < n; i++)
		on_stray(vt, (unsigned char)bytes[i], to);
}

/* Handles a byte from 0x80 on, in text or in a string. */
static void
on_high(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	uint32_t cp;
	if (vt->ncharacter > 0 && c >= 0xc0)
		flush_strays(vt, to);
	if (vt->narrow || (vt->ncharacter == 0 && utf8_size(c) == 0)) {
		on_stray(vt, c, to);
		return;
	}
	vt->character[vt->ncharacter++] = (char)c;
	if (vt->ncharacter < utf8_size((unsigned char)vt->character[0]))
		return;
	if (utf8_decode(vt->character, vt->ncharacter, &cp) == 0) {
		flush_strays(vt, to);
		return;
	}
	on_character(vt, cp, to);
	vt->ncharacter = 0;
}

/*
 * The Linux console has two commands without a terminator: ESC ] R, and ESC ] P
 * with seven hex digits.
 */
static bool
is_console_palette(const struct vt *vt)
{
	const char *s = vt->held.buf;
	if (vt->kind != VT_OSC || vt->held.len == 0)
		return false;
	return (vt->held.len == 1 && s[0] == 'R') ||
	    (vt->held.len == 8 && s[0] == 'P' &&
		strspn(s + 1, "0123456789abcdefABCDEF") == 7);
}

/*
 * Drops controls: the body that is judged must be the body that a terminal
 * gets.
 */
static void
in_string(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	char byte = (char)c;
	if (c == ESC) {
		vt->state = VT_IN_STRING_ESCAPE;
	} else if (c == CAN || c == SUB) {
		vt->state = VT_GROUND;
	} else if (c == BEL && vt->kind == VT_OSC) {
		finish(vt, vt->kind, true, to);
	} else if (!is_control(c)) {
		hold(vt, &byte, 1, VT_STRING_MAX);
		if (is_console_palette(vt))
			vt->state = VT_GROUND;
	}
}

/* In a wrapper of tmux each ESC is doubled. */
static void
in_string_escape(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	if (c == '\\') {
		finish(vt, vt->kind, false, to);
	} else if (c == ESC && vt->kind == VT_DCS &&
	    strncmp(vt->held.buf, "tmux;", 5) == 0) {
		vt->bad = true;
		vt->state = VT_IN_STRING;
	} else {
		start(vt, VT_IN_ESCAPE);
		parse_byte(vt, c, to);
	}
}

/* Handles a byte in an escape sequence or a CSI. */
static void
in_sequence(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	char byte = (char)c;
	if (c >= 0x80) {
		vt->state = VT_GROUND;
		on_high(vt, c, to);
	} else if (c == ESC) {
		start(vt, VT_IN_ESCAPE);
	} else if (c == CAN || c == SUB) {
		vt->state = VT_GROUND;
	} else if (is_control(c)) {
		emit(to, VT_CONTROL, &byte, 1);
	} else if (vt->state == VT_IN_ESCAPE) {
		in_escape(vt, c, to);
	} else {
		hold(vt, &byte, 1, VT_SEQUENCE_MAX);
		if (c >= 0x40)
			finish(vt, VT_CSI, false, to);
	}
}

static void
in_ground(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	char byte = (char)c;
	if (c == ESC)
		start(vt, VT_IN_ESCAPE);
	else if (is_control(c) && c != CAN && c != SUB)
		emit(to, VT_CONTROL, &byte, 1);
	else if (!is_control(c))
		emit(to, VT_TEXT, &byte, 1);
}

static void
parse_byte(struct vt *vt, unsigned char c, const struct sink_fn *to)
{
	bool characters = vt->state == VT_GROUND || vt->state == VT_IN_STRING;
	if (c >= 0x80 && characters) {
		on_high(vt, c, to);
		return;
	}
	/* A stray byte (0x9c) may end the current string. */
	if (vt->ncharacter > 0)
		flush_strays(vt, to);
	switch (vt->state) {
	case VT_GROUND:
		in_ground(vt, c, to);
		break;
	case VT_IN_ESCAPE:
	case VT_IN_CSI:
		in_sequence(vt, c, to);
		break;
	case VT_IN_STRING:
		in_string(vt, c, to);
		break;
	case VT_IN_STRING_ESCAPE:
		in_string_escape(vt, c, to);
		break;
	}
}

void
vt_parse(
    struct vt *vt, const char *data, size_t len, vt_token_fn *token, void *arg)
{
	struct sink_fn to = { token, arg };
	for (size_t i = 0; i < len;) {
		size_t n = 0;
		while (vt->state == VT_GROUND && vt->ncharacter == 0 &&
		    i + n < len && data[i + n] >= 0x20 && data[i + n] < DEL)
			n++;
		if (n > 0)
			emit(&to, VT_TEXT, data + i, n);
		else
			parse_byte(vt, (unsigned char)data[i], &to);
		i += n > 0 ? n : 1;
	}
}

void
vt_release(struct vt *vt)
{
	bool narrow = vt->narrow;
	strbuf_release(&vt->held);
	*vt = (struct vt)VT_INIT;
	vt->narrow = narrow;
}

bool
vt_read_csi(const struct vt_token *token, struct vt_csi *ret)
{
	const char *at = token->body;
	const char *end = at + token->len;
	size_t ni = 0;
	if (token->kind != VT_CSI || token->len == 0 ||
	    token->len > VT_SEQUENCE_MAX)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->n = 1;
	if (*at >= '<' && *at <= '?')
		ret->prefix = *at++;
	for (bool sub = false; at < end && *at >= '0' && *at <= ';'; at++) {
		unsigned int *v = &ret->v[ret->n - 1];
		if (*at == ';')
			ret->n++;
		if (*at == ';' || *at == ':')
			sub = *at == ':';
		else if (!sub && *v < 100000)
			*v = *v * 10 + (unsigned int)(*at - '0');
	}
	for (; at < end && *at >= ' ' && *at < '0'; at++) {
		if (ni == sizeof(ret->intermediate) - 1)
			return false;
		ret->intermediate[ni++] = *at;
	}
	if (at != end - 1)
		return false;
	ret->final = *at;
	return true;
}
