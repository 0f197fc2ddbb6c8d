/* SPDX-License-Identifier: MIT */
/*
 * role: the table of drydock's own mounts.
 *
 * Each row has the variable that the overlays use for the source, the path of
 * the source, and the mode that prepare gives it.  The overlays have the target
 * and the service.
 */
#ifndef DRYDOCK_PLAN_ROLE_H
#define DRYDOCK_PLAN_ROLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "plan/plan.h"

enum mount_id {
	MOUNT_HOME,
	MOUNT_PROJECT,
	MOUNT_RUN,
	MOUNT_HISTORY,
	MOUNT_CACHE, /* only if the request has a cache_dir */
	MOUNT_EGRESS,
	MOUNT_PROXY,
	MOUNT_PROXY_LOG,
	MOUNT_SERVICES,
	MOUNT_ENGINE,
	MOUNT_IDS,
	/* Any number of binds; the source does not follow from the role. */
	MOUNT_USER = MOUNT_IDS,
	MOUNT_BELOW, /* mounted below the project on the host */
	MOUNT_GIT, /* the git directory of a worktree or submodule */
	MOUNT_ROLES
};

struct mount_role {
	const char *name; /* "home", as in the policy */
	const char *variable; /* the overlays' variable for the source */
	const char *below; /* path in the session directory, or NULL */
	mode_t type; /* S_IFDIR, S_IFSOCK */
	mode_t mode; /* set by prepare; 0: must exist already */
	enum service_role owner; /* if mode is not 0 */
	unsigned modes; /* 1u << enum mode, for each mode with it */
};

/* Indexed by enum mount_id. */
extern const struct mount_role mount_roles[MOUNT_ROLES];

/*
 * Returns true if drydock makes the source itself, below its state directory.
 */
bool mount_is_made(const struct plan_mount *mount);

/*
 * Returns true if the request's session has the mount of this role, which is
 * one of the first MOUNT_IDS.
 */
bool mount_role_applies(
    const struct mount_role *role, const struct plan_request *request);

/*
 * Returned: the path of the role's source on the host.  mount_role_applies() is
 * true.
 */
char *mount_role_path(
    const struct mount_role *role, const struct plan_request *request);

/*
 * Returns the role that has this source in the request's mode, or MOUNT_USER's.
 */
const struct mount_role *mount_role_find(
    const struct plan_request *request, const char *source);

#endif /* DRYDOCK_PLAN_ROLE_H */
