/* SPDX-License-Identifier: MIT */
/* values: computed from the settings, the caller and the images. */
#include "plan/values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/build.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/text.h"
#include "plan/plan.h"
#include "plan/role.h"

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

static int
add_limits(
    const struct plan_request *request, struct strvec *vars, struct diag *dg)
{
	const struct settings *s = request->settings;

	strvec_pushf(vars, "DRYDOCK_MEMORY=%" PRId64, s->memory);
	strvec_pushf(vars, "DRYDOCK_PIDS=%" PRId64, s->pids);
	strvec_pushf(vars, "DRYDOCK_TMP_SIZE=%" PRId64, s->tmp_size);
	strvec_pushf(vars, "DRYDOCK_SHM_SIZE=%" PRId64, s->shm_size);
	return add_variable_given(vars, "DRYDOCK_CPUS", plan_cpus(request), dg);
}

int
plan_variables(
    const struct plan_request *request, struct strvec *vars, struct diag *dg)
{
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
	    add_limits(request, vars, dg) != 0)
		return -1;
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
