/* SPDX-License-Identifier: MIT */
/*
 * utf8: a strict decoder (RFC 3629): no overlong forms, no surrogates, nothing
 * above U+10FFFF.
 */
#ifndef DRYDOCK_UTF8_H
#define DRYDOCK_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Returns the length in bytes of a character that starts with this byte, or 0
 * if no character does.
 */
size_t utf8_size(unsigned char first);

/*
 * Decodes the character at s, where len bytes are available.  Returns its
 * length in bytes, or 0 if the bytes are not a character.  *ret_cp is set on
 * success only.
 */
size_t utf8_decode(const char *s, size_t len, uint32_t *ret_cp);

/* Returns the length of the longest prefix of whole, valid characters. */
size_t utf8_valid_prefix(const char *text, size_t len);

bool utf8_valid(const char *s, size_t len);

#endif /* DRYDOCK_UTF8_H */
