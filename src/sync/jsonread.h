/* SPDX-License-Identifier: MIT */
/*
 * jsonread: one strict pass over a JSON document, which finds where the bytes
 * of some of its places are.
 */
#ifndef DRYDOCK_JSONREAD_H
#define DRYDOCK_JSONREAD_H

#include <stddef.h>

struct diag;
struct jsonpaths;

struct byte_range {
	size_t start;
	size_t end;
};

struct byte_ranges {
	struct byte_range *v; /* owned; in order, not overlapping */
	size_t nr;
	size_t alloc;
};

#define BYTE_RANGES_INIT   \
	{                  \
		NULL, 0, 0 \
	}

/* Checks the grammar and the depth of the whole text. */
int jsonread_check(
    const char *text, size_t len, const char *what, struct diag *dg);

/*
 * Collects the ranges to cut out of a text that jsonread_check() passed so that
 * the places of paths (NULL: none) are gone and the rest is a document: the
 * members with their keys, and a comma for each.  A duplicate key in what stays
 * is DIAG_DATA.
 */
int jsonread_cut(const char *text, size_t len, const char *what,
    const struct jsonpaths *paths, struct byte_ranges *ret, struct diag *dg);

void byte_ranges_release(struct byte_ranges *ranges);

#define cleanup_byte_ranges __attribute__((cleanup(byte_ranges_release)))

#endif /* DRYDOCK_JSONREAD_H */
