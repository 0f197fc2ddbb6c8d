/* SPDX-License-Identifier: MIT */
/*
 * screen: the recent output of a terminal, replayed for a later viewer.
 *
 * Keeps the raw output since the terminal was last cleared or switched its
 * screen, at most SCREEN_MAX bytes, and the modes that are set.  This is not an
 * emulator.  Programs that draw the whole screen redraw it when the size
 * changes, and the holder changes the size for each new viewer.
 */
#ifndef DRYDOCK_SCREEN_H
#define DRYDOCK_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_MAX 65536
#define SCREEN_REPLAY_MAX (SCREEN_MAX + 384)

/* The scroll region and the cursor's addressing. */
struct screen_area {
	unsigned short top, bottom; /* the scroll region; 0 and 0: none */
	bool origin; /* line numbers are relative to top */
};

/* Zero is an empty screen. */
struct screen {
	size_t len;
	struct screen_area area; /* current */
	struct screen_area first; /* at the start of buf */
	bool insert;
	unsigned char shape; /* of the cursor, as in DECSCUSR; 0: initial */
	uint32_t set, reset; /* private modes, bits of a table in screen.c */
	/* The incomplete escape sequence. */
	size_t start; /* its offset in buf */
	size_t nseq; /* 0: none */
	char seq[24];
	char buf[SCREEN_MAX];
};

void screen_add(struct screen *s, const char *data, size_t len);

/*
 * Fills out with output that reproduces the screen on another terminal; returns
 * its length.
 */
size_t screen_replay(
    const struct screen *s, char out[static SCREEN_REPLAY_MAX]);

#endif /* DRYDOCK_SCREEN_H */
