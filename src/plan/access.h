/* SPDX-License-Identifier: MIT */
/*
 * access: what a session may do with its project, by its mount and its modes.
 *
 * A session has the caller's uid and gid, no capability and, where the project
 * needs it, the project's own group.  What does not work with that is refused
 * before anything is made.
 */
#ifndef DRYDOCK_PLAN_ACCESS_H
#define DRYDOCK_PLAN_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct diag;
struct plan_request;

struct access {
	bool read_only; /* the project lies on a mount that is */
	bool has_group; /* the session needs the project's own group */
	gid_t group;
};

/*
 * DIAG_POLICY, with what to do, when a session could not read the project, or
 * when something is mounted below it.
 */
int access_find(
    const struct plan_request *request, struct access *ret, struct diag *dg);

#endif /* DRYDOCK_PLAN_ACCESS_H */
