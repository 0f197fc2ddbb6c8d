/* SPDX-License-Identifier: MIT */
/*
 * subids: the ids that a user may give to others (subuid(5), subgid(5)), which
 * mmdebstrap needs of anybody but root.
 */
#ifndef DRYDOCK_SUBIDS_H
#define DRYDOCK_SUBIDS_H

#include <stdint.h>

struct diag;
struct paths;

/*
 * The largest range of user or uid in the text of such a file; *ret_free is
 * where the ranges of all users end.
 */
uint64_t subids_count(
    const char *text, const char *user, unsigned int uid, uint64_t *ret_free);

/*
 * DIAG_ENGINE when this user has no such ids or newuidmap(1) is not installed:
 * says what is missing and the command that adds it.
 */
int subids_check(const struct paths *paths, struct diag *dg);

#endif /* DRYDOCK_SUBIDS_H */
