/* SPDX-License-Identifier: MIT */
/*
 * moment: the times that docker prints (RFC 3339 section 5.6).
 */
#ifndef DRYDOCK_MOMENT_H
#define DRYDOCK_MOMENT_H

#include <stdbool.h>
#include <time.h>

/* "2026-11-22T14:55:44.91Z", or with "+01:00".  False for anything else. */
bool moment_parse(const char *text, struct timespec *ret_time);

/* Whether a comes before b. */
bool moment_before(struct timespec a, struct timespec b);

#endif /* DRYDOCK_MOMENT_H */
