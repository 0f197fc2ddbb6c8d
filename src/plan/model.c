/* SPDX-License-Identifier: MIT */
/* model: reads Compose's merged model and the sealed plan. */
#include "plan/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "host/text.h"
#include "plan/plan.h"
#include "plan/role.h"

int
dollars_unescape(
    const char *text, size_t len, struct strbuf *out, struct diag *dg)
{
	for (size_t i = 0; i < len; i++) {
		strbuf_addch(out, text[i]);
		if (text[i] != '$')
			continue;
		if (++i == len || text[i] != '$')
			return diag_set(dg, DIAG_ENGINE,
			    "docker-compose config: a single $ in its answer");
	}
	return 0;
}

void
dollars_escape(const char *text, size_t len, struct strbuf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '$')
			strbuf_addch(out, '$');
		strbuf_addch(out, text[i]);
	}
}

/* Returned: a string, number or boolean as text; NULL for any other value. */
static char *
scalar_text(const struct json *n)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	struct jsonw *w;

	if (n == NULL || json_is_object(n) || json_is_array(n) ||
	    json_is_null(n))
		return NULL;
	if (json_is_string(n))
		return xstrdup(json_string(n));
	w = jsonw_new(false);
	jsonw_node(w, n);
	if (jsonw_finish(w, &sb, &ignored) != 0)
		return NULL;
	while (sb.len > 0 && sb.buf[sb.len - 1] == '\n')
		strbuf_setlen(&sb, sb.len - 1);
	return strbuf_detach(&sb, NULL);
}

/*
 * The readers below get a value that is present and not null, and the member of
 * the service that the table "keys" gives.  They return false if the value has
 * an unexpected form.
 */
static bool
read_text(const struct json *value, void *member)
{
	char **text = member;

	if (!json_is_string(value))
		return false;
	free(*text);
	*text = xstrdup(json_string(value));
	return true;
}

static bool
read_flag(const struct json *value, void *member)
{
	*(bool *)member = json_bool(value, false);
	return json_is_bool(value);
}

static bool
read_words(const struct json *value, void *member)
{
	return answer_read_strings(value, member);
}

/* Pushes NAME=VALUE for each member; each value must be a scalar. */
static bool
read_pairs(const struct json *value, void *member)
{
	if (!json_is_object(value))
		return false;
	for (size_t i = 0; i < json_len(value); i++) {
		cleanup_free char *word = scalar_text(json_value_at(value, i));

		if (word == NULL)
			return false;
		strvec_pushf(member, "%s=%s", json_key_at(value, i), word);
	}
	return true;
}

/* A limit of 0 means no limit and is stored as -1. */
static bool
read_limit(const struct json *value, void *member)
{
	cleanup_free char *text = scalar_text(value);
	int64_t limit;

	if (text == NULL || !text_decimal(text, 0, INT64_MAX, &limit))
		return false;
	*(int64_t *)member = limit == 0 ? -1 : limit;
	return true;
}

static bool
read_cpus(const struct json *value, void *member)
{
	cleanup_free char *text = scalar_text(value);
	double cpus;
	char *end;

	if (text == NULL)
		return false;
	errno = 0;
	cpus = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' ||
	    !(cpus >= 0 && cpus < 1e6))
		return false;
	*(int64_t *)member = cpus > 0 ? (int64_t)(cpus * 1000 + 0.5) : -1;
	return true;
}

static bool
read_user(const struct json *value, void *service)
{
	struct plan_service *s = service;
	const char *user = json_string_or(value, "");
	const char *colon = strchr(user, ':');
	cleanup_free char *uid = NULL;
	int64_t u;
	int64_t g;

	if (colon == NULL)
		return false;
	uid = xstrndup(user, (size_t)(colon - user));
	if (!text_decimal(uid, 0, UINT32_MAX, &u) ||
	    !text_decimal(colon + 1, 0, UINT32_MAX, &g))
		return false;
	s->uid = (uid_t)u;
	s->gid = (gid_t)g;
	return read_text(value, &s->user);
}

static bool
read_groups(const struct json *value, void *service)
{
	struct plan_service *s = service;

	for (size_t i = 0; i < json_len(value); i++) {
		cleanup_free char *text = scalar_text(json_at(value, i));
		int64_t gid;

		if (text == NULL || !text_decimal(text, 0, UINT32_MAX, &gid) ||
		    s->ngroups == PROC_MAX_GROUPS)
			return false;
		s->groups[s->ngroups++] = (gid_t)gid;
	}
	return json_is_array(value);
}

static bool
read_network(const struct json *value, void *service)
{
	static const char *const modes[] = { [PLAN_NET_NONE] = "none",
		[PLAN_NET_BRIDGE] = "bridge",
		[PLAN_NET_HOST] = "host" };
	struct plan_service *s = service;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(json_string_or(value, ""), modes[i]) == 0) {
			s->net = (enum plan_net)i;
			return read_text(value, &s->network_mode);
		}
	}
	return false;
}

static bool
read_logging(const struct json *value, void *service)
{
	struct plan_service *s = service;
	const struct json *driver = json_get(value, "driver");
	const struct json *options = json_get(value, "options");

	return json_is_object(value) &&
	    (driver == NULL || read_text(driver, &s->log_driver)) &&
	    (options == NULL || json_is_null(options) ||
		read_pairs(options, &s->log_options));
}

/* "1048576", "64k", "16m", "1g" in bytes; -1 for any other text. */
static int64_t
parse_size(const char *s)
{
	char *end;
	long long value;
	int shift = 0;

	errno = 0;
	value = strtoll(s, &end, 10);
	if (errno != 0 || end == s || value <= 0)
		return -1;
	if (*end == 'k' || *end == 'K')
		shift = 10;
	else if (*end == 'm' || *end == 'M')
		shift = 20;
	else if (*end == 'g' || *end == 'G')
		shift = 30;
	if (shift != 0)
		end++;
	if ((*end != '\0' && *end != ',') || value > INT64_MAX >> shift)
		return -1;
	return (int64_t)value << shift;
}

/*
 * Reads the option "size=".  Without that option *ret_size is untouched.
 * Returns false if the size is invalid or given twice.
 */
static bool
read_size_option(const char *options, int64_t *ret_size)
{
	static const char key[] = "size=";
	bool seen = false;

	for (;; options++) {
		if (strncmp(options, key, strlen(key)) == 0) {
			*ret_size = parse_size(options + strlen(key));
			if (seen || *ret_size < 0)
				return false;
			seen = true;
		}
		options += strcspn(options, ",");
		if (*options == '\0')
			return true;
	}
}

/* The policy accepts only the short form "TARGET:OPTIONS". */
static bool
read_tmpfs(const struct json *value, void *service)
{
	struct plan_service *s = service;

	for (size_t i = 0; i < json_len(value); i++) {
		const char *word = json_string_or(json_at(value, i), "");
		size_t len = strcspn(word, ":");
		const char *options = word[len] == ':' ? word + len + 1 : "";
		int64_t size = -1;

		if (word[0] != '/' || !read_size_option(options, &size))
			return false;
		s->tmpfs =
		    xreallocarray(s->tmpfs, s->ntmpfs + 1, sizeof(*s->tmpfs));
		s->tmpfs[s->ntmpfs++] = (struct plan_tmpfs){
			.target = xstrndup(word, len),
			.size = size,
			.noexec = !mountinfo_has_option(options, "exec"),
		};
	}
	return json_is_array(value);
}

#define KEY(name, read, member)                                   \
	{                                                         \
		name, read, offsetof(struct plan_service, member) \
	}
#define KEY_WHOLE(name, read) \
	{                     \
		name, read, 0 \
	}

static const struct {
	const char *name;
	bool (*read)(const struct json *value, void *member);
	size_t offset;
} keys[] = {
	KEY("cgroup", read_text, cgroup),
	KEY("command", read_words, command),
	KEY("cpus", read_cpus, limits.cpu_milli),
	KEY("entrypoint", read_words, entrypoint),
	KEY("environment", read_pairs, env),
	KEY_WHOLE("group_add", read_groups),
	KEY("image", read_text, image),
	KEY("init", read_flag, init),
	KEY("ipc", read_text, ipc),
	KEY("labels", read_pairs, labels),
	KEY_WHOLE("logging", read_logging),
	KEY("mem_limit", read_limit, limits.memory),
	KEY_WHOLE("network_mode", read_network),
	KEY("pids_limit", read_limit, limits.pids),
	KEY("read_only", read_flag, read_only),
	KEY("restart", read_text, restart),
	KEY_WHOLE("tmpfs", read_tmpfs),
	KEY("ulimits", read_pairs, ulimits),
	KEY_WHOLE("user", read_user),
	KEY("working_dir", read_text, working_dir),
};

/* The string members of a service; "" if the model has none. */
static const size_t texts[] = {
	offsetof(struct plan_service, image),
	offsetof(struct plan_service, user),
	offsetof(struct plan_service, network_mode),
	offsetof(struct plan_service, log_driver),
	offsetof(struct plan_service, restart),
	offsetof(struct plan_service, ipc),
	offsetof(struct plan_service, cgroup),
	offsetof(struct plan_service, working_dir),
};

static void
read_mounts(const struct plan_request *request, const struct json *volumes,
    struct plan_service *s)
{
	if (volumes != NULL && !json_is_array(volumes) &&
	    !json_is_null(volumes))
		s->unreadable_key = "volumes";
	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json *v = json_at(volumes, i);
		const char *source = json_string(json_get(v, "source"));
		const char *target = json_string(json_get(v, "target"));

		if (source == NULL || target == NULL)
			continue;
		s->mounts = xreallocarray(
		    s->mounts, s->nmounts + 1, sizeof(*s->mounts));
		s->mounts[s->nmounts++] = (struct plan_mount){
			.role = mount_role_find(request, source),
			.source = xstrdup(source),
			.target = xstrdup(target),
			.read_only = json_bool(json_get(v, "read_only"), false),
			.fd = -1,
		};
	}
}

enum service_role
service_role_of(const char *name)
{
	return strcmp(name, "agent") == 0 ? SERVICE_AGENT
	    : strcmp(name, "egress") == 0 ? SERVICE_EGRESS
					  : SERVICE_EXTRA;
}

static void
read_service(const struct plan_request *request, const char *name,
    const struct json *n, struct plan_service *s)
{
	*s = (struct plan_service){
		.role = service_role_of(name),
		.name = xstrdup(name),
		.limits = { -1, -1, -1 },
		.env = STRVEC_INIT,
		.labels = STRVEC_INIT,
		.entrypoint = STRVEC_INIT,
		.command = STRVEC_INIT,
		.log_options = STRVEC_INIT,
		.ulimits = STRVEC_INIT,
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct json *value = json_get(n, keys[i].name);

		if (value != NULL && !json_is_null(value) &&
		    !keys[i].read(value, (char *)s + keys[i].offset))
			s->unreadable_key = keys[i].name;
	}
	/*
	 * Required: the engine's default could not be compared with the
	 * container.
	 */
	if (s->user == NULL)
		s->unreadable_key = "user";
	if (s->network_mode == NULL)
		s->unreadable_key = "network_mode";
	read_mounts(request, json_get(n, "volumes"), s);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char **text = (char **)(void *)((char *)s + texts[i]);

		if (*text == NULL)
			*text = xstrdup("");
	}
}

int
model_read(const struct plan_request *request, const char *text, size_t len,
    const char *what, struct plan *plan, struct diag *dg)
{
	const struct json *services;
	size_t n;

	if (json_parse(text, len, what, &plan->tree, dg) != 0)
		return -1;
	services = json_get(plan->tree, "services");
	n = json_is_object(services) ? json_len(services) : 0;
	plan->services = xcalloc(n + 1, sizeof(*plan->services));
	for (; plan->nservices < n; plan->nservices++)
		read_service(request, json_key_at(services, plan->nservices),
		    json_value_at(services, plan->nservices),
		    &plan->services[plan->nservices]);
	return 0;
}

int
model_check_readable(const struct plan *plan, struct diag *dg)
{
	for (size_t i = 0; i < plan->nservices; i++)
		if (plan->services[i].unreadable_key != NULL)
			return diag_set(dg, DIAG_POLICY,
			    "service %s: its %s cannot be compared with what "
			    "the kernel and the engine show",
			    plan->services[i].name,
			    plan->services[i].unreadable_key);
	return 0;
}

const struct plan_service *
plan_find(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->nservices; i++)
		if (strcmp(plan->services[i].name, name) == 0)
			return &plan->services[i];
	return NULL;
}

static void
service_release(struct plan_service *s)
{
	for (size_t i = 0; i < s->nmounts; i++) {
		free(s->mounts[i].source);
		free(s->mounts[i].target);
		cleanup_close_fn(&s->mounts[i].fd);
	}
	for (size_t i = 0; i < s->ntmpfs; i++)
		free(s->tmpfs[i].target);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*(char **)(void *)((char *)s + texts[i]));
	free(s->mounts);
	free(s->tmpfs);
	free(s->name);
	strvec_release(&s->env);
	strvec_release(&s->labels);
	strvec_release(&s->entrypoint);
	strvec_release(&s->command);
	strvec_release(&s->log_options);
	strvec_release(&s->ulimits);
}

void
plan_release(struct plan *plan)
{
	for (size_t i = 0; i < plan->nservices; i++)
		service_release(&plan->services[i]);
	for (size_t i = 0; i < plan->nviolations; i++) {
		struct violation *v = &plan->violations[i];

		free(v->rule);
		free(v->service);
		free(v->what);
		free(v->overlay);
	}
	json_free(plan->tree);
	free(plan->services);
	free(plan->violations);
	strbuf_release(&plan->seccomp);
	strvec_release(&plan->sockets);
	*plan = (struct plan)PLAN_INIT;
}
