/* SPDX-License-Identifier: MIT */
/* nearest: edit distance between short names, for messages about typos. */

#include "host/nearest.h"

#include <string.h>

/* A longer word is not compared; this bounds the matrix. */
#define NEAREST_MAX 40

static size_t
min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment distance of two words of at most NEAREST_MAX bytes.
 */
static size_t
distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t d[NEAREST_MAX + 1][NEAREST_MAX + 1];

	for (size_t i = 0; i <= alen; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= blen; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		for (size_t j = 1; j <= blen; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
			size_t best = d[i - 1][j - 1] + cost;

			best = min_size(best, d[i - 1][j] + 1);
			best = min_size(best, d[i][j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				best = min_size(best, d[i - 2][j - 2] + 1);
			d[i][j] = best;
		}
	}
	return d[alen][blen];
}

void
nearest_init(struct nearest *n, const char *word)
{
	n->word = word;
	n->name = NULL;
	n->distance = 1 + strlen(word) / 4;
}

void
nearest_offer(struct nearest *n, const char *name)
{
	size_t wlen = strlen(n->word);
	size_t nlen = strlen(name);
	size_t found;

	if (wlen == 0 || wlen > NEAREST_MAX || nlen > NEAREST_MAX)
		return;
	found = distance(n->word, wlen, name, nlen);
	if (found < n->distance || (found == n->distance && n->name == NULL)) {
		n->distance = found;
		n->name = name;
	}
}
