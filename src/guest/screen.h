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

#define SCREEN_MAX 65536
#define SCREEN_REPLAY_MAX (SCREEN_MAX + 256)

struct screen {
	size_t len;
	uint32_t set, reset; /* private modes, bits of a table in screen.c */
	/* The escape sequence under way. */
	size_t start; /* of it in buf */
	size_t nseq; /* 0: none */
	char seq[24];
	char buf[SCREEN_MAX];
};

void screen_init(struct screen *s);

void screen_add(struct screen *s, const char *data, size_t len);

/* Fills out with what makes another terminal show it; returns how much. */
size_t screen_replay(
    const struct screen *s, char out[static SCREEN_REPLAY_MAX]);

#endif /* DRYDOCK_SCREEN_H */
