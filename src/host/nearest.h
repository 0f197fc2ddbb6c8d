/* SPDX-License-Identifier: MIT */
/*
 * nearest: the name that somebody probably meant.
 */
#ifndef DRYDOCK_NEAREST_H
#define DRYDOCK_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word; /* borrowed */
	const char *name; /* borrowed; the answer, NULL when none is near */
	size_t distance;
};

/* Looks for word among the names offered afterwards. */
void nearest_init(struct nearest *n, const char *word);

/*
 * Offers one name.  n->name is the one with the fewest edits (letter changed,
 * added, left out, two swapped), when those are few for the word's length.
 */
void nearest_offer(struct nearest *n, const char *name);

#endif /* DRYDOCK_NEAREST_H */
