/* SPDX-License-Identifier: MIT */
/*
 * secret: reads a secret that somebody types or pastes, without showing it.
 *
 * A terminal with bracketed paste (xterm's control sequences, mode 2004) tells
 * where a paste begins and ends: it is taken whole, with its line ends.  Without
 * one the text ends at an empty line, so that a secret which the terminal had
 * wrapped is not cut after its first line.
 */
#ifndef DRYDOCK_SECRET_H
#define DRYDOCK_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

enum secret_answer {
	SECRET_MORE, /* the text goes on */
	SECRET_LINE, /* a line ended; an empty one ends the text */
	SECRET_DONE,
};

/* What was typed so far, besides the text. */
struct secret {
	bool in_paste;
	size_t line; /* where the last line of the text starts */
	size_t nsequence;
	char sequence[8]; /* the start of an escape sequence */
};

#define SECRET_INIT          \
	{                    \
		false, 0, 0, \
		{            \
			0    \
		}            \
	}

/*
 * Takes one byte that a terminal in non-canonical mode sent.  text never grows
 * beyond its reserve of max bytes: extra ones are dropped but one, so that
 * the reader sees that it is too long.
 */
enum secret_answer secret_type(
    struct secret *secret, char c, size_t max, struct strbuf *text);

/*
 * Shows question on the controlling terminal and reads the answer there, of at
 * most max bytes and one more.  The terminal is as before when it returns, and
 * when a signal ends the program.  DIAG_CANCELLED when there is no terminal,
 * or its end was reached before anything was typed.
 */
int secret_read(
    const char *question, size_t max, struct strbuf *text, struct diag *dg);

#endif /* DRYDOCK_SECRET_H */
