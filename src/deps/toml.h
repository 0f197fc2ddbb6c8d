/* SPDX-License-Identifier: MIT */
/*
 * toml: the statements of a TOML text, and their keys.
 *
 * The scanner finds where strings, lists, inline tables and comments end.  It
 * does not judge values.  The parts of a key are slices of the text.  A part
 * may have the escapes for quotes, backslashes and control characters, as they
 * stand; an escape that can be a letter is refused, and so is a key of more
 * than TOML_MAX_PARTS parts.  A refused text is DIAG_DATA; the message names
 * the line.
 */
#ifndef DRYDOCK_TOML_H
#define DRYDOCK_TOML_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

#define TOML_MAX_PARTS 32

struct toml {
	const char *text; /* borrowed */
	size_t len;
	const char *what; /* borrowed; the text's name in messages */
	size_t at; /* of the statement or comment */
	size_t end; /* of it, before its line end */
};

struct toml_slice {
	const char *at; /* borrowed from the text */
	size_t len;
};

/* A key's parts, without quotes.  A table's key comes first. */
struct toml_path {
	size_t nr;
	struct toml_slice v[TOML_MAX_PARTS];
};

/*
 * Begins before the first statement.  A text with bytes that TOML does not
 * permit (NUL and other control characters, a CR alone, not UTF-8) is refused.
 */
int toml_begin(struct toml *ret_toml, const char *text, size_t len,
    const char *what, struct diag *dg);

/* Moves to the next statement or comment; *ret_more is false at the end. */
int toml_next(struct toml *t, bool *ret_more, struct diag *dg);

bool toml_is_comment(const struct toml *t);
bool toml_is_header(const struct toml *t);
/* Returns true if the statement or comment is this line. */
bool toml_line_is(const struct toml *t, const char *line);

typedef int toml_visitor(void *arg, const struct toml_path *path,
    const struct toml_slice *value, struct diag *dg);

/*
 * Calls visit() for each key of the statement: for a header with a value of
 * NULL, and for each value.  An inline table is visited before its own keys,
 * which stand below the table's; elements of lists are not visited.  table
 * holds the last header's key and is all zeros at the text's begin.  A value
 * has the comments behind it.  A return of visit() that is not 0 ends the call,
 * which returns it.
 */
int toml_visit(const struct toml *t, struct toml_path *table,
    toml_visitor *visit, void *arg, struct diag *dg);

/*
 * The same for each statement of a text; what is its name in messages.  A
 * malformed text fails as in toml_begin() and toml_next().
 */
int toml_visit_all(const char *text, size_t len, const char *what,
    toml_visitor *visit, void *arg, struct diag *dg);

/* Returns true if part i of the key is there and is this word. */
bool toml_part_is(const struct toml_path *path, size_t i, const char *word);

/*
 * Reads a string on one line, as a part of a key is read.  Returns false for
 * all else.
 */
bool toml_string(const struct toml_slice *value, struct toml_slice *ret_string);

/* Appends a statement without comments, and blanks only in strings. */
void toml_add_plain(struct strbuf *out, const char *text, size_t len);

#endif /* DRYDOCK_TOML_H */
