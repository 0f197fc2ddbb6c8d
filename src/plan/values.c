/* SPDX-License-Identifier: MIT */
/* values: the one table from roles to paths and variables. */
#include "plan/values.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/build.h"
#include "engine/engine.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "host/text.h"
#include "plan/plan.h"

#define IN_CONTAINED (1u << MODE_CONTAINED)
#define IN_DOOD (1u << MODE_DOOD)
#define IN_BOTH (IN_CONTAINED | IN_DOOD)

static const struct role {
	const char *name;
	const char *variable;
	const char *below; /* the session directory; NULL: not there */
	unsigned modes;
} roles[] = {
	{ "home", "DRYDOCK_SOURCE_HOME", "home", IN_BOTH },
	{ "project", "DRYDOCK_PROJECT", NULL, IN_BOTH },
	{ "run", "DRYDOCK_SOURCE_RUN", "run", IN_BOTH },
	{ "history", "DRYDOCK_SOURCE_HISTORY", NULL, IN_BOTH },
	{ "egress", "DRYDOCK_SOURCE_EGRESS", "egress", IN_CONTAINED },
	{ "proxy", "DRYDOCK_SOURCE_PROXY", "sidecar/conf", IN_CONTAINED },
	{ "proxylog", "DRYDOCK_SOURCE_PROXYLOG", "sidecar/log", IN_CONTAINED },
	{ "services", "DRYDOCK_SOURCE_SERVICES", "services", IN_BOTH },
	{ "engine", "DRYDOCK_ENGINE_SOCKET", NULL, IN_DOOD },
};

bool
plan_is_own_service(const char *service)
{
	return strcmp(service, "agent") == 0 || strcmp(service, "egress") == 0;
}

static bool
has_role(const struct plan_request *request, const struct role *role)
{
	return (role->modes & (1u << request->mode.mode)) != 0;
}

static const struct role *
find_role(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	return NULL;
}

const char *
plan_role_at(const struct plan_request *request, size_t i)
{
	for (size_t n = 0; n < ARRAY_SIZE(roles); n++)
		if (has_role(request, &roles[n]) && i-- == 0)
			return roles[n].name;
	return NULL;
}

char *
plan_role_path(const struct plan_request *request, const char *name)
{
	const struct role *role = find_role(name);

	assert(role != NULL);
	if (role->below != NULL)
		return xasprintf("%s/%s", request->session_dir, role->below);
	if (strcmp(name, "project") == 0)
		return xstrdup(request->project->path);
	if (strcmp(name, "history") == 0)
		return xstrdup(request->history_dir);
	return xstrdup(request->engine->socket);
}

char *
plan_seccomp_path(const struct plan_request *request)
{
	return xasprintf("%s/" PLAN_SECCOMP_FILE, request->session_dir);
}

char *
plan_service_user(const struct plan_request *request, const char *service)
{
	if (strcmp(service, "egress") == 0 && request->paths->uid == 0)
		return xasprintf("%d:%d", BUILD_PROXY_ID, BUILD_PROXY_ID);
	return xasprintf("%ju:%ju", (uintmax_t)request->paths->uid,
	    (uintmax_t)request->paths->gid);
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
	char *value cleanup_free = given;

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
		{ "DRYDOCK_AGENT_IMAGE", request->agent_image },
	};

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (add_variable(vars, plain[i].name, plain[i].value, dg) != 0)
			return -1;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (has_role(request, &roles[i]) &&
		    add_variable_given(vars, roles[i].variable,
			plan_role_path(request, roles[i].name), dg) != 0)
			return -1;
	if (add_variable_given(vars, "DRYDOCK_USER",
		plan_service_user(request, "agent"), dg) != 0 ||
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
		plan_service_user(request, "egress"), dg) != 0)
		return -1;
	return add_variable(
	    vars, "DRYDOCK_EGRESS_IMAGE", request->egress_image, dg);
}
