/* SPDX-License-Identifier: MIT */
/*
 * screen: the last of what a terminal was told, for a viewer that comes later.
 *
 * Raw output since the terminal was last cleared or changed its screen, at
 * most SCREEN_MAX bytes, and the modes that are set.  It is not an emulator: programs that draw the whole screen draw it anew when the size
 * changes, which the holder brings about.
 */
#ifndef DRYDOCK_SCREEN_H
#define DRYDOCK_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCREEN_MAX 65536
#define SCREEN_REPLAY_MAX (SCREEN_MAX + 384)

/* Where text may be written, and how the cursor is addressed. */
struct screen_area {
	unsigned short top, bottom; /* the scroll region; 0 and 0: none */
	bool origin; /* lines count from its top */
};

struct screen {
	size_t len;
	struct screen_area area; /* as it is now */
	struct screen_area first; /* as it was where buf begins */
	bool insert;
	unsigned char shape; /* of the cursor, as DECSCUSR has it; 0: initial */
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
