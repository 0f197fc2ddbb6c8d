/* SPDX-License-Identifier: MIT */
/*
 * screentext: renders a terminal's raw output as the lines that it showed.
 *
 * The result is an approximation for people.  Cursor moves, erasing and
 * scrolling are applied.  Every character is one cell wide.  Colors and scroll
 * regions are ignored.  The stream is hostile: memory and time are bounded.
 */
#ifndef DRYDOCK_SCREENTEXT_H
#define DRYDOCK_SCREENTEXT_H

#include <stddef.h>

struct strvec;

enum {
	SCREENTEXT_ROWS_MAX = 200,
	SCREENTEXT_COLUMNS_MAX = 300,
};

/*
 * Appends the lines in UTF-8, without control characters.  Blanks at line ends,
 * and empty lines before the first and after the last text, are left out.  A
 * size of 0 means 24 rows or 80 columns; a size above the maximum is reduced to
 * it.
 */
void screentext_render(const char *raw, size_t len, unsigned rows,
    unsigned columns, struct strvec *ret_lines);

#endif /* DRYDOCK_SCREENTEXT_H */
