/* SPDX-License-Identifier: MIT */
/*
 * sockets: finds unix sockets in the project and in the user's binds.
 *
 * Through such a socket the agent could reach a program without a network.
 */
#ifndef DRYDOCK_PLAN_SOCKETS_H
#define DRYDOCK_PLAN_SOCKETS_H

#include <stdbool.h>

struct diag;
struct plan;
struct plan_request;
struct strvec;

/*
 * Appends the path of each socket with a listener, below the project and below
 * the agent's binds that the user listed.  The listener may be in any network
 * namespace.  The test is a connect(2), closed at once.  A socket whose
 * listener has exited is left out: it cannot get a listener again.
 *
 * Symlinks are not followed.  The search is breadth first and ends after
 * SOCKETS_MAX_ENTRIES names or SOCKETS_MAX_MS milliseconds.  *ret_whole is
 * false if the search ended early.  It is also false if a directory could not
 * be read, unless the agent cannot read that directory either.
 */
#define SOCKETS_MAX_ENTRIES 200000
#define SOCKETS_MAX_MS 2000
int sockets_find(const struct plan_request *request, const struct plan *plan,
    struct strvec *ret_paths, bool *ret_whole, struct diag *dg);

#endif /* DRYDOCK_PLAN_SOCKETS_H */
