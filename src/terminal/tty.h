/* SPDX-License-Identifier: MIT */
/*
 * tty: the user's terminal while a program in a session draws on it.
 */
#ifndef DRYDOCK_TTY_H
#define DRYDOCK_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>

struct diag;

struct tty {
	int in_fd; /* borrowed, as is out_fd */
	int out_fd;
	bool raw;
	struct termios saved;
};

/* Sets raw mode.  On failure (DIAG_IO) the terminal is unchanged. */
int tty_make_raw(struct tty *tty, int in_fd, int out_fd, struct diag *dg);

/*
 * Sets raw mode again after drydock was stopped and another program changed it.
 */
void tty_again(const struct tty *tty);

/* Counts answers to DA1 (device attributes) in the terminal's input. */
struct tty_answers {
	unsigned int n;
	unsigned int at; /* position in an incomplete answer */
};

void tty_count_answers(
    struct tty_answers *answers, const char *input, size_t len);

/*
 * Restores the terminal's modes; does nothing if the terminal is not raw.
 *
 * With questions above 0, first discards answers of the terminal that no
 * program read.  Sends one more DA1 query and reads until questions answers to
 * DA1 have arrived, this query's answer included.  Answers come in the order of
 * the queries, so no other answer is outstanding then.  Keys that are typed
 * meanwhile are lost.  The wait takes at most TTY_ANSWER_MS.
 */
#define TTY_ANSWER_MS 300
void tty_restore(struct tty *tty, unsigned int questions);

/*
 * Writes to a terminal for at most 200 ms and drops the rest.  fd may be
 * non-blocking.
 */
void tty_write(int fd, const char *data, size_t len);

/*
 * Returns true if drydock may read from this terminal and set its modes.  The
 * kernel would stop a background job.  True without job control.
 */
bool tty_in_foreground(int fd);

/*
 * Returns true if stdin and stdout are terminals and drydock is in the
 * foreground.
 */
bool tty_is_ours(void);

/* Returns 0 by 0 if the size is unknown (tty_ioctl(4)). */
struct winsize tty_size(int fd);

/*
 * Returns true if both are the same terminal device, even under different
 * names.
 */
bool tty_same(int fd, int other_fd);

/*
 * Returns true if the terminal decodes UTF-8: its IUTF8 flag is set, or the
 * user's locale is UTF-8.
 */
bool tty_decodes_utf8(int fd);

#endif /* DRYDOCK_TTY_H */
