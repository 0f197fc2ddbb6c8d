/* SPDX-License-Identifier: MIT */
/* decimal: decimal numbers in text that drydock did not write. */
#ifndef DRYDOCK_DECIMAL_H
#define DRYDOCK_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Parses text that has only digits, without sign and blanks, as a number from
 * min (0 or more) to max.  Returns false for any other text; *ret_value is then
 * unchanged.
 */
bool decimal_parse(
    const char *text, int64_t min, int64_t max, int64_t *ret_value);

#endif /* DRYDOCK_DECIMAL_H */
