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

/* Counts answers to "what are you" (DA1) in what a terminal sends. */
struct tty_answers {
	unsigned int n;
	unsigned int at; /* in the answer under way */
};

void tty_count_answers(
    struct tty_answers *answers, const char *input, size_t len);

/*
 * Gives the terminal's modes back.  Not raw: nothing.
 *
 * Before that, with questions above 0, what the terminal answered to a program
 * and nobody read is thrown away: it is asked for its attributes (DA1), and
 * answers come in the order of questions, so that when it answered so often
 * nothing is on its way any more.  Keys that were typed meanwhile are lost, too.
 * A terminal that does not answer is waited for at most TTY_ANSWER_MS.
 */
#define TTY_ANSWER_MS 300
void tty_restore(struct tty *tty, unsigned int questions);

/* Writes to a terminal, as far as it takes it in time; it may be non-blocking. */
void tty_write(int fd, const char *data, size_t len);

/*
 * Whether we may read from this terminal and set its modes: a job in the
 * background would be stopped.  True where there is no job control.
 */
bool tty_in_foreground(int fd);

/* A terminal at stdin and stdout, and it is ours. */
bool tty_is_ours(void);

/* 0 by 0 when it cannot be told. */
struct wire_size tty_size(int fd);

/* Whether both are the same terminal, also by other names of it. */
bool tty_same(int fd, int other_fd);

/*
 * Whether the terminal decodes UTF-8: it says so itself (IUTF8), or the user's
 * locale does.
 */
bool tty_decodes_utf8(int fd);

#endif /* DRYDOCK_TTY_H */
