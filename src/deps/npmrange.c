/* SPDX-License-Identifier: MIT */
/* Judges the ranges of node-semver for one version. */
#include "deps/npmrange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BLANKS " \t"
#define DIGITS "0123456789"
#define LETTERS                      \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define MAX_NUMBER UINT64_C(9007199254740991)
#define MAX_RANGE ((size_t)1024)

/* "1.2", "1.x", "*", "1.2.3-beta" */
struct partial {
	uint64_t part[3];
	int nr; /* parts that are numbers: 0 to 3 */
	bool is_pre; /* has a pre-release */
};

/* Where a version is among those with the same numbers. */
enum rank {
	RANK_BELOW, /* below all pre-releases */
	RANK_PRE, /* one of them: their order is not judged */
	RANK_RELEASE,
};

struct point {
	uint64_t part[3];
	enum rank rank;
};

static int
compare(const struct point *a, const struct point *b)
{
	for (int i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	return (int)a->rank - (int)b->rank;
}

static bool
read_number(const char **at, uint64_t *ret)
{
	size_t digits = strspn(*at, DIGITS);
	uint64_t value = 0;

	/* node-semver refuses a leading zero. */
	if (digits == 0 || digits > 16 || (digits > 1 && **at == '0'))
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)((*at)[i] - '0');
	*at += digits;
	*ret = value;
	return value <= MAX_NUMBER;
}

/* Reads identifiers behind a '-' or a '+'. */
static bool
read_identifiers(const char **at)
{
	for (;;) {
		size_t len = strspn(*at, LETTERS DIGITS "-");

		if (len == 0)
			return false;
		*at += len;
		if (**at != '.')
			return true;
		++*at;
	}
}

static bool
read_partial(const char **at, struct partial *ret)
{
	bool is_open = false; /* an x was read */
	struct partial p = { .nr = 0 };

	if (**at == 'v' || **at == '=')
		++*at;
	for (int i = 0; i < 3; i++) {
		if (**at != '\0' && strchr("xX*", **at) != NULL) {
			is_open = true;
			++*at;
		} else if (is_open || !read_number(at, &p.part[i])) {
			return false;
		} else {
			p.nr++;
		}
		if (**at != '.' || i == 2)
			break;
		++*at;
	}
	for (int i = p.nr; i < 3; i++)
		p.part[i] = 0;
	if (**at != '-' && **at != '+') {
		*ret = p;
		return true;
	}
	if (p.nr < 3)
		return false;
	if (**at == '-') {
		++*at;
		p.is_pre = true;
		if (!read_identifiers(at))
			return false;
	}
	if (**at == '+') {
		++*at;
		if (!read_identifiers(at))
			return false;
	}
	*ret = p;
	return true;
}

/* The first version (a pre-release) above all that have the first nr parts. */
static struct point
above(const struct partial *p, int nr)
{
	struct point r = { .rank = RANK_PRE };

	for (int i = 0; i < nr; i++)
		r.part[i] = p->part[i];
	r.part[nr - 1]++;
	return r;
}

/* Returns true if the comparator admits the version. */
static bool
admits(const char *op, const struct partial *p, const struct point *v)
{
	struct point low = { .rank = p->is_pre ? RANK_PRE : RANK_RELEASE };
	struct point high;
	int nr = 1;

	memcpy(low.part, p->part, sizeof(low.part));
	if (p->nr == 0)
		return strcmp(op, "<") != 0 && strcmp(op, ">") != 0;
	if (strcmp(op, ">=") == 0)
		return compare(v, &low) >= 0;
	if (strcmp(op, "<") == 0) {
		low.rank = p->nr < 3 ? RANK_PRE : low.rank;
		return compare(v, &low) < 0;
	}
	high = above(p, p->nr);
	if (strcmp(op, ">") == 0)
		return p->nr < 3 ? compare(v, &high) > 0 : compare(v, &low) > 0;
	if (strcmp(op, "<=") == 0)
		return p->nr < 3 ? compare(v, &high) < 0
				 : compare(v, &low) <= 0;
	/* ^ keeps all parts up to the first that is not 0. */
	while (nr < p->nr && p->part[nr - 1] == 0)
		nr++;
	if (*op == '^')
		high = above(p, nr);
	else if (*op == '~')
		high = above(p, p->nr < 2 ? p->nr : 2);
	else if (p->nr == 3)
		return compare(v, &low) == 0;
	return compare(v, &low) >= 0 && compare(v, &high) < 0;
}

/* Reads "A - B" if it is there. */
static bool
read_hyphen(const char **at, const struct point *v, bool *ret_admitted)
{
	const char *p = *at;
	struct partial low;
	struct partial high;

	if (!read_partial(&p, &low) || strspn(p, BLANKS) == 0)
		return false;
	p += strspn(p, BLANKS);
	if (*p != '-' || strspn(p + 1, BLANKS) == 0)
		return false;
	p++;
	p += strspn(p, BLANKS);
	if (!read_partial(&p, &high))
		return false;
	p += strspn(p, BLANKS);
	*ret_admitted = admits(">=", &low, v) && admits("<=", &high, v);
	*at = p;
	return true;
}

static const char *
read_operator(const char **at)
{
	static const char *const operators[] = { ">=", "<=", ">", "<", "~>",
		"~", "^", "=" };

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		size_t len = strlen(operators[i]);

		if (strncmp(*at, operators[i], len) != 0)
			continue;
		*at += len;
		*at += strspn(*at, BLANKS);
		return operators[i];
	}
	return "";
}

/* Reads comparators up to "||" or the end; all must admit the version. */
static bool
read_set(const char **at, const struct point *v, bool *ret_admitted)
{
	*ret_admitted = true;
	*at += strspn(*at, BLANKS);
	if (read_hyphen(at, v, ret_admitted))
		return **at == '\0' || **at == '|';
	while (**at != '\0' && **at != '|') {
		const char *op = read_operator(at);
		struct partial p;

		if (!read_partial(at, &p) ||
		    (**at != '\0' && strchr(BLANKS "|", **at) == NULL))
			return false;
		*ret_admitted = *ret_admitted && admits(op, &p, v);
		*at += strspn(*at, BLANKS);
	}
	return true;
}

/* Returns false if the range cannot be read. */
static bool
read_range(const char *range, const struct point *v, bool *ret_admitted)
{
	const char *at = range;
	bool admitted;

	*ret_admitted = false;
	for (;;) {
		if (!read_set(&at, v, &admitted))
			return false;
		*ret_admitted = *ret_admitted || admitted;
		if (*at == '\0')
			return true;
		if (at[1] != '|')
			return false;
		at += 2;
	}
}

/* A word that can be no range: npm looks it up, and overrides it always. */
static bool
is_tag(const char *range)
{
	return strchr(LETTERS, *range) != NULL && *range != '\0' &&
	    strchr("vVxX", *range) == NULL &&
	    range[strspn(range, LETTERS DIGITS "-_")] == '\0';
}

enum npmrange
npmrange_judge(const char *range, const char *version)
{
	const char *at = version;
	struct partial p;

	if (strspn(version, DIGITS) == 0 || !read_partial(&at, &p) ||
	    *at != '\0' || p.nr != 3 || strchr(version, '+') != NULL ||
	    strlen(range) > MAX_RANGE)
		return NPMRANGE_UNKNOWN;
	if (is_tag(range) || strcmp(range, version) == 0)
		return NPMRANGE_YES;
	/*
	 * npm has one rule for the pre-releases that a range admits, and
	 * another for those that an override counts for: certain is what admits
	 * none of the three.
	 */
	for (int rank = p.is_pre ? RANK_BELOW : RANK_RELEASE;
	     rank <= RANK_RELEASE; rank++) {
		struct point v = { .rank = (enum rank)rank };
		bool admitted;

		memcpy(v.part, p.part, sizeof(v.part));
		if (!read_range(range, &v, &admitted))
			return NPMRANGE_UNKNOWN;
		if (admitted)
			return p.is_pre ? NPMRANGE_UNKNOWN : NPMRANGE_YES;
	}
	return NPMRANGE_NO;
}
