/* SPDX-License-Identifier: MIT */
/* access: compares the project's modes and mounts with a session's ids. */
#include "plan/access.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "host/project.h"
#include "plan/plan.h"

/* login.defs(5), SYS_GID_MAX: gids up to this one are system groups. */
#define SYSTEM_GID_MAX 999

static bool
caller_has_group(gid_t gid)
{
	int n = getgroups(0, NULL);
	cleanup_free gid_t *groups = xcalloc((size_t)n + 1, sizeof(*groups));

	n = getgroups(n, groups);
	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

/*
 * Returns true if a session may have this group.  Otherwise *ret_why is the
 * reason, a static string.
 */
static bool
may_go_along(
    const struct plan_request *request, gid_t gid, const char **ret_why)
{
	if (gid == request->engine->socket_gid) {
		*ret_why = "the engine's";
		return false;
	}
	*ret_why = "a system group";
	return gid > SYSTEM_GID_MAX;
}

/* An ACL may grant access that the mode does not show. */
static bool
has_acl(int fd)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd);

	return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

static int
refuse_modes(const struct plan_request *request, const struct stat *st,
    const char *group_why, struct diag *dg)
{
	const char *path = request->project->path;

	if (request->paths->uid == 0)
		return diag_set(dg, DIAG_POLICY,
		    "%s cannot be read in a session of root, which has no "
		    "capabilities there: it belongs to uid %ju (mode %04o); "
		    "start the session as that user, or chmod o+rx it",
		    path, (uintmax_t)st->st_uid,
		    (unsigned int)(st->st_mode & 07777));
	if (group_why != NULL)
		return diag_set(dg, DIAG_POLICY,
		    "%s is readable for you through group %ju, which "
		    "sessions do not get because it is %s: give the project "
		    "another group, or chmod o+rx it",
		    path, (uintmax_t)st->st_gid, group_why);
	return diag_set(dg, DIAG_POLICY,
	    "%s cannot be read in a session, which has only your uid and gid "
	    "(it belongs to uid %ju and gid %ju, mode %04o)",
	    path, (uintmax_t)st->st_uid, (uintmax_t)st->st_gid,
	    (unsigned int)(st->st_mode & 07777));
}

static int
check_modes(
    const struct plan_request *request, struct access *ret, struct diag *dg)
{
	const struct paths *paths = request->paths;
	const char *why = NULL;
	struct stat st;
	mode_t bits;

	if (fstat(request->project->fd, &st) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "look at project %s",
		    request->project->path);
	if (st.st_gid != paths->gid && caller_has_group(st.st_gid) &&
	    (st.st_mode & S_IRWXG) != 0 &&
	    may_go_along(request, st.st_gid, &why)) {
		ret->has_group = true;
		ret->group = st.st_gid;
		why = NULL;
	}
	if (st.st_uid == paths->uid)
		bits = st.st_mode >> 6;
	else if (st.st_gid == paths->gid || ret->has_group)
		bits = st.st_mode >> 3;
	else
		bits = st.st_mode;
	if ((bits & 05) == 05 || has_acl(request->project->fd))
		return 0;
	return refuse_modes(request, &st, why, dg);
}

int
access_find(
    const struct plan_request *request, struct access *ret, struct diag *dg)
{
	struct statvfs fs;

	*ret = (struct access){ 0 };
	if (fstatvfs(request->project->fd, &fs) != 0)
		return diag_set_errno(dg, DIAG_IO, errno,
		    "look at the file system of %s", request->project->path);
	ret->read_only = (fs.f_flag & ST_RDONLY) != 0;
	return check_modes(request, ret, dg);
}
