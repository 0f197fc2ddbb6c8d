/* SPDX-License-Identifier: MIT */
/* What the judged model says of one service, as verify compares it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan/verify.h"

static int
not_understood(const char *key, struct diag *dg)
{
	return diag_set(dg, DIAG_POLICY,
	    "the plan's %s is nothing that can be verified", key);
}

/* Returned: a string or number as text, or NULL. */
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

static bool
parse_integer(const char *s, int64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoll(s, &end, 10);
	return errno == 0 && end != s && *end == '\0' && *ret_value >= 0;
}

/* A key of another kind would else read as one that is not there. */
static int
check_kinds(const struct json *service, struct diag *dg)
{
	static const struct {
		const char *key;
		bool (*is)(const struct json *n);
	} kinds[] = {
		{ "cgroup", json_is_string },
		{ "command", json_is_array },
		{ "entrypoint", json_is_array },
		{ "environment", json_is_object },
		{ "group_add", json_is_array },
		{ "image", json_is_string },
		{ "init", json_is_bool },
		{ "ipc", json_is_string },
		{ "labels", json_is_object },
		{ "logging", json_is_object },
		{ "network_mode", json_is_string },
		{ "read_only", json_is_bool },
		{ "restart", json_is_string },
		{ "tmpfs", json_is_array },
		{ "ulimits", json_is_object },
		{ "user", json_is_string },
		{ "volumes", json_is_array },
		{ "working_dir", json_is_string },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct json *n = json_get(service, kinds[i].key);

		if (n != NULL && !json_is_null(n) && !kinds[i].is(n))
			return not_understood(kinds[i].key, dg);
	}
	return 0;
}

/* Absent is -1; so is 0, which means no limit. */
static int
read_limit(const struct json *service, const char *key, int64_t *ret_value,
    struct diag *dg)
{
	cleanup_free char *text = scalar_text(json_get(service, key));

	*ret_value = -1;
	if (text == NULL)
		return json_get(service, key) == NULL ? 0
						      : not_understood(key, dg);
	if (!parse_integer(text, ret_value))
		return not_understood(key, dg);
	if (*ret_value == 0)
		*ret_value = -1;
	return 0;
}

static int
read_cpus(const struct json *service, int64_t *ret_milli, struct diag *dg)
{
	cleanup_free char *text = scalar_text(json_get(service, "cpus"));
	double cpus;
	char *end;

	*ret_milli = -1;
	if (text == NULL)
		return json_get(service, "cpus") == NULL
		    ? 0
		    : not_understood("cpus", dg);
	errno = 0;
	cpus = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' ||
	    !(cpus >= 0 && cpus < 1e6))
		return not_understood("cpus", dg);
	if (cpus > 0)
		*ret_milli = (int64_t)(cpus * 1000 + 0.5);
	return 0;
}

static int
read_user(const struct json *service, struct expectation *e, struct diag *dg)
{
	const char *user = json_string_or(json_get(service, "user"), "");
	cleanup_free char *uid = NULL;
	const char *colon = strchr(user, ':');
	int64_t u;
	int64_t g;

	if (colon == NULL)
		return not_understood("user", dg);
	uid = xstrndup(user, (size_t)(colon - user));
	if (!parse_integer(uid, &u) || !parse_integer(colon + 1, &g) ||
	    u > UINT32_MAX || g > UINT32_MAX)
		return not_understood("user", dg);
	e->uid = (uid_t)u;
	e->gid = (gid_t)g;
	e->user = xstrdup(user);
	return 0;
}

static int
read_groups(const struct json *service, struct expectation *e, struct diag *dg)
{
	const struct json *list = json_get(service, "group_add");

	for (size_t i = 0; i < json_len(list); i++) {
		cleanup_free char *text = scalar_text(json_at(list, i));
		int64_t gid;

		if (text == NULL || !parse_integer(text, &gid) ||
		    gid > UINT32_MAX || e->ngroups == PROC_MAX_GROUPS)
			return not_understood("group_add", dg);
		e->groups[e->ngroups++] = (gid_t)gid;
	}
	return 0;
}

static int
read_network(const struct json *service, struct expectation *e, struct diag *dg)
{
	const char *mode =
	    json_string_or(json_get(service, "network_mode"), "");

	if (strcmp(mode, "none") == 0)
		e->net = EXPECT_NET_NONE;
	else if (strcmp(mode, "bridge") == 0)
		e->net = EXPECT_NET_BRIDGE;
	else if (strcmp(mode, "host") == 0)
		e->net = EXPECT_NET_HOST;
	else
		return not_understood("network_mode", dg);
	e->network_mode = xstrdup(mode);
	return 0;
}

/* "1048576", "64k", "16m", "1g"; -1 for anything else. */
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

static struct expect_tmpfs *
add_tmpfs(struct expectation *e, const char *target, size_t len)
{
	e->tmpfs = xreallocarray(e->tmpfs, e->ntmpfs + 1, sizeof(*e->tmpfs));
	e->tmpfs[e->ntmpfs] =
	    (struct expect_tmpfs){ xstrndup(target, len), -1, false };
	return &e->tmpfs[e->ntmpfs++];
}

/* One size that is understood, or none: then *ret_size stays. */
static int
read_size_option(const char *options, int64_t *ret_size)
{
	static const char key[] = "size=";
	bool said = false;

	for (;; options++) {
		if (strncmp(options, key, strlen(key)) == 0) {
			*ret_size = parse_size(options + strlen(key));
			if (said || *ret_size < 0)
				return -1;
			said = true;
		}
		options += strcspn(options, ",");
		if (*options == '\0')
			return 0;
	}
}

/* "TARGET:OPTIONS": the policy knows no longer form. */
static int
read_tmpfs(const struct json *service, struct expectation *e, struct diag *dg)
{
	const struct json *list = json_get(service, "tmpfs");

	for (size_t i = 0; i < json_len(list); i++) {
		const char *s = json_string_or(json_at(list, i), "");
		size_t len = strcspn(s, ":");
		const char *options = s[len] == ':' ? s + len + 1 : "";
		struct expect_tmpfs *t;

		if (s[0] != '/')
			return not_understood("tmpfs", dg);
		t = add_tmpfs(e, s, len);
		t->noexec = !proc_has_option(options, "exec");
		if (read_size_option(options, &t->size) != 0)
			return not_understood("tmpfs", dg);
	}
	return 0;
}

static int
read_environment(const struct json *service, const char *const *image_env,
    struct expectation *e, struct diag *dg)
{
	const struct json *env = json_get(service, "environment");

	if (image_env != NULL)
		strvec_push_all(&e->env, image_env);
	for (size_t i = 0; i < json_len(env); i++) {
		cleanup_free char *value = scalar_text(json_value_at(env, i));

		if (value == NULL)
			return not_understood("environment", dg);
		strvec_setenv(&e->env, json_key_at(env, i), value);
	}
	return 0;
}

/* NAME=VALUE of each; what has no value of one word is not understood. */
static int
read_pairs(const struct json *map, const char *key, struct strvec *pairs,
    struct diag *dg)
{
	for (size_t i = 0; i < json_len(map); i++) {
		cleanup_free char *value = scalar_text(json_value_at(map, i));

		if (value == NULL)
			return not_understood(key, dg);
		strvec_pushf(pairs, "%s=%s", json_key_at(map, i), value);
	}
	return 0;
}

static int
read_words(const struct json *service, const char *key, struct strvec *words,
    struct diag *dg)
{
	const struct json *list = json_get(service, key);

	for (size_t i = 0; i < json_len(list); i++) {
		const char *word = json_string(json_at(list, i));

		if (word == NULL)
			return not_understood(key, dg);
		strvec_push(words, word);
	}
	return 0;
}

static struct expectation
steal_expectation(struct expectation *expect)
{
	struct expectation taken = *expect;

	*expect = (struct expectation)EXPECTATION_INIT;
	return taken;
}

int
expectation_read(const struct json *model, const char *service,
    const char *const *image_env, const char *image_id,
    struct expectation *ret_expect, struct diag *dg)
{
	cleanup_expectation struct expectation e = EXPECTATION_INIT;
	const struct json *s = json_get(json_get(model, "services"), service);
	const struct json *logging = json_get(s, "logging");

	if (!json_is_object(s))
		return diag_set(
		    dg, DIAG_POLICY, "the plan has no service %s", service);
	if (check_kinds(s, dg) != 0)
		return -1;
	e.init = json_bool(json_get(s, "init"), false);
	e.read_only = json_bool(json_get(s, "read_only"), false);
	e.log_driver = xstrdup(json_string_or(json_get(logging, "driver"), ""));
	e.restart = xstrdup(json_string_or(json_get(s, "restart"), ""));
	e.working_dir = xstrdup(json_string_or(json_get(s, "working_dir"), ""));
	e.ipc = xstrdup(json_string_or(json_get(s, "ipc"), ""));
	e.cgroup = xstrdup(json_string_or(json_get(s, "cgroup"), ""));
	e.image_id = xstrdup(image_id != NULL
		? image_id
		: json_string_or(json_get(s, "image"), ""));
	if (read_user(s, &e, dg) != 0 || read_groups(s, &e, dg) != 0 ||
	    read_network(s, &e, dg) != 0 || read_tmpfs(s, &e, dg) != 0 ||
	    read_limit(s, "mem_limit", &e.limits.memory, dg) != 0 ||
	    read_limit(s, "pids_limit", &e.limits.pids, dg) != 0 ||
	    read_cpus(s, &e.limits.cpu_milli, dg) != 0 ||
	    read_environment(s, image_env, &e, dg) != 0 ||
	    read_pairs(json_get(s, "labels"), "labels", &e.labels, dg) != 0 ||
	    read_pairs(json_get(logging, "options"), "logging", &e.log_options,
		dg) != 0 ||
	    read_pairs(json_get(s, "ulimits"), "ulimits", &e.ulimits, dg) !=
		0 ||
	    read_words(s, "entrypoint", &e.command, dg) != 0 ||
	    read_words(s, "command", &e.command, dg) != 0)
		return -1;
	*ret_expect = steal_expectation(&e);
	return 0;
}

void
expectation_release(struct expectation *expect)
{
	for (size_t i = 0; i < expect->ntmpfs; i++)
		free(expect->tmpfs[i].target);
	free(expect->tmpfs);
	strvec_release(&expect->env);
	strvec_release(&expect->labels);
	strvec_release(&expect->command);
	strvec_release(&expect->log_options);
	strvec_release(&expect->ulimits);
	free(expect->user);
	free(expect->network_mode);
	free(expect->log_driver);
	free(expect->restart);
	free(expect->ipc);
	free(expect->cgroup);
	free(expect->working_dir);
	free(expect->image_id);
	*expect = (struct expectation)EXPECTATION_INIT;
}
