/* SPDX-License-Identifier: MIT */
/* A filter for clipboard sequences, one byte at a time. */
#include "session/clipboard.h"

#include <string.h>

#include "base/strbuf.h"

#define ESC '\033'
#define BEL '\007'
#define CAN '\030'
#define SUB '\032'
#define C1_OSC 0x9d
#define C1_ST 0x9c

static void
release_held(struct clipboard *cb, struct strbuf *out)
{
	strbuf_add(out, cb->held, cb->nheld);
	cb->nheld = 0;
}

/* false when there is no room: more than any name that counts. */
static bool
hold(struct clipboard *cb, char c)
{
	if (cb->nheld == sizeof(cb->held))
		return false;
	cb->held[cb->nheld++] = c;
	return true;
}

/*
 * Tells a C1 control from the middle of a UTF-8 character: as a byte of its
 * own, or as the second one of U+0080 to U+009F.
 */
static bool
is_c1(struct clipboard *cb, unsigned char c, unsigned char control)
{
	return c == control && (cb->c2 || cb->continues == 0);
}

static void
track_utf8(struct clipboard *cb, unsigned char c)
{
	cb->c2 = c == 0xc2;
	if (c >= 0xf0)
		cb->continues = 3;
	else if (c >= 0xe0)
		cb->continues = 2;
	else if (c >= 0xc2)
		cb->continues = 1;
	else if (c >= 0x80 && c < 0xc0 && cb->continues > 0)
		cb->continues--;
	else
		cb->continues = 0;
}

static void
start_name(struct clipboard *cb)
{
	cb->state = CLIPBOARD_NAME;
	cb->name = cb->nheld;
	cb->continues = 0;
	cb->c2 = false;
}

static void
on_text(struct clipboard *cb, char c, struct strbuf *out)
{
	unsigned char u = (unsigned char)c;
	bool osc = is_c1(cb, u, C1_OSC);
	if (c == ESC) {
		release_held(cb, out);
		(void)hold(cb, c);
		cb->escapes = 1;
		cb->state = CLIPBOARD_ESCAPES;
		track_utf8(cb, u);
		return;
	}
	if (osc) {
		cb->escapes = 1;
		(void)hold(cb, c);
		start_name(cb);
		return;
	}
	release_held(cb, out);
	track_utf8(cb, u);
	if (cb->c2) {
		(void)hold(cb, c);
	} else {
		cb->open = false;
		strbuf_add(out, &c, 1);
	}
}

/* Inside a sequence terminals ignore these or obey them and read on. */
static bool
is_transparent(char c)
{
	unsigned char u = (unsigned char)c;
	return (u < 0x20 || u == 0x7f) && c != CAN && c != SUB && c != ESC;
}

static void
on_escapes(struct clipboard *cb, char c, struct strbuf *out)
{
	if (c == ESC) {
		cb->escapes++;
		/* All the same, so any of them may go first. */
		if (cb->nheld < sizeof(cb->held) / 2) {
			(void)hold(cb, c);
		} else {
			strbuf_add(out, &c, 1);
			cb->open = true;
		}
	} else if (is_transparent(c)) {
		strbuf_add(out, &c, 1);
	} else if (c == ']') {
		(void)hold(cb, c);
		start_name(cb);
	} else {
		/* 0xc2 may be half of a C1 control, and lets the ESC go. */
		unsigned char u = (unsigned char)c;
		cb->open = (cb->open && is_c1(cb, u, C1_OSC)) || u == 0xc2;
		cb->state = CLIPBOARD_TEXT;
		on_text(cb, c, out);
	}
}

enum verdict {
	VERDICT_PASS,
	VERDICT_DROP,
	VERDICT_MORE
};

/* Terminals read the name as a number, so leading zeros do not hide it. */
static enum verdict
judge_name(const struct clipboard *cb)
{
	static const char copy[] = "Copy";
	char name[CLIPBOARD_HELD_MAX + 1];
	size_t len = 0;
	for (size_t i = cb->name; i < cb->nheld; i++) {
		if (cb->held[i] == BEL || !is_transparent(cb->held[i]))
			name[len++] = cb->held[i];
	}
	name[len] = '\0';
	unsigned int number = 0;
	const char *at = name;
	for (; *at >= '0' && *at <= '9'; at++)
		number = (number * 10 + (unsigned int)(*at - '0')) % 1000000;
	if (*at == '\0')
		return VERDICT_MORE;
	if (*at != ';')
		return VERDICT_PASS;
	if (number == 52 || number == 5522)
		return VERDICT_DROP;
	/* It is judged byte by byte, so there is never more than the word. */
	size_t have = strlen(++at);
	if (number != 1337 || strncmp(copy, at, have) != 0)
		return VERDICT_PASS;
	return have < sizeof(copy) - 1 ? VERDICT_MORE : VERDICT_DROP;
}

static void
on_name(struct clipboard *cb, char c, struct strbuf *out)
{
	/* Either starts anew, also where the name has not come to its end. */
	if (c == ESC || is_c1(cb, (unsigned char)c, C1_OSC)) {
		release_held(cb, out);
		cb->open = true;
		cb->state = CLIPBOARD_TEXT;
		on_text(cb, c, out);
		return;
	}
	/* A name this long has no other purpose than to be too long. */
	enum verdict verdict = hold(cb, c) ? judge_name(cb) : VERDICT_DROP;
	if (verdict == VERDICT_MORE)
		return;
	/* The dropped one would have ended it, and what follows would go on. */
	if (verdict == VERDICT_DROP && cb->open)
		strbuf_addstr(out, "\033\\");
	cb->open = false;
	if (verdict == VERDICT_DROP) {
		cb->state = CLIPBOARD_DROP;
		cb->nheld = 0;
		return;
	}
	cb->state = CLIPBOARD_TEXT;
	release_held(cb, out);
	track_utf8(cb, (unsigned char)c);
}

static void
on_drop(struct clipboard *cb, char c)
{
	if (c == ESC) {
		cb->state = CLIPBOARD_DROP_ESCAPES;
		(void)hold(cb, c);
	} else if (c == BEL || c == CAN || c == SUB ||
	    is_c1(cb, (unsigned char)c, C1_ST)) {
		cb->state = CLIPBOARD_TEXT;
	}
	track_utf8(cb, (unsigned char)c);
}

/*
 * ESC \ ends the dropped sequence.  With one ESC it may end a wrapper as well,
 * and does nothing where there is none, so it is passed on; doubled, as inside
 * a wrapper of tmux, it is the dropped sequence's own.  Any other sequence
 * starts anew.
 */
static void
on_drop_escapes(struct clipboard *cb, char c, struct strbuf *out)
{
	if (c == ESC) {
		if (cb->nheld < sizeof(cb->held) / 2)
			(void)hold(cb, c);
		return;
	}
	bool own = c == '\\' && cb->nheld > 1 && cb->escapes > 1;
	cb->escapes = cb->nheld;
	if (own) {
		cb->nheld = 0;
		cb->state = CLIPBOARD_TEXT;
		return;
	}
	cb->state = CLIPBOARD_ESCAPES;
	on_escapes(cb, c, out);
}

void
clipboard_filter(
    struct clipboard *cb, const char *data, size_t len, struct strbuf *out)
{
	for (size_t i = 0; i < len; i++) {
		switch (cb->state) {
		case CLIPBOARD_TEXT:
			on_text(cb, data[i], out);
			break;
		case CLIPBOARD_ESCAPES:
			on_escapes(cb, data[i], out);
			break;
		case CLIPBOARD_NAME:
			on_name(cb, data[i], out);
			break;
		case CLIPBOARD_DROP:
			on_drop(cb, data[i]);
			break;
		case CLIPBOARD_DROP_ESCAPES:
			on_drop_escapes(cb, data[i], out);
			break;
		}
	}
}

void
clipboard_finish(struct clipboard *cb, struct strbuf *out)
{
	if (cb->state == CLIPBOARD_TEXT || cb->state == CLIPBOARD_ESCAPES)
		release_held(cb, out);
	*cb = (struct clipboard)CLIPBOARD_INIT;
}
