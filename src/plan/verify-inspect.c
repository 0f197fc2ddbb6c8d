/* SPDX-License-Identifier: MIT */
/*
 * verify: compares the values that only the engine's inspect shows with the
 * plan.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "plan/verify.h"

static int
differs(const char *what, const char *want, const char *got, struct diag *dg)
{
	return diag_set(
	    dg, DIAG_POLICY, "%s: expected %s, is %s", what, want, got);
}

static int
verify_text(
    const char *what, const char *want, const char *got, struct diag *dg)
{
	return strcmp(want, got) == 0 ? 0 : differs(what, want, got, dg);
}

/*
 * The message has only the name, because a value may be a secret of the user's.
 */
static int
verify_subset(const struct strvec *some, const struct strvec *all,
    const char *complaint, struct diag *dg)
{
	for (size_t i = 0; i < some->nr; i++) {
		if (!strvec_has(all, some->v[i]))
			return diag_set(dg, DIAG_POLICY, "%s %.*s", complaint,
			    (int)strcspn(some->v[i], "="), some->v[i]);
	}
	return 0;
}

static int
verify_command(
    const struct plan_service *s, const struct container *c, struct diag *dg)
{
	cleanup_strvec struct strvec want = STRVEC_INIT;
	bool same;

	strvec_push_all(&want, (const char *const *)s->entrypoint.v);
	strvec_push_all(&want, (const char *const *)s->command.v);
	same = want.nr == c->entrypoint.nr;
	for (size_t i = 0; same && i < want.nr; i++)
		same = strcmp(want.v[i], c->entrypoint.v[i]) == 0;
	if (same)
		return 0;
	return differs("command", want.nr > 0 ? want.v[0] : "none",
	    c->entrypoint.nr > 0 ? c->entrypoint.v[0] : "none", dg);
}

static int
verify_env(const struct plan_service *s, const char *const *image_env,
    const struct container *c, struct diag *dg)
{
	cleanup_strvec struct strvec want = STRVEC_INIT;

	if (image_env != NULL)
		strvec_push_all(&want, image_env);
	for (size_t i = 0; i < s->env.nr; i++) {
		const char *value = strchr(s->env.v[i], '=');
		cleanup_free char *name =
		    xstrndup(s->env.v[i], (size_t)(value - s->env.v[i]));

		strvec_setenv(&want, name, value + 1);
	}
	if (verify_subset(
		&want, &c->env, "environment: missing or different:", dg) != 0)
		return -1;
	return verify_subset(
	    &c->env, &want, "environment: not in the plan:", dg);
}

/* Reprints JSON in one line, which removes differences in spacing. */
static int
compact(const char *text, const char *what, struct strbuf *out, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	struct jsonw *w;

	if (json_parse(text, strlen(text), what, &root, dg) != 0)
		return diag_reclass(dg, DIAG_POLICY);
	w = jsonw_new(false);
	jsonw_node(w, root);
	return jsonw_finish(w, out, dg);
}

/* Checks every seccomp option, because the engine uses the last one. */
static int
verify_seccomp(const char *profile, const struct json *host, struct diag *dg)
{
	static const char prefix[] = "seccomp=";
	const struct json *options = json_get(host, "SecurityOpt");
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	bool same = false;

	if (profile == NULL)
		return 0;
	if (compact(profile, "the seccomp profile", &want, dg) != 0)
		return -1;
	for (size_t i = 0; i < json_len(options); i++) {
		const char *option = json_string_or(json_at(options, i), "");
		cleanup_strbuf struct strbuf got = STRBUF_INIT;

		/* "seccomp:PROFILE" is an old spelling of the same option. */
		if (strncmp(option, prefix, strlen(prefix) - 1) != 0)
			continue;
		same = false;
		if (option[strlen(prefix) - 1] != '=')
			break;
		if (compact(option + strlen(prefix),
			"the container's seccomp profile", &got, dg) != 0)
			return -1;
		same = strcmp(want.buf, got.buf) == 0;
		if (!same)
			break;
	}
	if (same)
		return 0;
	return diag_set(dg, DIAG_POLICY,
	    "seccomp profile: expected drydock's, is another or none");
}

/* Checks the keys that must be empty, null, false or absent. */
static int
verify_unset(const struct json *host, struct diag *dg)
{
	static const char *const keys[] = { "Privileged", "CapAdd", "Binds",
		"Devices", "DeviceRequests", "DeviceCgroupRules", "VolumesFrom",
		"PublishAllPorts", "PortBindings", "Links", "Sysctls",
		"PidMode", "UTSMode", "UsernsMode", "CgroupParent", "Dns",
		"DnsOptions", "DnsSearch", "ExtraHosts", "OomKillDisable",
		"StorageOpt" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct json *n = json_get(host, keys[i]);

		if (json_bool(n, false) || json_number(n) != NULL ||
		    json_len(n) != 0 || json_string_or(n, "")[0] != '\0')
			return diag_set(dg, DIAG_POLICY,
			    "%s: expected to be unset", keys[i]);
	}
	return 0;
}

/*
 * Compares a namespace mode.  The kernel cannot tell a namespace that is shared
 * with another container from a private one.
 */
static int
verify_mode(
    const char *key, const char *want, const struct json *host, struct diag *dg)
{
	if (want[0] == '\0')
		return 0;
	return verify_text(
	    key, want, json_string_or(json_get(host, key), ""), dg);
}

/* "on-failure:3" is a name and a count. */
static int
verify_restart(
    const struct plan_service *s, const struct json *host, struct diag *dg)
{
	const struct json *policy = json_get(host, "RestartPolicy");
	const char *name = json_string_or(json_get(policy, "Name"), "");
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	int64_t count = 0;

	strbuf_addstr(&got, name);
	if (json_int(json_get(policy, "MaximumRetryCount"), &count) &&
	    count != 0)
		strbuf_addf(&got, ":%" PRId64, count);
	return verify_text("restart policy", s->restart, got.buf, dg);
}

static int
verify_logging(
    const struct plan_service *s, const struct json *host, struct diag *dg)
{
	const struct json *log = json_get(host, "LogConfig");
	const struct json *options = json_get(log, "Config");
	cleanup_strvec struct strvec got = STRVEC_INIT;

	for (size_t i = 0; i < json_len(options); i++)
		strvec_pushf(&got, "%s=%s", json_key_at(options, i),
		    json_string_or(json_value_at(options, i), ""));
	if (verify_text("log driver", s->log_driver,
		json_string_or(json_get(log, "Type"), ""), dg) != 0 ||
	    verify_subset(&s->log_options, &got, "log options: missing:", dg) !=
		0)
		return -1;
	return verify_subset(
	    &got, &s->log_options, "log options: not in the plan:", dg);
}

/* Other ulimits are allowed: the engine may set defaults for all containers. */
static int
verify_ulimits(
    const struct plan_service *s, const struct json *host, struct diag *dg)
{
	const struct json *list = json_get(host, "Ulimits");
	cleanup_strvec struct strvec got = STRVEC_INIT;

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *u = json_at(list, i);
		int64_t soft;
		int64_t hard;

		if (json_int(json_get(u, "Soft"), &soft) &&
		    json_int(json_get(u, "Hard"), &hard) && soft == hard)
			strvec_pushf(&got, "%s=%" PRId64,
			    json_string_or(json_get(u, "Name"), ""), hard);
	}
	return verify_subset(&s->ulimits, &got, "ulimits: not there:", dg);
}

/* A health check would run extra processes in the container periodically. */
static int
verify_healthcheck(const struct json *config, struct diag *dg)
{
	const struct json *test =
	    json_get(json_get(config, "Healthcheck"), "Test");

	if (json_len(test) == 0 ||
	    strcmp(json_string_or(json_at(test, 0), ""), "NONE") == 0)
		return 0;
	return diag_set(
	    dg, DIAG_POLICY, "health check: expected none, has one");
}

static int
verify_host_config(const struct plan_service *s, const char *seccomp,
    const struct container *c, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	const struct json *host;

	if (json_parse(c->inspect, strlen(c->inspect), "docker inspect", &root,
		dg) != 0)
		return diag_reclass(dg, DIAG_POLICY);
	host = json_get(root, "HostConfig");
	if (!json_is_object(host))
		return diag_set(
		    dg, DIAG_POLICY, "docker inspect: no HostConfig");
	if (s->init && !json_bool(json_get(host, "Init"), false))
		return diag_set(
		    dg, DIAG_POLICY, "init: expected one, has none");
	if (verify_restart(s, host, dg) != 0 ||
	    verify_logging(s, host, dg) != 0 ||
	    verify_ulimits(s, host, dg) != 0 ||
	    verify_healthcheck(json_get(root, "Config"), dg) != 0 ||
	    verify_unset(host, dg) != 0 ||
	    verify_mode("IpcMode", s->ipc, host, dg) != 0 ||
	    verify_mode("CgroupnsMode", s->cgroup, host, dg) != 0)
		return -1;
	return verify_seccomp(seccomp, host, dg);
}

int
verify_inspect(const struct plan_service *service, const char *const *image_env,
    const char *seccomp, const struct container *container, struct diag *dg)
{
	const struct plan_service *s = service;
	const struct container *c = container;

	/*
	 * The container may have more labels: Compose's own, and those of the
	 * image, which was checked when it was found.
	 */
	if (verify_text("image", s->image, c->image_id, dg) != 0 ||
	    verify_text("user", s->user, c->user, dg) != 0 ||
	    verify_text("network mode", s->network_mode, c->network_mode, dg) !=
		0 ||
	    (s->working_dir[0] != '\0' &&
		verify_text("working directory", s->working_dir, c->working_dir,
		    dg) != 0) ||
	    verify_command(s, c, dg) != 0 ||
	    verify_subset(&s->labels, &c->labels,
		"labels: missing or different:", dg) != 0 ||
	    verify_env(s, image_env, c, dg) != 0)
		return -1;
	return verify_host_config(s, seccomp, c, dg);
}
