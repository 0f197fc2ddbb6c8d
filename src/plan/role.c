/* SPDX-License-Identifier: MIT */
/* role: the table of drydock's own mounts. */
#include "plan/role.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "host/project.h"

#define IN_CONTAINED (1u << MODE_CONTAINED)
#define IN_DOOD (1u << MODE_DOOD)
#define IN_BOTH (IN_CONTAINED | IN_DOOD)

/* Columns: name, variable, below, type, mode, owner, modes. */
const struct mount_role mount_roles[MOUNT_ROLES] = {
	[MOUNT_HOME] = { "home", "DRYDOCK_SOURCE_HOME", "home", S_IFDIR, 0700,
	    SERVICE_AGENT, IN_BOTH },
	[MOUNT_PROJECT] = { "project", "DRYDOCK_PROJECT", NULL, S_IFDIR, 0,
	    SERVICE_AGENT, IN_BOTH },
	[MOUNT_RUN] = { "run", "DRYDOCK_SOURCE_RUN", "run", S_IFDIR, 0700,
	    SERVICE_AGENT, IN_BOTH },
	[MOUNT_HISTORY] = { "history", "DRYDOCK_SOURCE_HISTORY", NULL, S_IFDIR,
	    0700, SERVICE_AGENT, IN_BOTH },
	[MOUNT_CACHE] = { "cache", "DRYDOCK_SOURCE_CACHE", NULL, S_IFDIR, 0700,
	    SERVICE_AGENT, IN_BOTH },
	[MOUNT_EGRESS] = { "egress", "DRYDOCK_SOURCE_EGRESS", "egress", S_IFDIR,
	    0711, SERVICE_EGRESS, IN_CONTAINED },
	[MOUNT_PROXY] = { "proxy", "DRYDOCK_SOURCE_PROXY", "sidecar/conf",
	    S_IFDIR, 0755, SERVICE_AGENT, IN_CONTAINED },
	[MOUNT_PROXY_LOG] = { "proxylog", "DRYDOCK_SOURCE_PROXYLOG",
	    "sidecar/log", S_IFDIR, 0700, SERVICE_EGRESS, IN_CONTAINED },
	[MOUNT_SERVICES] = { "services", "DRYDOCK_SOURCE_SERVICES", "services",
	    S_IFDIR, 0700, SERVICE_AGENT, IN_BOTH },
	[MOUNT_ENGINE] = { "engine", "DRYDOCK_ENGINE_SOCKET", NULL, S_IFSOCK, 0,
	    SERVICE_AGENT, IN_DOOD },
	[MOUNT_USER] = { "user", NULL, NULL, S_IFDIR, 0, SERVICE_AGENT, 0 },
	[MOUNT_BELOW] = { "below", NULL, NULL, S_IFDIR, 0, SERVICE_AGENT,
	    IN_BOTH },
	[MOUNT_GIT] = { "git", NULL, NULL, S_IFDIR, 0, SERVICE_AGENT, IN_BOTH },
};

bool
mount_is_made(const struct plan_mount *mount)
{
	return mount->role->mode != 0;
}

bool
mount_role_applies(
    const struct mount_role *role, const struct plan_request *request)
{
	if (role == &mount_roles[MOUNT_CACHE] && request->cache_dir == NULL)
		return false;
	return (role->modes & (1u << request->mode.mode)) != 0;
}

char *
mount_role_path(
    const struct mount_role *role, const struct plan_request *request)
{
	if (role->below != NULL)
		return xasprintf("%s/%s", request->session_dir, role->below);
	if (role == &mount_roles[MOUNT_PROJECT])
		return xstrdup(request->project->path);
	if (role == &mount_roles[MOUNT_HISTORY])
		return xstrdup(request->history_dir);
	if (role == &mount_roles[MOUNT_CACHE])
		return xstrdup(request->cache_dir);
	assert(role == &mount_roles[MOUNT_ENGINE]);
	return xstrdup(request->engine->socket);
}

const struct mount_role *
mount_role_find(const struct plan_request *request, const char *source)
{
	for (size_t i = 0; i < MOUNT_IDS; i++) {
		const struct mount_role *role = &mount_roles[i];
		cleanup_free char *path = NULL;

		if (!mount_role_applies(role, request))
			continue;
		path = mount_role_path(role, request);
		if (strcmp(path, source) == 0)
			return role;
	}
	return &mount_roles[MOUNT_USER];
}
