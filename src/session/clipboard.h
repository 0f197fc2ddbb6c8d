/* SPDX-License-Identifier: MIT */
/*
 * clipboard: takes clipboard writes and reads out of a terminal's output.
 *
 * OSC 52, kitty's OSC 5522 and iTerm2's OSC 1337 ; Copy, begun by ESC ] or by
 * the C1 control (also in UTF-8), with BEL, ST or nothing as their end, also
 * inside the pass-through wrappers of tmux and screen.  The rest of the stream
 * is left as it is.  What is held back between two calls is bounded.
 */
#ifndef DRYDOCK_CLIPBOARD_H
#define DRYDOCK_CLIPBOARD_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

enum clipboard_state {
	CLIPBOARD_TEXT,
	CLIPBOARD_ESCAPES, /* one or more ESC */
	CLIPBOARD_NAME, /* the start of an OSC, not yet told apart */
	CLIPBOARD_DROP, /* one that is dropped */
	CLIPBOARD_DROP_ESCAPES, /* the same, after one or more ESC */
};

#define CLIPBOARD_HELD_MAX 64

struct clipboard {
	enum clipboard_state state;
	size_t escapes; /* ESC in a row */
	unsigned char continues; /* bytes that a UTF-8 character still needs */
	bool c2; /* the last byte was 0xc2, and is held */
	size_t nheld;
	char held[CLIPBOARD_HELD_MAX];
	size_t name; /* where in held the OSC's name starts */
	bool open; /* what was passed on last may begin a sequence */
};

#define CLIPBOARD_INIT                                       \
	{                                                    \
		CLIPBOARD_TEXT, 0, 0, false, 0, "", 0, false \
	}

/* Appends what may be shown of data to out. */
void clipboard_filter(
    struct clipboard *cb, const char *data, size_t len, struct strbuf *out);

/* Appends what is still held back and harmless. */
void clipboard_finish(struct clipboard *cb, struct strbuf *out);

#endif /* DRYDOCK_CLIPBOARD_H */
