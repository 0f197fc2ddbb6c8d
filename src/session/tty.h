/* SPDX-License-Identifier: MIT */
/*
 * tty: the user's terminal while a program in a session draws on it.
 */
#ifndef DRYDOCK_TTY_H
#define DRYDOCK_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "guest/wire.h"

struct diag;

struct tty {
	int in_fd; /* borrowed */
	int out_fd;
	bool raw;
	struct termios saved;
};

/* Makes the terminal raw; it is left alone on failure (DIAG_IO). */
int tty_make_raw(struct tty *tty, int in_fd, int out_fd, struct diag *dg);

/* Raw once more, after whoever stopped us had it. */
void tty_again(const struct tty *tty);

/*
 * Undoes what a program may have done to the emulator, throws away answers of
 * the emulator that nobody read, and gives the modes back.  Not raw: nothing.
 */
void tty_restore(struct tty *tty);

/* 0 by 0 when it cannot be told. */
struct wire_size tty_size(int fd);

/* The control character of a setting like "ctrl-\"; -1 for "none" or "". */
int tty_parse_key(const char *text);

/*
 * Where in input the key was pressed, or len: as itself, or as the sequences of
 * the keyboard protocols that programs switch on (CSI 92 ; 5 u and
 * CSI 27 ; 5 ; 92 ~).
 */
size_t tty_find_key(int key, const char *input, size_t len);

#endif /* DRYDOCK_TTY_H */
