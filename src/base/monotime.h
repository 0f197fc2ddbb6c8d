/* SPDX-License-Identifier: MIT */
/*
 * monotime: deadlines, on the clock that nobody sets.
 */
#ifndef DRYDOCK_MONOTIME_H
#define DRYDOCK_MONOTIME_H

#include <stdint.h>

/* Milliseconds on CLOCK_MONOTONIC. */
int64_t monotime_ms(void);

/* What poll(2) may wait until deadline: 0 when it has passed. */
int monotime_left_ms(int64_t deadline);

#endif /* DRYDOCK_MONOTIME_H */
