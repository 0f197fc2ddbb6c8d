/* SPDX-License-Identifier: MIT */
#include "base/decimal.h"

#include <bsd/stdlib.h>
#include <string.h>

bool
decimal_parse(const char *text, int64_t min, int64_t max, int64_t *ret_value)
{
	const char *problem = NULL;
	long long value = strtonum(text, min, max, &problem);

	/* strtonum() accepts blanks and a sign in front of the digits. */
	if (problem != NULL || text[strspn(text, "0123456789")] != '\0')
		return false;
	*ret_value = value;
	return true;
}
