/* SPDX-License-Identifier: MIT */
/* moment: times as docker prints them and drydock writes them (RFC 3339). */
#ifndef DRYDOCK_MOMENT_H
#define DRYDOCK_MOMENT_H

#include <stdbool.h>
#include <time.h>

/*
 * Parses "2026-11-22T14:55:44.91Z", or with an offset such as "+01:00".
 * Returns false for anything else.
 */
bool moment_parse(const char *text, struct timespec *ret_time);

/* Returns true if a is before b. */
bool moment_before(struct timespec a, struct timespec b);

/* Returned: "2026-11-22T14:55:44Z"; NULL if the year has no four digits. */
char *moment_text(time_t at);

/* Returned: the same of this second. */
char *moment_now(void);

#endif /* DRYDOCK_MOMENT_H */
