/* SPDX-License-Identifier: MIT */
/*
 * subids: a user's subordinate ids (subuid(5), subgid(5)).  mmdebstrap needs
 * them unless it runs as root.
 */
#ifndef DRYDOCK_SUBIDS_H
#define DRYDOCK_SUBIDS_H

#include <stdint.h>

struct diag;
struct paths;

/*
 * text is the content of /etc/subuid or /etc/subgid.  Returns the size of the
 * largest range of user or uid.  *ret_free is the first id after the ranges of
 * all users.
 */
uint64_t subids_count(
    const char *text, const char *user, unsigned int uid, uint64_t *ret_free);

/*
 * Fails with DIAG_ENGINE if the user lacks subordinate ids or newuidmap(1) is
 * not installed.  The message says what is missing and the command that adds
 * it.  Always succeeds for root.
 */
int subids_check(const struct paths *paths, struct diag *dg);

#endif /* DRYDOCK_SUBIDS_H */
