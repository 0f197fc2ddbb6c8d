/* SPDX-License-Identifier: MIT */
/*
 * Prompts.  Reads one byte at a time: input after the line stays unread.  A
 * secret has no echo, is bounded, and leaves no copies in freed memory.
 */
#include "terminal/prompt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "terminal/interrupt.h"
#include "terminal/tty.h"

#define ESC '\033'
#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
#define PASTE_BEGIN "\033[200~"
#define PASTE_END "\033[201~"

enum {
	CTRL_D = 0x04,
	CTRL_H = 0x08,
	CTRL_U = 0x15,
	DELETE = 0x7f,
};

bool
prompt_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO) &&
	    tty_in_foreground(STDIN_FILENO);
}

int
prompt_line(
    const char *question, char *ret_answer, size_t size, struct diag *dg)
{
	size_t len = 0;
	char c;

	/* If the question cannot be printed, read no answer. */
	if (fprintf(stderr, "drydock: %s ", question) < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "ask");
	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)fputc('\n', stderr);
			return diag_set(dg, DIAG_CANCELLED, "cancelled");
		}
		if (c == '\n')
			break;
		if (len < size - 1 && !isspace((unsigned char)c))
			ret_answer[len++] = (char)tolower((unsigned char)c);
	}
	ret_answer[len] = '\0';
	return 0;
}

int
prompt_yes(const char *question, struct diag *dg)
{
	char answer[8];

	if (prompt_line(question, answer, sizeof(answer), dg) != 0)
		return -1;
	if (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0)
		return 0;
	return diag_set(dg, DIAG_CANCELLED, "cancelled");
}

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

static void
add(size_t max, char c, struct strbuf *text)
{
	if (text->len <= max)
		strbuf_addch(text, c);
}

/* Only the marks of a paste have a meaning; other keys are dropped. */
static enum secret_answer
on_sequence(struct secret *s, char c)
{
	bool ended;

	if (s->nsequence < sizeof(s->sequence) - 1)
		s->sequence[s->nsequence++] = c;
	s->sequence[s->nsequence] = '\0';
	/* ECMA-48: a final byte ends a sequence, after ESC [ or ESC O. */
	ended = s->nsequence == 2 ? c != '[' && c != 'O' : c >= '@' && c <= '~';
	if (!ended)
		return SECRET_MORE;
	s->nsequence = 0;
	if (strcmp(s->sequence, PASTE_BEGIN) == 0) {
		s->in_paste = true;
	} else if (s->in_paste && strcmp(s->sequence, PASTE_END) == 0) {
		s->in_paste = false;
		return SECRET_DONE;
	}
	return SECRET_MORE;
}

static enum secret_answer
on_enter(struct secret *s, size_t max, struct strbuf *text)
{
	if (!s->in_paste && text->len == s->line)
		return SECRET_DONE;
	add(max, '\n', text);
	s->line = text->len;
	return s->in_paste ? SECRET_MORE : SECRET_LINE;
}

/*
 * Takes one byte from a terminal in non-canonical mode.  text holds at most
 * max + 1 bytes; further bytes are dropped.  A length above max shows the
 * caller that the secret is too long.  The caller reserves the space, so text
 * is never reallocated.
 */
static enum secret_answer
on_byte(struct secret *s, char c, size_t max, struct strbuf *text)
{
	if (s->nsequence > 0)
		return on_sequence(s, c);
	if (c == ESC) {
		s->sequence[s->nsequence++] = c;
		return SECRET_MORE;
	}
	if (c == '\r' || c == '\n')
		return on_enter(s, max, text);
	/* In a paste the editing keys are text. */
	if (s->in_paste) {
		add(max, c, text);
		return SECRET_MORE;
	}
	switch (c) {
	case CTRL_H:
	case DELETE:
		if (text->len > s->line)
			strbuf_setlen(text, text->len - 1);
		return SECRET_MORE;
	case CTRL_U:
		strbuf_setlen(text, s->line);
		return SECRET_MORE;
	case CTRL_D:
		return SECRET_DONE;
	default:
		add(max, c, text);
		return SECRET_MORE;
	}
}

static int
say(int fd, const char *words, struct diag *dg)
{
	size_t len = strlen(words);

	while (len > 0) {
		ssize_t n = write(fd, words, len);
		struct pollfd p = { fd, POLLOUT, 0 };

		if (n < 0 && errno == EAGAIN)
			(void)poll(&p, 1, -1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "ask on the terminal");
		words += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Reads until the text ends.  *ret_signal is the signal that ended the read, or
 * 0.  fd does not block: Ctrl-C discards typed text, also what poll() has just
 * reported.
 */
static int
read_text(int fd, int signal_fd, size_t max, struct strbuf *text,
    int *ret_signal, struct diag *dg)
{
	struct secret secret = { .in_paste = false };

	*ret_signal = 0;
	for (;;) {
		struct pollfd p[] = { { fd, POLLIN, 0 },
			{ signal_fd, POLLIN, 0 } };
		enum secret_answer answer;
		ssize_t n;
		char c;

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return diag_set_errno(dg, DIAG_BUG, errno, "poll");
		if (p[1].revents != 0) {
			*ret_signal = interrupt_read(signal_fd);
			if (*ret_signal != 0)
				return 0;
		}
		if (p[0].revents == 0)
			continue;
		n = read(fd, &c, 1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0 && text->len == 0)
			return diag_set(
			    dg, DIAG_CANCELLED, "nothing was entered");
		if (n <= 0)
			return 0;
		answer = on_byte(&secret, c, max, text);
		if (answer == SECRET_DONE)
			return 0;
		if (answer == SECRET_LINE &&
		    say(fd, "\npress Enter once more, or paste the rest: ",
			dg) != 0)
			return -1;
	}
}

/* Turns off echo and line editing.  Ctrl-C still sends a signal. */
static int
hide(int fd, struct termios *ret_before, struct diag *dg)
{
	struct termios hidden;

	if (tcgetattr(fd, ret_before) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "read the terminal");
	hidden = *ret_before;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
	hidden.c_cc[VMIN] = 1;
	hidden.c_cc[VTIME] = 0;
	hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (tcsetattr(fd, TCSAFLUSH, &hidden) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "set the terminal");
	return 0;
}

static int
ask(int fd, const char *question, size_t max, struct strbuf *text,
    int *ret_signal, struct diag *dg)
{
	struct interrupt held;
	struct termios before;
	int rc;

	*ret_signal = 0;
	interrupt_hold(&held);
	cleanup_close int signal_fd = interrupt_open(&held);
	if (signal_fd < 0)
		rc = diag_set_errno(dg, DIAG_IO, errno, "signalfd");
	else
		rc = hide(fd, &before, dg);
	if (rc == 0) {
		rc = say(fd, PASTE_ON, dg) != 0 || say(fd, question, dg) != 0
		    ? -1
		    : read_text(fd, signal_fd, max, text, ret_signal, dg);
		/* Ignore failures: the terminal may be gone. */
		(void)!write(fd, PASTE_OFF "\n", sizeof(PASTE_OFF));
		(void)tcsetattr(fd, TCSAFLUSH, &before);
	}
	interrupt_restore(&held);
	return rc;
}

int
prompt_secret(
    const char *question, size_t max, struct strbuf *text, struct diag *dg)
{
	cleanup_close int fd =
	    open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int sig = 0;

	if (fd < 0)
		return diag_set(dg, DIAG_CANCELLED, "no terminal to ask at");
	/*
	 * Reserve the whole size now: growing would leave copies in freed
	 * memory.
	 */
	strbuf_reserve(text, max + 2);
	if (ask(fd, question, max, text, &sig, dg) != 0)
		return -1;
	if (sig != 0) {
		(void)raise(sig);
		return diag_set(dg, DIAG_CANCELLED, "cancelled");
	}
	return 0;
}
