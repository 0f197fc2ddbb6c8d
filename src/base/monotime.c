/* SPDX-License-Identifier: MIT */
/* Deadlines on CLOCK_MONOTONIC. */
#include "base/monotime.h"

#include <limits.h>
#include <time.h>

int64_t
monotime_ms(void)
{
	struct timespec ts = { 0, 0 };

	/* clock_gettime fails only for a clock that does not exist. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
monotime_left_ms(int64_t deadline)
{
	int64_t left = deadline - monotime_ms();

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
