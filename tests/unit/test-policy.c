/* SPDX-License-Identifier: MIT */
/* The policy: what a mode promises passes, and any one difference does not. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan-bed.h"
#include "plan/policy.h"
#include "policy-kit.h"

struct mutation {
	enum mode mode;
	const char *program; /* jq, over the model */
	const char *rule; /* NULL: still allowed */
};

#define AGENT ".services.agent"
#define EGRESS ".services.egress"
#define VOLUME(t) "(" AGENT ".volumes[] | select(.target == \"" t "\"))"

static const struct mutation mutations[] = {
	{ MODE_CONTAINED, ".", NULL },
	{ MODE_DOOD, ".", NULL },
	/* How other versions of Compose print the same. */
	{ MODE_CONTAINED, AGENT ".command = null", NULL },
	{ MODE_CONTAINED, AGENT ".networks = null", NULL },
	{ MODE_CONTAINED, AGENT ".mem_limit |= tonumber", NULL },
	{ MODE_CONTAINED, AGENT ".volumes[].bind.create_host_path = false",
	    NULL },
	/* Keys that are not there. */
	{ MODE_CONTAINED, ".networks = {default: {name: \"x\"}}", "top-level" },
	{ MODE_CONTAINED, ".volumes = {v: {}}", "top-level" },
	{ MODE_CONTAINED, ".secrets = {s: {file: \"/etc/shadow\"}}",
	    "top-level" },
	{ MODE_CONTAINED, ".configs = {c: {content: \"x\"}}", "top-level" },
	{ MODE_CONTAINED, ".tomorrow = 1", "top-level" },
	{ MODE_CONTAINED, ".name = \"drydock-other\"", "top-level" },
	{ MODE_CONTAINED, ".services = []", "services" },
	{ MODE_CONTAINED, ".services.db = {image: \"x\"}", "services" },
	{ MODE_CONTAINED, "del(" EGRESS ")", "services" },
	{ MODE_DOOD, EGRESS " = " AGENT, "services" },
	{ MODE_CONTAINED, AGENT ".tomorrow = true", "unknown-key" },
	{ MODE_CONTAINED, EGRESS ".tomorrow = true", "unknown-key" },
	{ MODE_CONTAINED, ".[\"x-drydock-home\"] = {kind: \"socket\"}",
	    "top-level" },
	/* Process and kernel. */
	{ MODE_CONTAINED, AGENT ".privileged = true", "privileged" },
	{ MODE_CONTAINED, AGENT ".privileged = false", "privileged" },
	{ MODE_CONTAINED, AGENT ".cap_add = [\"SYS_ADMIN\"]", "capabilities" },
	{ MODE_CONTAINED, AGENT ".cap_drop = [\"NET_RAW\"]", "capabilities" },
	{ MODE_CONTAINED, "del(" AGENT ".cap_drop)", "capabilities" },
	{ MODE_CONTAINED, EGRESS ".cap_add = [\"NET_RAW\"]", "capabilities" },
	{ MODE_CONTAINED, "del(" AGENT ".security_opt[0])",
	    "no-new-privileges" },
	{ MODE_CONTAINED,
	    AGENT ".security_opt[0] = \"no-new-privileges:false\"",
	    "no-new-privileges" },
	{ MODE_CONTAINED, "del(" AGENT ".security_opt[1])", "seccomp" },
	{ MODE_CONTAINED, AGENT ".security_opt += [\"seccomp:unconfined\"]",
	    "seccomp" },
	{ MODE_CONTAINED, AGENT ".security_opt[1] = \"seccomp:/tmp/x.json\"",
	    "seccomp" },
	{ MODE_CONTAINED, AGENT ".security_opt += [\"apparmor:unconfined\"]",
	    "security-opt" },
	{ MODE_CONTAINED, AGENT ".security_opt += [\"systempaths=unconfined\"]",
	    "security-opt" },
	{ MODE_CONTAINED, AGENT ".security_opt = {}", "security-opt" },
	{ MODE_CONTAINED, AGENT ".pid = \"host\"", "namespaces" },
	{ MODE_CONTAINED, AGENT ".pid = \"service:egress\"", "namespaces" },
	{ MODE_CONTAINED, AGENT ".ipc = \"host\"", "namespaces" },
	{ MODE_CONTAINED, "del(" AGENT ".ipc)", "namespaces" },
	{ MODE_CONTAINED, AGENT ".uts = \"host\"", "namespaces" },
	{ MODE_CONTAINED, AGENT ".userns_mode = \"host\"", "namespaces" },
	{ MODE_CONTAINED, AGENT ".cgroup = \"host\"", "namespaces" },
	{ MODE_CONTAINED, AGENT ".cgroup_parent = \"/\"", "runtime" },
	{ MODE_CONTAINED, AGENT ".runtime = \"other\"", "runtime" },
	{ MODE_CONTAINED, AGENT ".use_api_socket = true", "runtime" },
	{ MODE_CONTAINED, AGENT ".devices = [{source: \"/dev/sda\"}]",
	    "devices" },
	{ MODE_CONTAINED, AGENT ".device_cgroup_rules = [\"a *:* rwm\"]",
	    "devices" },
	{ MODE_CONTAINED, AGENT ".gpus = [{count: 1}]", "devices" },
	{ MODE_CONTAINED, AGENT ".sysctls = {\"kernel.x\": \"1\"}", "sysctls" },
	{ MODE_CONTAINED, AGENT ".user = \"4711:4711\"", "user" },
	{ MODE_CONTAINED, "del(" AGENT ".user)", "user" },
	{ MODE_CONTAINED, AGENT ".group_add = [\"999\"]", "groups" },
	{ MODE_DOOD, AGENT ".group_add += [\"0\"]", "groups" },
	{ MODE_CONTAINED, AGENT ".read_only = false", "read-only" },
	{ MODE_CONTAINED, "del(" EGRESS ".read_only)", "read-only" },
	{ MODE_CONTAINED, AGENT ".init = false", "init" },
	{ MODE_CONTAINED, "del(" AGENT ".pids_limit)", "limits" },
	{ MODE_CONTAINED, AGENT ".pids_limit = -1", "limits" },
	{ MODE_CONTAINED, AGENT ".mem_limit = \"1073741825\"", "limits" },
	{ MODE_CONTAINED, AGENT ".memswap_limit = \"-1\"", "limits" },
	{ MODE_CONTAINED, AGENT ".cpus = 64", "limits" },
	{ MODE_CONTAINED, AGENT ".oom_kill_disable = true", "limits" },
	{ MODE_CONTAINED, AGENT ".ulimits = {nproc: 1}", "limits" },
	{ MODE_CONTAINED, "del(" AGENT ".ulimits)", "limits" },
	{ MODE_DOOD, "del(" AGENT ".ulimits.msgqueue)", "limits" },
	{ MODE_CONTAINED, AGENT ".ulimits.sigpending = 100000", "limits" },
	{ MODE_CONTAINED, AGENT ".shm_size = \"9999999999\"", "limits" },
	{ MODE_CONTAINED, AGENT ".deploy = {replicas: 2}", "limits" },
	{ MODE_CONTAINED, "del(" EGRESS ".ulimits)", "limits" },
	{ MODE_CONTAINED, AGENT ".tmpfs += [\"/etc/claude-code\"]", "tmpfs" },
	{ MODE_CONTAINED, AGENT ".tmpfs = [\"/tmp\"]", "tmpfs" },
	{ MODE_CONTAINED, AGENT ".tmpfs = \"/tmp\"", "tmpfs" },
	/* Network. */
	{ MODE_CONTAINED, AGENT ".network_mode = \"bridge\"", "network" },
	{ MODE_CONTAINED, AGENT ".network_mode = \"host\"", "network" },
	{ MODE_CONTAINED, AGENT ".network_mode = \"service:egress\"",
	    "network" },
	{ MODE_CONTAINED, "del(" AGENT ".network_mode)", "network" },
	{ MODE_CONTAINED, AGENT ".networks = {default: null}", "network" },
	{ MODE_CONTAINED, AGENT ".dns = [\"10.0.0.1\"]", "network" },
	{ MODE_CONTAINED, AGENT ".extra_hosts = [\"a=10.0.0.1\"]", "network" },
	{ MODE_CONTAINED, EGRESS ".ports = [{target: 3128}]", "network" },
	{ MODE_CONTAINED, EGRESS ".network_mode = \"host\"", "network" },
	{ MODE_DOOD, AGENT ".network_mode = \"bridge\"", "network" },
	/* What runs. */
	{ MODE_CONTAINED, AGENT ".entrypoint = [\"/bin/sh\"]", "entrypoint" },
	{ MODE_CONTAINED, AGENT ".entrypoint |= reverse", "entrypoint" },
	{ MODE_CONTAINED, AGENT ".command = [\"-c\", \"x\"]", "entrypoint" },
	{ MODE_CONTAINED, AGENT ".working_dir = \"/\"", "entrypoint" },
	{ MODE_CONTAINED, AGENT ".post_start = [{command: \"x\"}]",
	    "entrypoint" },
	{ MODE_CONTAINED, AGENT ".image = \"debian\"", "image" },
	{ MODE_CONTAINED, AGENT ".image = " EGRESS ".image", "image" },
	{ MODE_CONTAINED, AGENT ".pull_policy = \"always\"", "image" },
	{ MODE_CONTAINED, AGENT ".build = {context: \"/\"}", "image" },
	{ MODE_CONTAINED, AGENT ".healthcheck = {test: [\"CMD\", \"x\"]}",
	    "healthcheck" },
	{ MODE_CONTAINED, "del(" AGENT ".healthcheck)", "healthcheck" },
	{ MODE_CONTAINED, AGENT ".restart = \"always\"", "restart" },
	{ MODE_CONTAINED, AGENT ".stop_grace_period = \"1h0m0s\"", "restart" },
	{ MODE_CONTAINED, AGENT ".environment.LD_PRELOAD = \"/x\"",
	    "environment" },
	{ MODE_CONTAINED, AGENT ".environment.BASH_ENV = \"/x\"",
	    "environment" },
	{ MODE_CONTAINED, AGENT ".environment.NODE_OPTIONS = \"-r/x\"",
	    "environment" },
	{ MODE_DOOD, AGENT ".environment.git_config_count = \"1\"",
	    "environment" },
	{ MODE_DOOD, AGENT ".environment.CLAUDE_CODE_SIMPLE = \"1\"",
	    "environment" },
	{ MODE_CONTAINED, AGENT ".environment.CLAUDE_CODE_SHELL_PREFIX = \"x\"",
	    "environment" },
	{ MODE_CONTAINED, AGENT ".environment.HTTPS_PROXY = \"http://x\"",
	    "environment" },
	{ MODE_CONTAINED, "del(" AGENT ".environment.HOME)", "environment" },
	/* false is not an absent key. */
	{ MODE_CONTAINED, EGRESS ".environment = false", "environment" },
	{ MODE_CONTAINED, AGENT ".volumes = false", "storage" },
	{ MODE_CONTAINED, AGENT ".security_opt = false", "security-opt" },
	{ MODE_CONTAINED, AGENT ".env_file = [\"/etc/passwd\"]", "env-file" },
	{ MODE_CONTAINED, AGENT ".labels[\"io.drydock.session\"] = \"other\"",
	    "labels" },
	{ MODE_CONTAINED, AGENT ".labels.more = \"1\"", "labels" },
	{ MODE_CONTAINED, AGENT ".annotations = {a: \"b\"}", "labels" },
	{ MODE_CONTAINED, AGENT ".logging.driver = \"json-file\"", "logging" },
	{ MODE_CONTAINED, "del(" AGENT ".logging.options[\"max-size\"])",
	    "logging" },
	{ MODE_CONTAINED, "del(" AGENT ".logging)", "logging" },
	{ MODE_CONTAINED, AGENT ".tty = true", "terminal" },
	/* Storage. */
	{ MODE_CONTAINED, AGENT ".volumes_from = [\"x\"]", "storage" },
	{ MODE_CONTAINED, AGENT ".secrets = [{source: \"s\"}]", "storage" },
	{ MODE_CONTAINED,
	    AGENT ".volumes += [{type: \"volume\", source: \"v\", "
		  "target: \"/v\"}]",
	    "storage" },
	{ MODE_CONTAINED,
	    AGENT ".volumes += [{type: \"tmpfs\", target: \"/run\"}]",
	    "storage" },
	{ MODE_CONTAINED, AGENT ".volumes = null", "bind-missing" },
	{ MODE_CONTAINED, AGENT ".volumes = \"/:/\"", "storage" },
	{ MODE_CONTAINED,
	    AGENT ".volumes += [{type: \"bind\", source: "
		  "\"/var/run/docker.sock\", target: \"/var/run/docker.sock\", "
		  "bind: {}}]",
	    "bind-target" },
	{ MODE_CONTAINED,
	    AGENT ".volumes += [{type: \"bind\", source: \"/etc\", target: "
		  "\"/etc/claude-code\", bind: {}}]",
	    "bind-target" },
	{ MODE_CONTAINED, AGENT ".volumes += [" VOLUME("/run/drydock") "]",
	    "bind-target" },
	{ MODE_CONTAINED,
	    AGENT ".volumes += [" VOLUME("/run/drydock") " | .target += \"/\"]",
	    "bind-target" },
	{ MODE_CONTAINED, "del(" AGENT ".volumes[0])", "bind-missing" },
	{ MODE_CONTAINED, VOLUME("/run/egress") ".source = \"/\"",
	    "bind-source" },
	{ MODE_CONTAINED,
	    VOLUME("/run/egress") ".source |= sub(\"egress\"; \"sidecar\")",
	    "bind-source" },
	{ MODE_DOOD, VOLUME("/run/docker.sock") ".source = \"/etc/shadow\"",
	    "bind-source" },
	{ MODE_CONTAINED, AGENT ".volumes[0].bind.create_host_path = true",
	    "bind-options" },
	{ MODE_CONTAINED, AGENT ".volumes[0].bind.propagation = \"rshared\"",
	    "bind-options" },
	{ MODE_CONTAINED, AGENT ".volumes[0].bind.selinux = \"Z\"",
	    "bind-options" },
	{ MODE_CONTAINED, AGENT ".volumes[0].consistency = \"cached\"",
	    "bind-options" },
	{ MODE_CONTAINED, AGENT ".volumes[0].read_only = true",
	    "bind-read-only" },
	{ MODE_CONTAINED, "del(" EGRESS ".volumes[].read_only)",
	    "bind-read-only" },
};

/* The texts of the models, by one program: compiling one costs 30 ms. */
static struct json *
mutate(const struct plan_bed *bed, enum mode mode)
{
	cleanup_strbuf struct strbuf program = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *models = NULL;
	struct json *ret = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++)
		if (mutations[i].mode == mode)
			strbuf_addf(&program, "%s(%s | tojson)",
			    program.len == 0 ? "[" : ", ",
			    mutations[i].program);
	strbuf_addch(&program, ']');
	models = policy_mutate(bed->model, program.buf);
	CHECK_INT(json_parse(models, strlen(models), "models", &ret, &dg), 0);
	return ret;
}

static void
test_mutations_of(enum mode mode)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;
	cleanup_json struct json *models = NULL;
	size_t n = 0;

	plan_bed_init(&bed, mode);
	policy = policy_of(&bed);
	models = mutate(&bed, mode);
	if (policy == NULL)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
		const struct mutation *m = &mutations[i];

		if (m->mode != mode)
			continue;
		policy_expect(&bed, policy,
		    json_string_or(json_at(models, n++), ""), m->rule,
		    m->program);
	}
	CHECK_INT(json_len(models), n);
}

static void
test_contained(void)
{
	test_mutations_of(MODE_CONTAINED);
}

static void
test_dood(void)
{
	test_mutations_of(MODE_DOOD);
}

static void
test_absent_policy(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	free(bed.paths.data_dir);
	bed.paths.data_dir = xstrdup(bed.tmp);
	CHECK_INT(policy_load(&bed.paths, POLICY_ALL, &policy, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
}

/* A row that nothing uses would promise what nobody keeps. */
static void
test_table(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *rows = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	CHECK_INT(policy_load(&bed.paths, POLICY_RULES, &policy, &dg), 0);
	CHECK_INT(policy_rules(policy, &out, &dg), 0);
	CHECK_INT(json_parse(out.buf, out.len, "rules", &rows, &dg), 0);
	CHECK(json_len(rows) > 30);
	for (size_t i = 0; i < json_len(rows); i++) {
		CHECK(json_string(json_get(json_at(rows, i), "rule")) != NULL);
		CHECK(json_string(json_get(json_at(rows, i), "text")) != NULL);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "contained: each single difference is its rule's violation",
		    test_contained },
		{ "dood: each single difference is its rule's violation",
		    test_dood },
		{ "without policy.jq nothing is judged", test_absent_policy },
		{ "the table of rules has a name and a text in each row",
		    test_table },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
