/* SPDX-License-Identifier: MIT */
/*
 * screentext: a terminal's raw output as the lines that it showed.
 *
 * An approximation for people: cursor moves, erasing and scrolling are obeyed,
 * every character is one cell wide, colors and scroll regions are ignored.  The
 * stream is hostile: memory and time are bounded.
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
 * Appends the lines, in UTF-8 without control characters, blanks at their ends
 * and empty lines before and after.  A size of 0 is 24 rows or 80 columns.
 */
void screentext_render(const char *raw, size_t len, unsigned rows,
    unsigned columns, struct strvec *ret_lines);

#endif /* DRYDOCK_SCREENTEXT_H */
