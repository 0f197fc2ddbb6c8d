/* SPDX-License-Identifier: MIT */
/*
 * access: the session's access to its project, from the project's mount and
 * modes.
 *
 * A session has the caller's uid and gid, no capabilities and, if the project
 * needs it, the project's group.  A project that cannot be used with these is
 * refused before anything is created.
 */
#ifndef DRYDOCK_PLAN_ACCESS_H
#define DRYDOCK_PLAN_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct diag;
struct plan_request;

struct access {
	bool read_only; /* the project is on a read-only mount */
	bool has_group; /* the session needs the project's group */
	gid_t group;
};

/*
 * Fills *ret.  Fails with DIAG_POLICY, and says what to do, if a session could
 * not read the project.
 */
int access_find(
    const struct plan_request *request, struct access *ret, struct diag *dg);

#endif /* DRYDOCK_PLAN_ACCESS_H */
