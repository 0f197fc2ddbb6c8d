/* SPDX-License-Identifier: MIT */
/*
 * role: drydock's own mounts, each once: how the overlays name its source,
 * where that lies, and what prepare makes of it.  The overlays say at which
 * target and in which service it stands.
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
	MOUNT_EGRESS,
	MOUNT_PROXY,
	MOUNT_PROXY_LOG,
	MOUNT_SERVICES,
	MOUNT_ENGINE,
	MOUNT_IDS,
	MOUNT_USER = MOUNT_IDS /* a bind of the user's own: no source */
};

struct mount_role {
	const char *name; /* "home", as the policy says it */
	const char *variable; /* of the source */
	const char *below; /* the session's directory; NULL: not there */
	mode_t type; /* S_IFDIR, S_IFSOCK */
	mode_t mode; /* prepare makes it so; 0: it must be there */
	enum service_role owner; /* of what has a mode */
	unsigned modes; /* 1u << enum mode, each that has it */
};

/* By enum mount_id, MOUNT_USER included. */
extern const struct mount_role mount_roles[MOUNT_IDS + 1];

/* Whether drydock itself made the source, below its state directory. */
bool mount_is_made(const struct plan_mount *mount);

bool mount_role_has_mode(const struct mount_role *role, enum mode mode);

/* Returned: the path of a role's source on the host; of all but MOUNT_USER. */
char *mount_role_path(
    const struct mount_role *role, const struct plan_request *request);

/* The role in the request's mode that has this source, or MOUNT_USER's. */
const struct mount_role *mount_role_find(
    const struct plan_request *request, const char *source);

#endif /* DRYDOCK_PLAN_ROLE_H */
