/* SPDX-License-Identifier: MIT */
/* moment: parses RFC 3339 times with fractions and offsets, and prints them. */
#include "base/moment.h"

#include <stddef.h>

#include "base/xalloc.h"

/* Parses two digits; -1 for anything else. */
static int
two_digits(const char *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Parses "Z" or "+01:00" to the end of the string; in seconds. */
static bool
parse_offset(const char *p, long *ret_seconds)
{
	int hours;
	int minutes;

	if (p[0] == 'Z' && p[1] == '\0') {
		*ret_seconds = 0;
		return true;
	}
	if (p[0] != '+' && p[0] != '-')
		return false;
	hours = two_digits(p + 1);
	if (hours == -1 || p[3] != ':')
		return false;
	minutes = two_digits(p + 4);
	if (minutes == -1 || p[6] != '\0')
		return false;
	*ret_seconds = (hours * 60L + minutes) * 60;
	if (p[0] == '-')
		*ret_seconds = -*ret_seconds;
	return true;
}

bool
moment_parse(const char *text, struct timespec *ret_time)
{
	struct tm tm = { 0 };
	const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	long ns = 0;
	long offset;

	if (p == NULL)
		return false;
	if (*p == '.') {
		long unit = 100000000;

		for (p++; *p >= '0' && *p <= '9'; p++) {
			ns += (*p - '0') * unit;
			unit /= 10;
		}
	}
	if (!parse_offset(p, &offset))
		return false;
	ret_time->tv_sec = timegm(&tm) - offset;
	ret_time->tv_nsec = ns;
	return true;
}

bool
moment_before(struct timespec a, struct timespec b)
{
	if (a.tv_sec != b.tv_sec)
		return a.tv_sec < b.tv_sec;
	return a.tv_nsec < b.tv_nsec;
}

char *
moment_text(time_t at)
{
	char text[sizeof("2026-11-22T14:55:44Z")];
	struct tm tm;

	if (gmtime_r(&at, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return NULL;
	return xstrdup(text);
}

char *
moment_now(void)
{
	char *text = moment_text(time(NULL));

	return text != NULL ? text : xstrdup("1970-01-01T00:00:00Z");
}
