/* SPDX-License-Identifier: MIT */
/* What only the engine's own answer shows of a container against the plan. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
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

/* Values may be secrets of the user's own: only the name is told. */
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

/*
 * Exactly the plan's labels; Compose's own and those of the image, which was
 * checked when it was found, stand beside them.
 */
static int
verify_labels(const struct expectation *expect, const struct container *c,
    struct diag *dg)
{
	return verify_subset(&expect->labels, &c->labels,
	    "labels: not there or not as planned:", dg);
}

static int
verify_command(const struct expectation *expect, const struct container *c,
    struct diag *dg)
{
	bool same = expect->command.nr == c->entrypoint.nr;

	for (size_t i = 0; same && i < expect->command.nr; i++)
		same = strcmp(expect->command.v[i], c->entrypoint.v[i]) == 0;
	if (same)
		return 0;
	return differs("command",
	    expect->command.nr > 0 ? expect->command.v[0] : "none",
	    c->entrypoint.nr > 0 ? c->entrypoint.v[0] : "none", dg);
}

/* One line of JSON, whatever the spacing of the source was. */
static int
compact(const char *text, const char *what, struct strbuf *out, struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag cause = DIAG_INIT;
	struct jsonw *w;

	if (json_parse(text, strlen(text), what, &root, &cause) != 0)
		return diag_set(dg, DIAG_POLICY, "%s", cause.message);
	w = jsonw_new(false);
	jsonw_node(w, root);
	return jsonw_finish(w, out, dg);
}

static int
same_profile(const char *want, const char *got, bool *ret_same, struct diag *dg)
{
	cleanup_strbuf struct strbuf a = STRBUF_INIT;
	cleanup_strbuf struct strbuf b = STRBUF_INIT;

	if (compact(want, "the seccomp profile", &a, dg) != 0 ||
	    compact(got, "the container's seccomp profile", &b, dg) != 0)
		return -1;
	*ret_same = strcmp(a.buf, b.buf) == 0;
	return 0;
}

/* The last one counts for the engine, so all of them must be drydock's. */
static int
verify_seccomp(
    const struct expectation *expect, const struct json *host, struct diag *dg)
{
	static const char prefix[] = "seccomp=";
	const struct json *options = json_get(host, "SecurityOpt");
	bool same = false;

	if (expect->seccomp == NULL)
		return 0;
	for (size_t i = 0; i < json_len(options); i++) {
		const char *s = json_string_or(json_at(options, i), "");

		/* "seccomp:PROFILE" is an old spelling of the same. */
		if (strncmp(s, prefix, strlen(prefix) - 1) != 0)
			continue;
		same = false;
		if (s[strlen(prefix) - 1] != '=')
			break;
		if (same_profile(
			expect->seccomp, s + strlen(prefix), &same, dg) != 0)
			return -1;
		if (!same)
			break;
	}
	if (same)
		return 0;
	return diag_set(dg, DIAG_POLICY,
	    "seccomp profile: expected drydock's, is another or none");
}

/* Keys that must be empty, null, false or absent. */
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

/* Sharing with another container looks to the kernel like one of its own. */
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
    const struct expectation *expect, const struct json *host, struct diag *dg)
{
	const struct json *policy = json_get(host, "RestartPolicy");
	const char *name = json_string_or(json_get(policy, "Name"), "");
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	int64_t count = 0;

	strbuf_addstr(&got, name);
	if (json_int(json_get(policy, "MaximumRetryCount"), &count) &&
	    count != 0)
		strbuf_addf(&got, ":%" PRId64, count);
	return verify_text("restart policy", expect->restart, got.buf, dg);
}

static int
verify_logging(
    const struct expectation *expect, const struct json *host, struct diag *dg)
{
	const struct json *log = json_get(host, "LogConfig");
	const struct json *options = json_get(log, "Config");
	cleanup_strvec struct strvec got = STRVEC_INIT;

	for (size_t i = 0; i < json_len(options); i++)
		strvec_pushf(&got, "%s=%s", json_key_at(options, i),
		    json_string_or(json_value_at(options, i), ""));
	if (verify_text("log driver", expect->log_driver,
		json_string_or(json_get(log, "Type"), ""), dg) != 0 ||
	    verify_subset(
		&expect->log_options, &got, "log options: not there:", dg) != 0)
		return -1;
	return verify_subset(
	    &got, &expect->log_options, "log options: not in the plan:", dg);
}

/* An engine may add some for all containers. */
static int
verify_ulimits(
    const struct expectation *expect, const struct json *host, struct diag *dg)
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
	return verify_subset(&expect->ulimits, &got, "ulimits: not there:", dg);
}

/* It would run beside the container's process, as often as it says. */
static int
verify_healthcheck(const struct json *config, struct diag *dg)
{
	const struct json *test =
	    json_get(json_get(config, "Healthcheck"), "Test");

	if (json_len(test) == 0 ||
	    strcmp(json_string_or(json_at(test, 0), ""), "NONE") == 0)
		return 0;
	return diag_set(
	    dg, DIAG_POLICY, "health check: expected none, is there");
}

static int
verify_host_config(const struct expectation *expect, const struct container *c,
    struct diag *dg)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag cause = DIAG_INIT;
	const struct json *host;

	if (json_parse(c->inspect, strlen(c->inspect), "docker inspect", &root,
		&cause) != 0)
		return diag_set(dg, DIAG_POLICY, "%s", cause.message);
	host = json_get(root, "HostConfig");
	if (!json_is_object(host))
		return diag_set(
		    dg, DIAG_POLICY, "docker inspect: no HostConfig");
	if (expect->init && !json_bool(json_get(host, "Init"), false))
		return diag_set(
		    dg, DIAG_POLICY, "init: expected one, has none");
	if (verify_restart(expect, host, dg) != 0 ||
	    verify_logging(expect, host, dg) != 0 ||
	    verify_ulimits(expect, host, dg) != 0 ||
	    verify_healthcheck(json_get(root, "Config"), dg) != 0 ||
	    verify_unset(host, dg) != 0 ||
	    verify_mode("IpcMode", expect->ipc, host, dg) != 0 ||
	    verify_mode("CgroupnsMode", expect->cgroup, host, dg) != 0)
		return -1;
	return verify_seccomp(expect, host, dg);
}

int
verify_inspect(const struct expectation *expect,
    const struct container *container, struct diag *dg)
{
	const struct container *c = container;

	if (verify_text("image", expect->image_id, c->image_id, dg) != 0 ||
	    verify_text("user", expect->user, c->user, dg) != 0 ||
	    verify_text("network mode", expect->network_mode, c->network_mode,
		dg) != 0 ||
	    (expect->working_dir[0] != '\0' &&
		verify_text("working directory", expect->working_dir,
		    c->working_dir, dg) != 0) ||
	    verify_command(expect, c, dg) != 0 ||
	    verify_labels(expect, c, dg) != 0 ||
	    verify_subset(&expect->env, &c->env,
		"environment: not there or not as planned:", dg) != 0 ||
	    verify_subset(&c->env, &expect->env,
		"environment: not in the plan:", dg) != 0)
		return -1;
	return verify_host_config(expect, c, dg);
}
