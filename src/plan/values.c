/* SPDX-License-Identifier: MIT */
/* values: computed from the settings, the caller, the project and the images. */
#include "plan/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/build.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/text.h"
#include "plan/plan.h"
#include "plan/role.h"

/* login.defs(5), SYS_GID_MAX: gids up to this one are system groups. */
#define SYSTEM_GID_MAX 999

char *
plan_seccomp_path(const struct plan_request *request)
{
	return xasprintf("%s/" PLAN_SECCOMP_FILE, request->session_dir);
}

void
plan_service_ids(const struct plan_request *request, enum service_role service,
    uid_t *ret_uid, gid_t *ret_gid)
{
	bool proxy = service == SERVICE_EGRESS && request->paths->uid == 0;

	*ret_uid = proxy ? BUILD_PROXY_ID : request->paths->uid;
	*ret_gid = proxy ? BUILD_PROXY_ID : request->paths->gid;
}

char *
plan_service_user(const struct plan_request *request, enum service_role service)
{
	uid_t uid;
	gid_t gid;

	plan_service_ids(request, service, &uid, &gid);
	return xasprintf("%ju:%ju", (uintmax_t)uid, (uintmax_t)gid);
}

bool
plan_lists_bind(
    const struct plan_request *request, const char *path, bool *ret_read_only)
{
	const struct strvec *binds = &request->settings->binds;
	size_t len = strlen(path);

	*ret_read_only = false;
	for (size_t i = 0; i < binds->nr; i++) {
		const char *word = binds->v[i];

		if (strcspn(word, ":") != len || strncmp(word, path, len) != 0)
			continue;
		*ret_read_only = word[len] == ':';
		return true;
	}
	return false;
}

char *
plan_cpus(const struct plan_request *request)
{
	int64_t milli = request->settings->cpus_milli;
	char *text =
	    xasprintf("%" PRId64 ".%03" PRId64, milli / 1000, milli % 1000);
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '0')
		text[--len] = '\0';
	if (len > 0 && text[len - 1] == '.')
		text[len - 1] = '\0';
	return text;
}

static int
add_variable(
    struct strvec *vars, const char *name, const char *value, struct diag *dg)
{
	if (!text_is_plain(value))
		return diag_set(dg, DIAG_CONFIG,
		    "%s cannot be in a plan: it is not UTF-8, or has a control character in it",
		    value);
	strvec_pushf(vars, "%s=%s", name, value);
	return 0;
}

/* value is given. */
static int
add_variable_given(
    struct strvec *vars, const char *name, char *given, struct diag *dg)
{
	cleanup_free char *value = given;

	return add_variable(vars, name, value, dg);
}

int
plan_variables(
    const struct plan_request *request, struct strvec *vars, struct diag *dg)
{
	const struct settings *s = request->settings;
	const struct {
		const char *name, *value;
	} plain[] = {
		{ "DRYDOCK_SESSION", request->session_id },
		{ "DRYDOCK_STATE_ID", request->paths->state_id },
		{ "DRYDOCK_HOME", request->paths->home },
		{ "DRYDOCK_AGENT_IMAGE", request->agent_image->id },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (add_variable(vars, plain[i].name, plain[i].value, dg) != 0)
			return -1;
	for (size_t i = 0; i < MOUNT_IDS; i++)
		if (mount_role_applies(&mount_roles[i], request) &&
		    add_variable_given(vars, mount_roles[i].variable,
			mount_role_path(&mount_roles[i], request), dg) != 0)
			return -1;
	if (add_variable_given(vars, "DRYDOCK_USER",
		plan_service_user(request, SERVICE_AGENT), dg) != 0 ||
	    add_variable_given(
		vars, "DRYDOCK_SECCOMP", plan_seccomp_path(request), dg) != 0 ||
	    add_variable_given(vars, "DRYDOCK_CPUS", plan_cpus(request), dg) !=
		0)
		return -1;
	strvec_pushf(vars, "DRYDOCK_MEMORY=%" PRId64, s->memory);
	strvec_pushf(vars, "DRYDOCK_PIDS=%" PRId64, s->pids);
	strvec_pushf(vars, "DRYDOCK_TMP_SIZE=%" PRId64, s->tmp_size);
	strvec_pushf(vars, "DRYDOCK_SHM_SIZE=%" PRId64, s->shm_size);
	if (request->mode.mode == MODE_DOOD) {
		strvec_pushf(vars, "DRYDOCK_ENGINE_GID=%ju",
		    (uintmax_t)request->engine->socket_gid);
		return 0;
	}
	if (add_variable_given(vars, "DRYDOCK_EGRESS_USER",
		plan_service_user(request, SERVICE_EGRESS), dg) != 0)
		return -1;
	return add_variable(
	    vars, "DRYDOCK_EGRESS_IMAGE", request->egress_image->id, dg);
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

int
plan_access(
    const struct plan_request *request, struct access *ret, struct diag *dg)
{
	const struct project *project = request->project;
	const char *group_why = NULL;
	struct statvfs fs;
	struct stat st;
	mode_t bits;

	*ret = (struct access){ .has_group = false };
	if (fstatvfs(project->fd, &fs) != 0)
		return diag_set_errno(dg, DIAG_IO, errno,
		    "look at the file system of %s", project->path);
	if (fstat(project->fd, &st) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "look at project %s", project->path);
	ret->read_only = (fs.f_flag & ST_RDONLY) != 0;
	ret->group = st.st_gid;
	if (st.st_gid != request->paths->gid && group_member(st.st_gid) &&
	    (st.st_mode & S_IRWXG) != 0) {
		if (st.st_gid == request->engine->socket_gid)
			group_why = "the engine's";
		else if (st.st_gid <= SYSTEM_GID_MAX)
			group_why = "a system group";
		ret->has_group = group_why == NULL;
	}
	if (st.st_uid == request->paths->uid)
		bits = st.st_mode >> 6;
	else if (st.st_gid == request->paths->gid || ret->has_group)
		bits = st.st_mode >> 3;
	else
		bits = st.st_mode;
	if ((bits & 05) == 05 || has_acl(project->fd))
		return 0;
	return refuse_modes(request, &st, group_why, dg);
}
