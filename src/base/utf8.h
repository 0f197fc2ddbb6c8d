/* SPDX-License-Identifier: MIT */
/*
 * utf8: RFC 3629, strictly: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */
#ifndef DRYDOCK_UTF8_H
#define DRYDOCK_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at s, of which len bytes are there.  Returns the bytes
 * it takes, or 0 when they are no character; *ret_cp is set only then not.
 */
size_t utf8_decode(const char *s, size_t len, uint32_t *ret_cp);

/* How many of the bytes at the start are whole characters. */
size_t utf8_valid_prefix(const char *text, size_t len);

bool utf8_valid(const char *s, size_t len);

#endif /* DRYDOCK_UTF8_H */
