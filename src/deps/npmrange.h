/* SPDX-License-Identifier: MIT */
/*
 * npmrange: whether npm applies the override "NAME@VERSION" to a dependency.
 *
 * npm applies it if the dependency's range intersects VERSION, and also if the
 * dependency is a tag ("latest").  A range is NPMRANGE_NO only if VERSION does
 * not satisfy it in npm's rules for certain.
 */
#ifndef DRYDOCK_NPMRANGE_H
#define DRYDOCK_NPMRANGE_H

enum npmrange {
	NPMRANGE_NO, /* neither satisfied nor overridden */
	NPMRANGE_YES,
	/* URL, alias, pre-release, or a form that is not read here */
	NPMRANGE_UNKNOWN,
};

/* Judges a range of comparators (^ ~ < > =), x-ranges, hyphens and "||". */
enum npmrange npmrange_judge(const char *range, const char *version);

#endif /* DRYDOCK_NPMRANGE_H */
