/* SPDX-License-Identifier: MIT */
/*
 * outcome: whether two runs of a command ended alike: what they left, and what
 * they said.  What differs by chance (ids, times, a world's own path) is taken
 * out; whatever else differs makes another outcome, which is looked at anew.
 *
 * It is for tests: what fails ends the program with words.
 */
#ifndef DRYDOCK_TESTS_OUTCOME_H
#define DRYDOCK_TESTS_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"

struct tree;

/* What of a text is chance. */
struct chance {
	const char *top; /* the world's path */
	const char *secret; /* whose places are noted */
	struct strvec before; /* ids of sessions, as the world was kept */
	struct strvec now; /* and as it is */
};

/* Sets one of the two to what is there. */
void chance_look(const struct chance *c, struct strvec *ids);
/* The same for two texts that differ only by chance. */
uint64_t chance_sum(const struct chance *c, const char *text, size_t len);

/* Neither gone nor a zombie. */
bool outcome_is_alive(int pid);
/* Of all that drydock can see or change, and of who runs. */
uint64_t outcome_state(struct tree *t, const struct chance *c);

#endif /* DRYDOCK_TESTS_OUTCOME_H */
