/* SPDX-License-Identifier: MIT */
/*
 * termmodes: the modes that a stream set in a terminal, and what undoes them.
 *
 * A mode that the stream did not touch is left alone: it is the user's.  A
 * terminal does not tell what a mode was before, so that undoing gives a mode
 * the value that terminals start with.
 */
#ifndef DRYDOCK_TERMMODES_H
#define DRYDOCK_TERMMODES_H

#include <stdbool.h>
#include <stdint.h>

struct strbuf;
struct vt_token;

enum {
	TERMMODES_KEYBOARDS = 16, /* kitty's stack is not deeper */
	TERMMODES_RESOURCES = 8 /* of xterm's modifyOtherKeys and its like */
};

/* What DECSC saves and DECRC restores. */
struct termmodes_pen {
	bool origin; /* mode 6 */
	bool colour; /* SGR is not known to be the initial one */
	bool guarded; /* DECSCA */
	unsigned int shift; /* G0 to G3 */
	char sets[4]; /* the last byte of what designated them; 0: initial */
};

/* kitty's keyboard protocol: each screen has a stack. */
struct termmodes_keyboard {
	unsigned int depth;
	unsigned int flags[TERMMODES_KEYBOARDS];
	unsigned int base; /* set without a push */
};

struct termmodes {
	uint32_t changed; /* bits of a table in termmodes.c */
	uint32_t saved; /* the same, as XTSAVE saved them */
	unsigned int
	    alternate; /* 0, or the mode that switched to it: 47, ... */
	struct termmodes_pen pen;
	struct termmodes_pen saved_pen[2]; /* main, alternate screen */
	struct termmodes_keyboard keyboard[2];
	unsigned int cursor; /* DECSCUSR */
	unsigned int top, bottom; /* the scroll region, 0 and 0: none */
	bool tabs; /* tab stops */
	bool link; /* a hyperlink is open */
	unsigned int titles; /* that were pushed */
	uint32_t colours; /* of the palette, 1 << (number of the OSC) */
	/* 0, or the value and 1; TERMMODES_OFF for a disabled one. */
	unsigned int modify[TERMMODES_RESOURCES];
	unsigned int format[TERMMODES_RESOURCES];
};

#define TERMMODES_INIT       \
	{                    \
		.changed = 0 \
	}

/* Takes note of what a terminal was sent. */
void termmodes_note(struct termmodes *m, const struct vt_token *token);

/*
 * Appends what gives each mode that was set its initial value; nothing when
 * the stream left none.  The cursor stays where it is, except on leaving the
 * alternate screen, which restores it, and origin mode, which moves it to the
 * last line.
 */
void termmodes_undo(const struct termmodes *m, struct strbuf *out);

/*
 * Appends what sets the modes again in a terminal where they were undone; what
 * was drawn is not restored.
 */
void termmodes_redo(const struct termmodes *m, struct strbuf *out);

/* Whether the terminal sends input that nobody typed: mouse, focus, sizes. */
bool termmodes_reports(const struct termmodes *m);

#endif /* DRYDOCK_TERMMODES_H */
