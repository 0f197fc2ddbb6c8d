/* SPDX-License-Identifier: MIT */
/*
 * text: what people write: words, and files of lines with # comments.
 */
#ifndef DRYDOCK_TEXT_H
#define DRYDOCK_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

/* UTF-8 without C0 control characters and DEL: one line, safe to keep. */
bool text_is_plain(const char *s);

/* ASCII letters alone; no locale has a say. */
char text_lower(char c);
char text_upper(char c);

/* A name of an environment variable: [A-Za-z_][A-Za-z0-9_]*. */
bool text_is_variable(const char *s);

/* A relative path in its shortest form: no "", "." or ".." in it. */
bool text_is_below(const char *path);

/* A file of lines under way; text is borrowed. */
struct lines {
	const char *name;
	const char *at;
	const char *end;
	size_t number; /* of the line that lines_next() gave, from 1 */
};

/*
 * Starts on text.  More than max bytes, a byte that is not UTF-8 or a control
 * character other than tab and line ends (LF, CR LF) is DIAG_CONFIG with the
 * name and the line.
 */
int lines_init(struct lines *lines, const char *name, const char *text,
    size_t len, size_t max, struct diag *dg);

/*
 * Puts the next line that is neither blank nor a comment into line, without
 * the blanks around it; false at the end.
 */
bool lines_next(struct lines *lines, struct strbuf *line);

/* Cuts a # that stands at the start or after a blank, and what follows. */
void lines_cut_comment(struct strbuf *line);

#endif /* DRYDOCK_TEXT_H */
