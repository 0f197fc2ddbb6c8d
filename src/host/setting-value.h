/* SPDX-License-Identifier: MIT */
/*
 * setting-value: reads and writes the values of each setting_type.  For
 * settings.c.
 */
#ifndef DRYDOCK_SETTING_VALUE_H
#define DRYDOCK_SETTING_VALUE_H

#include <stdint.h>

#include "host/settings.h"

struct diag;
struct strbuf;
struct strvec;

/*
 * Reads text as a number of row's type (INT, SIZE, CPUS, DURATION, BOOL) within
 * row's bounds.  Failures are DIAG_CONFIG "ORIGIN: NAME: why".
 */
int setting_value_number(const struct setting *row, const char *text,
    const char *origin, int64_t *ret_value, struct diag *dg);

/*
 * Splits text at blanks and commas, checks each word, drops duplicates and
 * replaces *ret_words.
 */
int setting_value_words(const struct setting *row, const char *text,
    const char *origin, struct strvec *ret_words, struct diag *dg);

/* Checks text as the value of a string setting. */
int setting_value_check(const struct setting *row, const char *text,
    const char *origin, struct diag *dg);

/* Appends value in the form that setting_value_number() reads. */
void setting_value_print(
    enum setting_type type, int64_t value, struct strbuf *out);

#endif /* DRYDOCK_SETTING_VALUE_H */
