/* SPDX-License-Identifier: MIT */
/*
 * secret: reads a secret that the user types or pastes, without echo.
 *
 * A terminal with bracketed paste (xterm's control sequences, mode 2004) marks
 * the start and the end of a paste.  The paste is taken as a whole, with its
 * line ends.  Without bracketed paste an empty line ends the text: a secret
 * that the terminal had wrapped is not cut after its first line.
 */
#ifndef DRYDOCK_SECRET_H
#define DRYDOCK_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

enum secret_answer {
	SECRET_MORE, /* the text continues */
	SECRET_LINE, /* a line ended; an empty one ends the text */
	SECRET_DONE,
};

/* Input state besides the text. */
struct secret {
	bool in_paste;
	size_t line; /* offset of the text's last line */
	size_t nsequence;
	char sequence[8]; /* incomplete escape sequence */
};

#define SECRET_INIT          \
	{                    \
		false, 0, 0, \
		{            \
			0    \
		}            \
	}

/*
 * Takes one byte from a terminal in non-canonical mode.  text holds at most
 * max + 1 bytes; further bytes are dropped.  A length above max shows the
 * caller that the secret is too long.  The caller reserves the space, so text
 * is never reallocated.
 */
enum secret_answer secret_type(
    struct secret *secret, char c, size_t max, struct strbuf *text);

/*
 * Shows question on the controlling terminal and appends the answer to text, at
 * most max + 1 bytes.  The terminal's modes are restored on return, also when a
 * signal then ends the program.  DIAG_CANCELLED if there is no terminal, or at
 * end of input before the first byte.
 */
int secret_read(
    const char *question, size_t max, struct strbuf *text, struct diag *dg);

#endif /* DRYDOCK_SECRET_H */
