/* SPDX-License-Identifier: MIT */
/* Sets and restores raw mode, and discards unread answers of the terminal. */
#include "terminal/tty.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"

#define WRITE_MS 200

int
tty_make_raw(struct tty *tty, int in_fd, int out_fd, struct diag *dg)
{
	tty->in_fd = in_fd;
	tty->out_fd = out_fd;
	tty->raw = false;
	if (tcgetattr(in_fd, &tty->saved) == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "read the terminal");
	struct termios raw = tty->saved;
	cfmakeraw(&raw);
	if (tcsetattr(in_fd, TCSADRAIN, &raw) == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "set the terminal");
	tty->raw = true;
	return 0;
}

void
tty_again(const struct tty *tty)
{
	struct termios raw = tty->saved;
	if (!tty->raw)
		return;
	cfmakeraw(&raw);
	(void)tcsetattr(tty->in_fd, TCSANOW, &raw);
}

/* A DA1 answer is ESC [ ? digits and ; c */
void
tty_count_answers(struct tty_answers *answers, const char *input, size_t len)
{
	static const char start[] = "\033[?";
	for (size_t i = 0; i < len; i++) {
		char c = input[i];
		if (answers->at < 3 && c == start[answers->at]) {
			answers->at++;
		} else if (answers->at == 3 &&
		    ((c >= '0' && c <= '9') || c == ';')) {
			continue;
		} else {
			answers->n += answers->at == 3 && c == 'c';
			answers->at = c == start[0];
		}
	}
}

static void
await_answers(int fd, unsigned int questions)
{
	int64_t deadline = monotime_ms() + TTY_ANSWER_MS;
	struct tty_answers answers = { 0 };
	while (answers.n < questions) {
		char buf[4096];
		struct pollfd p = { fd, POLLIN, 0 };
		int left = monotime_left_ms(deadline);
		if (left == 0)
			return;
		int ready = poll(&p, 1, left);
		if (ready == -1 && errno != EINTR)
			return;
		if (ready <= 0)
			continue;
		ssize_t n = read(fd, buf, sizeof(buf));
		if (n == 0 || (n == -1 && errno != EINTR && errno != EAGAIN))
			return;
		if (n > 0)
			tty_count_answers(&answers, buf, (size_t)n);
	}
}

void
tty_restore(struct tty *tty, unsigned int questions)
{
	static const char attributes[] = "\033[c";
	if (!tty->raw)
		return;
	tty->raw = false;
	if (questions > 0) {
		tty_write(tty->out_fd, attributes, sizeof(attributes) - 1);
		await_answers(tty->in_fd, questions);
		(void)tcflush(tty->in_fd, TCIFLUSH);
	}
	(void)tcsetattr(tty->in_fd, TCSANOW, &tty->saved);
}

/* Failures are ignored: the terminal may be gone or stuck. */
void
tty_write(int fd, const char *data, size_t len)
{
	int64_t deadline = monotime_ms() + WRITE_MS;
	while (len > 0) {
		struct pollfd p = { fd, POLLOUT, 0 };
		int left = monotime_left_ms(deadline);
		if (poll(&p, 1, left) <= 0 && (errno != EINTR || left == 0))
			return;
		ssize_t n = write(fd, data, len);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

bool
tty_in_foreground(int fd)
{
	pid_t front = tcgetpgrp(fd);
	return front == -1 || front == getpgrp();
}

bool
tty_is_ours(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	    tty_in_foreground(STDIN_FILENO);
}

struct winsize
tty_size(int fd)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size) == -1)
		return (struct winsize){ 0 };
	return size;
}

bool
tty_same(int fd, int other_fd)
{
	unsigned int dev;
	unsigned int other;
	return ioctl(fd, TIOCGDEV, &dev) == 0 &&
	    ioctl(other_fd, TIOCGDEV, &other) == 0 && dev == other;
}

bool
tty_decodes_utf8(int fd)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	struct termios modes;
	const char *locale = NULL;
	if (tcgetattr(fd, &modes) == 0 && (modes.c_iflag & IUTF8) != 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		locale = getenv(names[i]);
		if (locale != NULL && locale[0] != '\0')
			break;
	}
	return locale != NULL &&
	    (strcasestr(locale, "UTF-8") != NULL ||
		strcasestr(locale, "UTF8") != NULL);
}
