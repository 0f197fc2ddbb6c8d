/* SPDX-License-Identifier: MIT */
/* version: reads and compares what `--version` answers hold. */
#include "engine/version.h"

#include <stddef.h>

/* Reads up to six digits, so that no number overflows; NULL without any. */
static const char *
parse_number(const char *p, int *ret_value)
{
	int value = 0;
	int digits = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (++digits > 6)
			return NULL;
		value = value * 10 + (*p - '0');
	}
	if (digits == 0)
		return NULL;
	*ret_value = value;
	return p;
}

bool
version_parse(const char *text, struct version *ret_version)
{
	struct version v;
	const char *p = text;

	if (*p == 'v')
		p++;
	p = parse_number(p, &v.major);
	if (p == NULL || *p != '.')
		return false;
	p = parse_number(p + 1, &v.minor);
	if (p == NULL)
		return false;
	*ret_version = v;
	return true;
}

bool
version_before(struct version a, struct version b)
{
	if (a.major != b.major)
		return a.major < b.major;
	return a.minor < b.minor;
}
