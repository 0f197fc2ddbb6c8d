/* SPDX-License-Identifier: MIT */
/*
 * json: documents that other programs wrote (RFC 8259), read strictly, and
 * documents of ours, written.
 *
 * Reading: yajl, and what it lets pass is refused beforehand: bad UTF-8 (also
 * encoded surrogates), a lone \ud800, a NUL character, a duplicate key,
 * trailing text, containers in more than JSON_MAX_DEPTH levels.  All are
 * DIAG_DATA and name the line.  Bounding the size is the caller's.  Nodes are
 * borrowed from their document.  Getters accept NULL and answer NULL/0/false,
 * so a path of gets needs one check at its end.
 */
#ifndef DRYDOCK_JSON_H
#define DRYDOCK_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct strbuf;
struct json; /* a node; the root owns all */

#define JSON_MAX_DEPTH 64
#define JSON_LOOSE_DEPTH 128

/* A member's key, borrowed from its object. */
struct json_key {
	char *text; /* terminated; one of a loose document may hold a NUL */
	size_t len;
	size_t start; /* of its quote, in the text */
};

/* what names the document in messages. */
int json_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg);

/*
 * The same for a document whose bytes are copied, not its meaning: strings may
 * hold a NUL character, keys may be there twice, and containers may be in
 * JSON_LOOSE_DEPTH levels.
 */
int json_parse_loose(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg);
void json_free(struct json *root);
void json_freep(struct json **root);

const struct json *json_get(const struct json *object, const char *key);
const struct json *json_at(const struct json *array, size_t i);
size_t json_len(const struct json *array_or_object);
/* The i-th key of an object, in document order. */
const char *json_key_at(const struct json *object, size_t i);
const struct json *json_value_at(const struct json *object, size_t i);
/* All keys, in document order, json_len() of them; NULL for another kind. */
const struct json_key *json_keys(const struct json *object);

/* Sorts the keys; NULL, or one that is there twice. */
const struct json_key *json_find_duplicate(struct json_key *keys, size_t nr);

/* Where the bytes of a value are in the text that was parsed. */
size_t json_start(const struct json *n);
size_t json_end(const struct json *n);

bool json_is_object(const struct json *n);
bool json_is_array(const struct json *n);
bool json_is_string(const struct json *n);
bool json_is_bool(const struct json *n);
bool json_is_null(const struct json *n); /* a JSON null, not absence */
/* NULL unless a string; one holding a NUL character is refused at parse. */
const char *json_string(const struct json *n);
/* The same with its length, also of one that holds a NUL character. */
const char *json_string_len(const struct json *n, size_t *ret_len);
const char *json_string_or(const struct json *n, const char *fallback);
/* The digits of a number as they stood in the text; NULL for another kind. */
const char *json_number(const struct json *n);
/* false unless an integer (no fraction, no exponent) that fits. */
bool json_int(const struct json *n, int64_t *ret_value);
bool json_bool(const struct json *n, bool fallback);

/*
 * Finds the first \u escape at or after from that is half a surrogate pair,
 * which yajl turns into a '?'.  from is 0 or just behind an escape.  Only strings
 * hold backslashes, so this needs no grammar; yajl refuses malformed escapes.
 */
bool json_find_lone_surrogate(
    const char *text, size_t len, size_t from, size_t *ret_offset);

/* Sets DIAG_DATA "WHAT: line N: WHY", the line that of offset; returns -1. */
int json_refuse_at(const char *text, size_t offset, const char *what,
    const char *why, struct diag *dg);

/*
 * Writer: appends to out, 2-space indented when pretty.  Each helper checks
 * yajl's status; a string that is not UTF-8 makes jsonw_finish() fail
 * (DIAG_DATA), as does a document that is not complete (DIAG_BUG); out is left
 * as it was then.
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
/* A number in its source's own digits (RFC 8259 section 6). */
void jsonw_number_raw(struct jsonw *w, const char *digits);
void jsonw_key_str(struct jsonw *w, const char *key, const char *value);
void jsonw_key_int(struct jsonw *w, const char *key, int64_t value);
void jsonw_key_bool(struct jsonw *w, const char *key, bool value);
/* Writes a parsed node again: key order and number digits are kept. */
void jsonw_node(struct jsonw *w, const struct json *n);
/* Appends the document and a newline to out; frees w (given). */
int jsonw_finish(struct jsonw *w, struct strbuf *out, struct diag *dg);
/* Gives a document up.  NULL is accepted. */
void jsonw_free(struct jsonw *w);

#define cleanup_json __attribute__((cleanup(json_freep)))

#endif /* DRYDOCK_JSON_H */
