/* SPDX-License-Identifier: MIT */
/*
 * screen: the last of what a terminal was told, for a viewer that comes later.
 *
 * Raw output since the terminal was last cleared or changed its screen, at
 * most SCREEN_MAX bytes, and the private modes that are set.  It is not an
 * emulator: programs that draw the whole screen draw it anew when the size
 * changes, which the holder brings about.
 */
#ifndef DRYDOCK_SCREEN_H
#define DRYDOCK_SCREEN_H

#include <stddef.h>
#include <stdint.h>

struct strbuf;

#define SCREEN_MAX ((size_t)65536)

struct screen {
	char *buf; /* owned */
	size_t len;
	uint32_t set, reset; /* private modes, bits of a table in screen.c */
	/* The escape sequence under way. */
	size_t start; /* of it in buf */
	size_t nseq; /* 0: none */
	char seq[24];
};

#define SCREEN_INIT                     \
	{                               \
		NULL, 0, 0, 0, 0, 0, "" \
	}

void screen_add(struct screen *s, const char *data, size_t len);

/* Appends what makes another terminal show it. */
void screen_replay(const struct screen *s, struct strbuf *out);

void screen_release(struct screen *s);

#endif /* DRYDOCK_SCREEN_H */
