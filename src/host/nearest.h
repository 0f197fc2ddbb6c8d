/* SPDX-License-Identifier: MIT */
/* nearest: finds the closest known name to a mistyped word. */
#ifndef DRYDOCK_NEAREST_H
#define DRYDOCK_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word; /* borrowed */
	const char *name; /* borrowed; the result, NULL when no name is close */
	size_t distance;
};

/* Starts a search for word, which must outlive n. */
void nearest_init(struct nearest *n, const char *word);

/*
 * Offers one candidate.  n->name is the candidate with the fewest edits: a
 * letter changed, added or removed, or two adjacent letters swapped.  The limit
 * on edits grows with the length of word.
 */
void nearest_offer(struct nearest *n, const char *name);

#endif /* DRYDOCK_NEAREST_H */
