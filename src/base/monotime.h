/* SPDX-License-Identifier: MIT */
/* monotime: deadlines on CLOCK_MONOTONIC, which cannot be set. */
#ifndef DRYDOCK_MONOTIME_H
#define DRYDOCK_MONOTIME_H

#include <stdint.h>

/* Milliseconds on CLOCK_MONOTONIC. */
int64_t monotime_ms(void);

/* Returns the timeout for poll(2) until deadline; 0 if deadline has passed. */
int monotime_left_ms(int64_t deadline);

#endif /* DRYDOCK_MONOTIME_H */
