/* SPDX-License-Identifier: MIT */
/*
 * sockets: programs that the agent could talk to without a network, through
 * unix sockets in the project and in other directories of the user's.
 */
#ifndef DRYDOCK_PLAN_SOCKETS_H
#define DRYDOCK_PLAN_SOCKETS_H

#include <stdbool.h>

struct diag;
struct plan;
struct plan_request;
struct strvec;

/*
 * Appends the path of each socket below the project and the binds of overlays
 * that somebody listens at, whatever network namespace it is in.  It is asked by
 * a connection that is closed at once.  A socket whose program has ended cannot
 * be listened at again, and is left out.
 *
 * Links are not followed.  The search ends after SOCKETS_MAX_ENTRIES names or
 * SOCKETS_MAX_MS, the highest directories first; *ret_whole is false then, and
 * where a directory could not be read that the agent could open to itself.
 */
#define SOCKETS_MAX_ENTRIES 200000
#define SOCKETS_MAX_MS 2000
int sockets_find(const struct plan_request *request, const struct plan *plan,
    struct strvec *ret_paths, bool *ret_whole, struct diag *dg);

#endif /* DRYDOCK_PLAN_SOCKETS_H */
