/* SPDX-License-Identifier: MIT */
/*
 * termmodes: tracks the modes that a stream set in a terminal, and undoes them.
 *
 * A mode that the stream did not touch is left alone: it is the user's.  A
 * terminal does not report the earlier value of a mode.  Undoing a mode
 * therefore sets the value with which terminals start.
 */
#ifndef DRYDOCK_TERMMODES_H
#define DRYDOCK_TERMMODES_H

#include <stdbool.h>
#include <stdint.h>

struct strbuf;
struct vt_token;

enum {
	TERMMODES_KEYBOARDS = 16, /* depth of kitty's stack */
	TERMMODES_RESOURCES = 8 /* xterm's modifyOtherKeys and the like */
};

/* State that DECSC saves and DECRC restores. */
struct termmodes_pen {
	bool origin; /* mode 6 */
	bool colour; /* SGR may differ from its initial value */
	bool guarded; /* DECSCA */
	unsigned int shift; /* active set: 0 to 3 for G0 to G3 */
	char sets[4]; /* final byte of the designation; 0: initial */
};

/* kitty's keyboard protocol: each screen has a stack of its own. */
struct termmodes_keyboard {
	unsigned int depth;
	unsigned int flags[TERMMODES_KEYBOARDS];
	unsigned int base; /* flags that were set without a push */
};

struct termmodes {
	uint32_t changed; /* bits index the table in termmodes.c */
	uint32_t saved; /* the same bits, saved by XTSAVE */
	unsigned int
	    alternate; /* 0, or the mode that switched to it: 47, ... */
	struct termmodes_pen pen;
	struct termmodes_pen saved_pen[2]; /* main, alternate screen */
	struct termmodes_keyboard keyboard[2];
	unsigned int cursor; /* DECSCUSR */
	unsigned int top, bottom; /* scroll region; 0 and 0: none */
	bool tabs; /* tab stops were changed */
	bool link; /* a hyperlink is open */
	unsigned int titles; /* number of pushed titles */
	uint32_t colours; /* changed; bit: 1 << number of the OSC */
	/* 0: initial; the value + 1; OFF of termmodes.c: disabled. */
	unsigned int modify[TERMMODES_RESOURCES];
	unsigned int format[TERMMODES_RESOURCES];
};

#define TERMMODES_INIT       \
	{                    \
		.changed = 0 \
	}

/* Records the effect of a token that is sent to the terminal. */
void termmodes_note(struct termmodes *m, const struct vt_token *token);

/*
 * Appends the sequences that give each changed mode its initial value; nothing
 * if no mode is changed.  The cursor does not move, with two exceptions:
 * leaving the alternate screen restores the cursor, and leaving origin mode
 * moves it to the last line.
 */
void termmodes_undo(const struct termmodes *m, struct strbuf *out);

/*
 * Appends the sequences that set the modes again after termmodes_undo().  Drawn
 * content is not restored.
 */
void termmodes_redo(const struct termmodes *m, struct strbuf *out);

/*
 * Returns true if the terminal may send input that nobody typed (mouse, focus,
 * sizes), or sends keys in kitty's protocol.
 */
bool termmodes_reports(const struct termmodes *m);

#endif /* DRYDOCK_TERMMODES_H */
