/* SPDX-License-Identifier: MIT */
/* The terminal output since the screen was last cleared. */
#include "guest/screen.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * Private modes that a new viewer's terminal needs.  Modes that switch the
 * screen come first: a terminal resets others when it switches.
 */
static const unsigned short modes[] = { 47, 1047, 1049, 1, 5, 7, 25, 45, 66, 69,
	1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2031, 2048,
	9001 };

#define SCREEN_MODES 3

/* Removes the bytes before at. */
static void
forget(struct screen *s, size_t at)
{
	memmove(s->buf, s->buf + at, s->len - at);
	s->len -= at;
	s->start = s->start > at ? s->start - at : 0;
	s->first = s->area;
}

/* Removes half of the buffer, up to the end of a line if there is one. */
static void
make_room(struct screen *s)
{
	size_t half = SCREEN_MAX / 2;
	const char *line = memchr(s->buf + half, '\n', s->len - half);
	forget(s, line != NULL ? (size_t)(line - s->buf) + 1 : half);
}

/* Returns true if the mode switched the screen, which hides earlier output. */
static bool
apply_mode(struct screen *s, unsigned long mode, bool on)
{
	if (mode == 6)
		s->area.origin = on;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (modes[i] != mode)
			continue;
		uint32_t bit = (uint32_t)1 << i;
		s->set = on ? s->set | bit : s->set & ~bit;
		s->reset = on ? s->reset & ~bit : s->reset | bit;
		return i < SCREEN_MODES;
	}
	return false;
}

/* Parses and skips a number; 0 if there is none or it is too large. */
static unsigned short
take_number(const char **at)
{
	unsigned long n = 0;
	while (**at >= '0' && **at <= '9')
		n = n * 10 % 100000 + (unsigned long)(*(*at)++ - '0');
	return n <= USHRT_MAX ? (unsigned short)n : 0;
}

/* The list "n;n" before h or l.  Returns true if a screen was switched. */
static bool
apply_modes(struct screen *s, const char *at, bool private, bool on)
{
	bool cleared = false;
	for (;; at++) {
		unsigned short mode = take_number(&at);
		if (private)
			cleared |= apply_mode(s, mode, on);
		else if (mode == 4)
			s->insert = on;
		if (*at != ';')
			return cleared;
	}
}

static void
apply_region(struct screen *s, const char *at)
{
	s->area.top = take_number(&at);
	s->area.bottom = 0;
	if (*at++ == ';')
		s->area.bottom = take_number(&at);
}

/* Resets what DECSTR resets, and nothing else. */
static void
reset_softly(struct screen *s)
{
	s->area = (struct screen_area){ .top = 0 };
	s->insert = false;
}

/*
 * Applies a complete sequence: ESC c, or ESC [ with parameters and a final
 * byte.
 */
static void
apply(struct screen *s)
{
	const char *at = s->seq + 2;
	char last = s->seq[s->nseq - 1];
	bool plain = *at == last || *at == ';' || (*at >= '0' && *at <= '9');
	bool cleared = false;
	if (s->seq[1] == 'c') {
		s->set = 0;
		s->reset = 0;
		s->shape = 0;
		reset_softly(s);
		cleared = true;
	} else if (last == 'J') {
		cleared = *at == '2' || *at == '3';
	} else if ((last == 'h' || last == 'l') && (plain || *at == '?')) {
		cleared =
		    apply_modes(s, plain ? at : at + 1, !plain, last == 'h');
	} else if (last == 'r' && plain) {
		apply_region(s, at);
	} else if (last == 'q' && s->seq[s->nseq - 2] == ' ') {
		s->shape = (unsigned char)(take_number(&at) % 100);
	} else if (last == 'p' && *at == '!') {
		reset_softly(s);
	}
	if (cleared)
		forget(s, s->start);
}

static void
scan(struct screen *s, char c)
{
	if (c == '\033') {
		s->start = s->len - 1;
		s->seq[0] = c;
		s->nseq = 1;
		return;
	}
	if (s->nseq == 0)
		return;
	if (s->nseq == sizeof(s->seq) ||
	    (s->nseq == 1 && c != '[' && c != 'c')) {
		s->nseq = 0;
		return;
	}
	s->seq[s->nseq++] = c;
	if ((s->nseq == 2 && c == 'c') || (s->nseq > 2 && c >= '@')) {
		apply(s);
		s->nseq = 0;
	}
}

void
screen_add(struct screen *s, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s->len == SCREEN_MAX)
			make_room(s);
		s->buf[s->len++] = data[i];
		scan(s, data[i]);
	}
}

static size_t
add_text(char *out, size_t at, const char *text)
{
	size_t len = strlen(text);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a stream */
	memcpy(out + at, text, len);
	return at + len;
}

/* Sets the area in which the following output was drawn. */
static size_t
add_area(char *out, size_t at, const struct screen_area *area)
{
	char text[32];
	if (area->top != 0 || area->bottom != 0) {
		(void)snprintf(text, sizeof(text), "\033[%u;%ur", area->top,
		    area->bottom != 0 ? area->bottom : USHRT_MAX);
		at = add_text(out, at, text);
	}
	return area->origin ? add_text(out, at, "\033[?6h") : at;
}

size_t
screen_replay(const struct screen *s, char out[static SCREEN_REPLAY_MAX])
{
	char text[16];
	size_t at = add_text(out, 0, "\033[!p\033[0m");
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		uint32_t bit = (uint32_t)1 << i;
		bool set = (s->set & bit) != 0;
		if (!set && ((s->reset & bit) == 0 || i < SCREEN_MODES))
			continue;
		(void)snprintf(text, sizeof(text), "\033[?%u%c", modes[i],
		    set ? 'h' : 'l');
		at = add_text(out, at, text);
	}
	at = add_area(out, at, &s->first);
	at = add_text(out, at, "\033[2J\033[H");
	memcpy(out + at, s->buf, s->len);
	at += s->len;
	/*
	 * Insert mode is set after the redraw, where it would shift existing
	 * text.
	 */
	if (s->insert)
		at = add_text(out, at, "\033[4h");
	if (s->shape != 0) {
		(void)snprintf(text, sizeof(text), "\033[%u q", s->shape);
		at = add_text(out, at, text);
	}
	return at;
}
