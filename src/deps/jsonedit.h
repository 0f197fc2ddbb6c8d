/* SPDX-License-Identifier: MIT */
/*
 * jsonedit: changes members of a JSON document by their offsets and copies the
 * other bytes.
 *
 * Changes are collected, and jsonedit_finish() writes the text with all of
 * them.  They may come in any order, and do not overlap.  A member that is
 * added stands behind the last one, in the indent and with the line ends that
 * the document begins with, as npm would write it.
 */
#ifndef DRYDOCK_JSONEDIT_H
#define DRYDOCK_JSONEDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

struct json;

struct jsonedit_change {
	size_t start; /* the bytes from start to end are replaced */
	size_t end;
	size_t order; /* in which changes at one offset came */
	char *text; /* owned */
};

struct jsonedit {
	const char *text; /* borrowed */
	size_t len;
	struct jsonedit_change *v; /* owned */
	size_t nr;
	size_t alloc;
};

#define JSONEDIT_INIT(text, len)          \
	{                                 \
		(text), (len), NULL, 0, 0 \
	}

void jsonedit_release(struct jsonedit *e);

/* The indent and the line end of a document that begins with "{" or "[". */
struct jsonedit_format {
	const char *newline; /* empty: all on one line */
	struct strbuf indent;
};

#define JSONEDIT_FORMAT_INIT    \
	{                       \
		"", STRBUF_INIT \
	}

void jsonedit_format_read(
    struct jsonedit_format *ret, const char *text, size_t len);
void jsonedit_format_release(struct jsonedit_format *f);
/* Appends a line end and the indent of this depth. */
void jsonedit_format_break(
    const struct jsonedit_format *f, size_t depth, struct strbuf *out);
/* The same, and a key with its colon. */
void jsonedit_format_member(const struct jsonedit_format *f, size_t depth,
    const char *key, struct strbuf *out);

/* Keys are printable UTF-8.  Replaces a value by the token. */
void jsonedit_replace(
    struct jsonedit *e, const struct json *value, const char *token);

/*
 * Removes a member.  is_first: all members before it are removed too.  Of
 * several members at least one stays.
 */
void jsonedit_remove(
    struct jsonedit *e, const struct json *object, size_t i, bool is_first);

/* Adds a member behind the last one of an object at this depth (root: 1). */
void jsonedit_append(struct jsonedit *e, const struct json *object,
    const struct jsonedit_format *f, size_t depth, const char *key,
    const char *token);

/* Adds a member behind the i-th, with the blanks that stand before that. */
void jsonedit_insert(struct jsonedit *e, const struct json *object, size_t i,
    const char *key, const char *token);

/* Appends the text with the changes. */
void jsonedit_finish(struct jsonedit *e, struct strbuf *out);

/* Returns the index of a key, or json_len(object). */
size_t jsonedit_index(const struct json *object, const char *key);

/* Returned: the bytes of a value; NULL for NULL. */
char *jsonedit_token(const char *text, const struct json *value);
/* Returns true if the bytes of a value are this token.  value may be NULL. */
bool jsonedit_is(const char *text, const struct json *value, const char *token);

#define cleanup_jsonedit __attribute__((cleanup(jsonedit_release)))
#define cleanup_jsonedit_format \
	__attribute__((cleanup(jsonedit_format_release)))

#endif /* DRYDOCK_JSONEDIT_H */
