/* SPDX-License-Identifier: MIT */
/*
 * json: a strict reader for documents that other programs wrote (RFC 8259), and
 * a writer for drydock's own documents.
 *
 * The reader uses yajl and refuses what yajl accepts: bad UTF-8 (also encoded
 * surrogates), a lone \ud800, a NUL character, a duplicate key, trailing text,
 * and containers nested deeper than JSON_MAX_DEPTH.  All are DIAG_DATA; the
 * message names the line.  The caller bounds the size.  Nodes are borrowed from
 * their document.  Getters accept NULL and return NULL, 0 or false, so that a
 * chain of gets needs one check at its end.
 */
#ifndef DRYDOCK_JSON_H
#define DRYDOCK_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct strbuf;
struct strvec;
struct json; /* a node; the root owns all nodes */

#define JSON_MAX_DEPTH 64
#define JSON_LOOSE_DEPTH 128

/* A member's key, borrowed from its object. */
struct json_key {
	char *text; /* terminated; may hold a NUL if loose */
	size_t len;
	size_t start; /* offset of its opening quote in the text */
};

/* Parses a document.  Messages call it what. */
int json_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg);

/*
 * The same for a document that is copied byte by byte and not interpreted: a
 * string may hold a NUL character, a key may occur twice, and containers may
 * nest to JSON_LOOSE_DEPTH.
 */
int json_parse_loose(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg);
void json_free(struct json *root);
void json_freep(struct json **root);

const struct json *json_get(const struct json *object, const char *key);
const struct json *json_at(const struct json *array, size_t i);
size_t json_len(const struct json *array_or_object);
/* Returns the i-th key of an object, in document order. */
const char *json_key_at(const struct json *object, size_t i);
const struct json *json_value_at(const struct json *object, size_t i);
/* Returns all json_len() keys in document order; NULL if not an object. */
const struct json_key *json_keys(const struct json *object);

/* Sorts the keys.  Returns a key that occurs twice, or NULL. */
const struct json_key *json_find_duplicate(struct json_key *keys, size_t nr);

/* The byte range of a value in the parsed text. */
size_t json_start(const struct json *n);
size_t json_end(const struct json *n);

bool json_is_object(const struct json *n);
bool json_is_array(const struct json *n);
bool json_is_string(const struct json *n);
bool json_is_bool(const struct json *n);
bool json_is_null(const struct json *n); /* false if n is absent */
/* NULL if not a string.  json_parse() refuses a string with a NUL character. */
const char *json_string(const struct json *n);
/* The same, with the length; also for a string that holds a NUL character. */
const char *json_string_len(const struct json *n, size_t *ret_len);
const char *json_string_or(const struct json *n, const char *fallback);
/* The digits of a number as in the text; NULL if not a number. */
const char *json_number(const struct json *n);
/* Returns false unless n is an integer (no fraction or exponent) that fits. */
bool json_int(const struct json *n, int64_t *ret_value);
/* The fallback unless n is an integer that is not negative. */
int64_t json_count_or(const struct json *n, int64_t fallback);
bool json_bool(const struct json *n, bool fallback);

/*
 * Finds the first \u escape, at or after from, that is half a surrogate pair;
 * yajl turns one into a '?'.  from is 0 or the offset after an escape.  Only
 * strings hold backslashes, so that this needs no grammar.  yajl refuses
 * malformed escapes.
 */
bool json_find_lone_surrogate(
    const char *text, size_t len, size_t from, size_t *ret_offset);

/* Sets DIAG_DATA "WHAT: line N: WHY", N being offset's line; returns -1. */
int json_refuse_at(const char *text, size_t offset, const char *what,
    const char *why, struct diag *dg);

/*
 * Writer: produces a document, indented by 2 spaces if pretty.  The helpers
 * record yajl's status.  jsonw_finish() fails for a string that is not UTF-8
 * (DIAG_DATA) and for an incomplete document (DIAG_BUG), and then leaves out
 * unchanged.
 */
struct jsonw;
struct jsonw *jsonw_new(bool pretty);
void jsonw_open_object(struct jsonw *w);
void jsonw_close_object(struct jsonw *w);
void jsonw_open_array(struct jsonw *w);
void jsonw_close_array(struct jsonw *w);
void jsonw_key(struct jsonw *w, const char *key);
void jsonw_str(struct jsonw *w, const char *value); /* NULL: null */
void jsonw_strn(struct jsonw *w, const char *value, size_t len);
void jsonw_int(struct jsonw *w, int64_t value);
void jsonw_bool(struct jsonw *w, bool value);
void jsonw_null(struct jsonw *w);
/* Writes a number with the source's digits (RFC 8259 section 6). */
void jsonw_number_raw(struct jsonw *w, const char *digits);
/* Writes an array of strings. */
void jsonw_strvec(struct jsonw *w, const struct strvec *words);
/* Writes a parsed node; key order and the digits of numbers are kept. */
void jsonw_node(struct jsonw *w, const struct json *n);
/* A key, and its value or the start of it. */
void jsonw_key_object(struct jsonw *w, const char *key);
void jsonw_key_array(struct jsonw *w, const char *key);
void jsonw_key_str(struct jsonw *w, const char *key, const char *value);
void jsonw_key_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_key_bool(struct jsonw *w, const char *key, bool value);
void jsonw_key_strvec(
    struct jsonw *w, const char *key, const struct strvec *words);
void jsonw_key_node(struct jsonw *w, const char *key, const struct json *n);
/* Appends the document and a newline to out; frees w (given). */
int jsonw_finish(struct jsonw *w, struct strbuf *out, struct diag *dg);
/* Like jsonw_finish(), but prints the text to standard output. */
int jsonw_print(struct jsonw *w, struct diag *dg);
/* Discards a document.  NULL is accepted. */
void jsonw_free(struct jsonw *w);

/*
 * Appends text to out, and adds to the end of its top object the members of the
 * object defaults that it lacks.  An empty text counts as {}.  A text that is
 * not a JSON object is DIAG_DATA; what names it in the message.  After a
 * failure out is unchanged.
 */
int json_add_missing(const char *text, size_t len, const char *what,
    const struct json *defaults, struct strbuf *out, struct diag *dg);

#define cleanup_json __attribute__((cleanup(json_freep)))

#endif /* DRYDOCK_JSON_H */
