/* SPDX-License-Identifier: MIT */
/*
 * json-text: what yajl does not look for in a document's text, for readers
 * that use yajl themselves.
 */
#ifndef DRYDOCK_JSON_TEXT_H
#define DRYDOCK_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The line, from 1, that the byte at offset is on. */
size_t json_line_of(const char *text, size_t offset);

/*
 * Finds the first \u escape that is half a surrogate pair; yajl makes a '?'
 * of it.
 */
bool json_find_lone_surrogate(const char *text, size_t len, size_t *ret_offset);

/* Finds the first vertical tab or form feed: blanks to yajl, not to JSON. */
bool json_find_foreign_blank(const char *text, size_t len, size_t *ret_offset);

#endif /* DRYDOCK_JSON_TEXT_H */
