/* SPDX-License-Identifier: MIT */
/*
 * text: checks words, reads files of lines with # comments, and finds the name
 * that a mistyped word is close to.
 */
#ifndef DRYDOCK_TEXT_H
#define DRYDOCK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct strbuf;

/*
 * Returns true for UTF-8 without control characters (C0, DEL, C1), U+FFFE and
 * U+FFFF.  Such text is one line.
 */
bool text_is_plain(const char *s);

/* ASCII letters only, in every locale. */
char text_lower(char c);
char text_upper(char c);

/*
 * Parses text that has only digits, without sign and blanks, as a number from
 * min (0 or more) to max.  Returns false for any other text; *ret_value is then
 * unchanged.
 */
bool text_decimal(
    const char *text, int64_t min, int64_t max, int64_t *ret_value);

/*
 * Returns true for the name of an environment variable: [A-Za-z_][A-Za-z0-9_]*.
 */
bool text_is_variable(const char *s);
/* The same as a check (host/settings.h): NULL, or what is wrong. */
const char *text_check_variable(const char *s);

/* Returns true if s ends with end and is longer than it. */
bool text_ends_with(const char *s, const char *end);

/* Returns true for a relative path without empty, "." or ".." components. */
bool text_is_below(const char *path);

/* The state of a line reader.  The text is borrowed. */
struct lines {
	const char *name;
	const char *at;
	const char *end;
	size_t number; /* of the last line returned by lines_next(), from 1 */
};

/*
 * Starts to read text.  More than max bytes, invalid UTF-8, or a control
 * character other than tab and line ends (LF, CR LF) is DIAG_CONFIG.  The
 * message has the name and, except for the size, the line number.
 */
int lines_init(struct lines *lines, const char *name, const char *text,
    size_t len, size_t max, struct diag *dg);

/*
 * Stores the next line that is neither blank nor a comment in line, without
 * surrounding blanks.  Returns false at the end.
 */
bool lines_next(struct lines *lines, struct strbuf *line);

/*
 * Removes a comment: a # at the start or after a blank, and the rest of the
 * line.
 */
void lines_cut_comment(struct strbuf *line);

/*
 * Appends a line to a text.  Ends it, and an unfinished last line before it,
 * as the text's first line ends: with LF or CR LF.
 */
void text_add_line(struct strbuf *text, const char *line);

/* The closest known name to a mistyped word. */
struct nearest {
	const char *word; /* borrowed */
	const char *name; /* borrowed; the result, NULL when no name is close */
	size_t distance;
};

/* Starts a search for word, which must outlive n. */
void nearest_init(struct nearest *n, const char *word);

/*
 * Offers one candidate.  n->name is the candidate with the fewest edits: a
 * letter changed, added or removed, or two adjacent letters swapped.  The limit
 * on edits grows with the length of word.
 */
void nearest_offer(struct nearest *n, const char *name);

#endif /* DRYDOCK_TEXT_H */
