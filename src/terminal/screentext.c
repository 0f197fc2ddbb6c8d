/* SPDX-License-Identifier: MIT */
/* Writes the tokens of a terminal's output to a grid of cells. */
#include "terminal/screentext.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "terminal/vt.h"

enum {
	TAB = 8
};

/* The bytes of one character in UTF-8; all 0 is a blank. */
struct cell {
	char c[4];
};

struct grid {
	struct cell *cells; /* owned */
	unsigned rows, columns;
	unsigned row, column; /* cursor; column == columns: wrap pending */
	unsigned saved_row, saved_column;
};

static struct cell *
cell_at(const struct grid *g, unsigned row, unsigned column)
{
	return &g->cells[(size_t)row * g->columns + column];
}

/* Erases the cells of a row from "from" up to, but not including, "to". */
static void
erase(const struct grid *g, unsigned row, unsigned from, unsigned to)
{
	if (from < to)
		memset(cell_at(g, row, from), 0,
		    (to - from) * sizeof(struct cell));
}

static void
erase_rows(const struct grid *g, unsigned from, unsigned to)
{
	for (unsigned row = from; row < to; row++)
		erase(g, row, 0, g->columns);
}

/*
 * Moves the rows from top on by n: up (the first n are lost) or down (the last
 * n are lost).
 */
static void
shift_rows(const struct grid *g, unsigned top, unsigned n, bool up)
{
	size_t size = g->columns * sizeof(struct cell);
	unsigned left;

	if (n > g->rows - top)
		n = g->rows - top;
	left = g->rows - top - n;
	if (up) {
		memmove(
		    cell_at(g, top, 0), cell_at(g, top + n, 0), left * size);
		erase_rows(g, g->rows - n, g->rows);
	} else {
		memmove(
		    cell_at(g, top + n, 0), cell_at(g, top, 0), left * size);
		erase_rows(g, top, top + n);
	}
}

static void
line_feed(struct grid *g)
{
	if (g->row + 1 < g->rows)
		g->row++;
	else
		shift_rows(g, 0, 1, true);
}

static void
put(struct grid *g, const char *c, size_t len)
{
	struct cell *cell;

	if (g->column >= g->columns) {
		g->column = 0;
		line_feed(g);
	}
	cell = cell_at(g, g->row, g->column++);
	memset(cell, 0, sizeof(*cell));
	memcpy(cell->c, c, len);
}

static void
on_text(struct grid *g, const char *text, size_t len)
{
	for (size_t at = 0; at < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + at, len - at, &cp);

		if (n == 0)
			put(g, "?", 1);
		else
			put(g, text + at, n);
		at += n == 0 ? 1 : n;
	}
}

static void
on_control(struct grid *g, char c)
{
	if (g->column >= g->columns && c != '\n')
		g->column = g->columns - 1;
	if (c == '\r')
		g->column = 0;
	else if (c == '\n' || c == '\v' || c == '\f')
		line_feed(g);
	else if (c == '\b' && g->column > 0)
		g->column--;
	else if (c == '\t')
		g->column = (g->column / TAB + 1) * TAB < g->columns
		    ? (g->column / TAB + 1) * TAB
		    : g->columns - 1;
}

static void
on_escape(struct grid *g, char c)
{
	if (c == '7') {
		g->saved_row = g->row;
		g->saved_column = g->column;
	} else if (c == '8') {
		g->row = g->saved_row;
		g->column = g->saved_column;
	} else if (c == 'D' || c == 'E') {
		if (c == 'E')
			g->column = 0;
		line_feed(g);
	} else if (c == 'M') {
		if (g->row > 0)
			g->row--;
		else
			shift_rows(g, 0, 1, false);
	} else if (c == 'c') {
		erase_rows(g, 0, g->rows);
		g->row = 0;
		g->column = 0;
	}
}

static unsigned
clamp(unsigned value, unsigned limit)
{
	return value < limit ? value : limit - 1;
}

static unsigned
minus(unsigned value, unsigned n)
{
	return value > n ? value - n : 0;
}

/* Returns true if the sequence moves, saves or restores the cursor. */
static bool
move(struct grid *g, const struct vt_csi *csi)
{
	unsigned n = csi->v[0] != 0 ? csi->v[0] : 1;
	unsigned second = csi->n > 1 && csi->v[1] != 0 ? csi->v[1] : 1;

	switch (csi->final) {
	case 'A':
		g->row = minus(g->row, n);
		return true;
	case 'B':
	case 'e':
		g->row = clamp(g->row + n, g->rows);
		return true;
	case 'C':
	case 'a':
		g->column = clamp(g->column + n, g->columns);
		return true;
	case 'D':
		g->column = minus(clamp(g->column, g->columns), n);
		return true;
	case 'E':
		g->row = clamp(g->row + n, g->rows);
		g->column = 0;
		return true;
	case 'F':
		g->row = minus(g->row, n);
		g->column = 0;
		return true;
	case 'G':
	case '`':
		g->column = clamp(n - 1, g->columns);
		return true;
	case 'd':
		g->row = clamp(n - 1, g->rows);
		return true;
	case 'H':
	case 'f':
		g->row = clamp(n - 1, g->rows);
		g->column = clamp(second - 1, g->columns);
		return true;
	case 's':
		on_escape(g, '7');
		return true;
	case 'u':
		on_escape(g, '8');
		return true;
	default:
		return false;
	}
}

/*
 * Moves the cells of the cursor's row from column on by n: left (the first n
 * are lost) or right (the last n are lost).
 */
static void
shift_cells(const struct grid *g, unsigned column, unsigned n, bool left)
{
	struct cell *at = cell_at(g, g->row, column);
	unsigned there = g->columns - column;

	if (n > there)
		n = there;
	if (left) {
		memmove(at, at + n, (there - n) * sizeof(*at));
		erase(g, g->row, g->columns - n, g->columns);
	} else {
		memmove(at + n, at, (there - n) * sizeof(*at));
		erase(g, g->row, column, column + n);
	}
}

static void
erase_in_row(struct grid *g, unsigned what, unsigned column)
{
	erase(g, g->row, what == 0 ? column : 0,
	    what == 1 ? column + 1 : g->columns);
}

static void
change(struct grid *g, const struct vt_csi *csi)
{
	unsigned n = csi->v[0] != 0 ? csi->v[0] : 1;
	unsigned what = csi->v[0];
	unsigned column = clamp(g->column, g->columns);

	switch (csi->final) {
	case 'J':
		if (what == 0)
			erase_rows(g, g->row + 1, g->rows);
		else
			erase_rows(g, 0, what == 1 ? g->row : g->rows);
		if (what <= 1)
			erase_in_row(g, what, column);
		break;
	case 'K':
		erase_in_row(g, what, column);
		break;
	case 'X':
		erase(g, g->row, column, clamp(column + n, g->columns + 1));
		break;
	case 'P':
	case '@':
		shift_cells(g, column, n, csi->final == 'P');
		break;
	case 'L':
	case 'M':
		shift_rows(g, g->row, n, csi->final == 'M');
		break;
	case 'S':
	case 'T':
		shift_rows(g, 0, n, csi->final == 'S');
		break;
	default:
		break;
	}
}

static void
on_token(void *arg, const struct vt_token *token)
{
	struct grid *g = arg;
	struct vt_csi csi;

	if (token->kind == VT_TEXT)
		on_text(g, token->body, token->len);
	else if (token->kind == VT_CONTROL)
		on_control(g, token->body[0]);
	else if (token->kind == VT_ESCAPE && token->len == 1)
		on_escape(g, token->body[0]);
	else if (vt_read_csi(token, &csi) && csi.prefix == 0 &&
	    csi.intermediate[0] == '\0' && !move(g, &csi))
		change(g, &csi);
}

/* Writes a row to out, without the blanks at its end. */
static void
add_row(const struct grid *g, unsigned row, struct strbuf *out)
{
	size_t end = 0;

	strbuf_reset(out);
	for (unsigned i = 0; i < g->columns; i++) {
		const struct cell *cell = cell_at(g, row, i);

		if (cell->c[0] == '\0' || cell->c[0] == ' ') {
			strbuf_addch(out, ' ');
			continue;
		}
		strbuf_add(out, cell->c, strnlen(cell->c, sizeof(cell->c)));
		end = out->len;
	}
	strbuf_setlen(out, end);
}

void
screentext_render(const char *raw, size_t len, unsigned rows, unsigned columns,
    struct strvec *ret_lines)
{
	struct vt vt = VT_INIT;
	struct grid g = {
		.rows = rows == 0 ? 24
		    : rows < SCREENTEXT_ROWS_MAX
		    ? rows
		    : (unsigned)SCREENTEXT_ROWS_MAX,
		.columns = columns == 0 ? 80
		    : columns < SCREENTEXT_COLUMNS_MAX
		    ? columns
		    : (unsigned)SCREENTEXT_COLUMNS_MAX,
	};
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	unsigned empty = 0;
	bool begun = false;

	g.cells = xcalloc((size_t)g.rows * g.columns, sizeof(*g.cells));
	vt_parse(&vt, raw, len, on_token, &g);
	vt_release(&vt);
	for (unsigned row = 0; row < g.rows; row++) {
		add_row(&g, row, &line);
		if (line.len == 0) {
			empty++;
			continue;
		}
		for (; begun && empty > 0; empty--)
			strvec_push(ret_lines, "");
		empty = 0;
		begun = true;
		strvec_push(ret_lines, line.buf);
	}
	free(g.cells);
}
