/* SPDX-License-Identifier: MIT */
/* Decimal numbers in text that somebody else wrote. */
#ifndef DRYDOCK_DECIMAL_H
#define DRYDOCK_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Parses a text that is digits alone, without sign and blanks: a number from
 * min (0 or more) to max.  Returns false for anything else; *ret_value is then
 * unchanged.
 */
bool decimal_parse(
    const char *text, int64_t min, int64_t max, int64_t *ret_value);

#endif /* DRYDOCK_DECIMAL_H */
