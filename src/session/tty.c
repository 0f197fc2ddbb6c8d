/* SPDX-License-Identifier: MIT */
/* Raw mode and back, and the key that leaves it. */
#include "session/tty.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/diag.h"

#define MODIFIER_CTRL 4U
/* Caps lock and num lock are told as modifiers too. */
#define MODIFIERS_LOCK (64U | 128U)

/*
 * Leave a string that was cut off; main screen (which restores a cursor, so
 * the one of now is saved where it is main already); mouse, focus reports and
 * bracketed paste off; cursor keys, keypad and keyboard protocols as usual;
 * synchronised output off; scroll region (which moves the cursor, so likewise),
 * character sets and colours normal; lines wrap, cursor shown.
 */
static const char sane[] = "\033\\\0337\033[?1049l"
			   "\033[?1000l\033[?1002l\033[?1003l\033[?1005l"
			   "\033[?1006l\033[?1015l\033[?1004l\033[?2004l"
			   "\033[?1l\033>\033[<9u\033[>4;0m\033[?2026l"
			   "\0337\033[r\0338\033(B\017\033[0m\033[?7h"
			   "\033[?25h";

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

/* A terminal that is gone or stuck cannot be told anything. */
void
tty_restore(struct tty *tty)
{
	if (!tty->raw)
		return;
	tty->raw = false;
	ssize_t n = write(tty->out_fd, sane, sizeof(sane) - 1);
	(void)n;
	(void)tcflush(tty->in_fd, TCIFLUSH);
	(void)tcsetattr(tty->in_fd, TCSANOW, &tty->saved);
}

struct wire_size
tty_size(int fd)
{
	struct winsize ws;
	if (ioctl(fd, TIOCGWINSZ, &ws) == -1)
		return (struct wire_size){ 0, 0 };
	return (struct wire_size){ ws.ws_row, ws.ws_col };
}

int
tty_parse_key(const char *text)
{
	static const char prefix[] = "ctrl-";
	size_t len = sizeof(prefix) - 1;
	if (strncmp(text, prefix, len) != 0 || text[len] == '\0')
		return -1;
	return text[len] & 0x1f;
}

/* A decimal number, bounded; the number of digits is what it returns. */
static size_t
read_number(const char *s, size_t len, unsigned int *ret)
{
	size_t n = 0;
	*ret = 0;
	for (; n < len && n < 6 && s[n] >= '0' && s[n] <= '9'; n++)
		*ret = *ret * 10 + (unsigned int)(s[n] - '0');
	return n;
}

static bool
is_key(int key, unsigned int code, unsigned int modifiers)
{
	return modifiers > 0 &&
	    ((modifiers - 1) & ~MODIFIERS_LOCK) == MODIFIER_CTRL &&
	    (code & 0x1f) == (unsigned int)key && code >= 0x40 && code < 0x7f;
}

/*
 * Up to four numbers, separated by ; or : as their protocol has it: code and
 * modifiers, or 27, modifiers and code.  An event type may follow; 3 is the
 * release, which comes after the press that was taken.
 */
static bool
is_sequence(int key, const char *s, size_t len)
{
	unsigned int v[4] = { 0 };
	size_t at = 2;
	size_t n = 0;
	if (len < 3 || s[0] != '\033' || s[1] != '[')
		return false;
	for (;;) {
		at += read_number(s + at, len - at, &v[n]);
		n++;
		if (at >= len)
			return false;
		if ((s[at] != ';' && s[at] != ':') || n == 4)
			break;
		at++;
	}
	if (s[at] == 'u')
		return is_key(key, v[0], v[1]);
	return s[at] == '~' && v[0] == 27 && is_key(key, v[2], v[1]);
}

size_t
tty_find_key(int key, const char *input, size_t len)
{
	for (size_t i = 0; key != -1 && i < len; i++) {
		if (input[i] == (char)key ||
		    (input[i] == '\033' &&
			is_sequence(key, input + i, len - i)))
			return i;
	}
	return len;
}
