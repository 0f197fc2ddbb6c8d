/* SPDX-License-Identifier: MIT */
/*
 * slotseed: puts packages that the project's lock files prove into a slot, and
 * checks those that are there (deps/cacheseed.h).
 */
#ifndef DRYDOCK_SLOTSEED_H
#define DRYDOCK_SLOTSEED_H

#include <stdbool.h>

struct cached;
struct cacheseed_report;
struct diag;
struct paths;
struct slot;
struct start;

/*
 * Fills the claimed slot of a launch, if it is cold, from the host user's own
 * caches and the project's free slots.  A slot that was last used before the
 * host started is verified first: a power cut can leave a file without its
 * contents.  A failure is a note: the session then downloads.
 */
void slotseed_fill(const struct start *l, const struct slot *slot);

/*
 * Hashes what the project's lock files name in a slot, and removes what has
 * another digest.  Nobody gets the slot meanwhile.  A slot that is *ret_in_use
 * is not read.  *ret_report is CACHESEED_REPORT_INIT before.
 */
int slotseed_verify(const struct paths *paths, const struct cached *cached,
    bool *ret_in_use, struct cacheseed_report *ret_report, struct diag *dg);

#endif /* DRYDOCK_SLOTSEED_H */
