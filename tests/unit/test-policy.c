/* SPDX-License-Identifier: MIT */
/* The policy: what a mode promises passes, and any one difference does not. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/jqprog.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan-bed.h"
#include "plan/judge.h"
#include "plan/policy.h"

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
	{ MODE_CONTAINED, ".[\"x-drydock-home\"].kind = \"socket\"",
	    "declaration" },
	{ MODE_CONTAINED, ".[\"x-drydock-home\"].make = \"0777\"",
	    "declaration" },
	{ MODE_CONTAINED, "del(.[\"x-drydock-run\"])", "declaration" },
	{ MODE_CONTAINED,
	    ".[\"x-drydock-more\"] = {}  | "
	    ".[\"x-drydock-more\"].source = \"/\"",
	    "declaration" },
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
	{ MODE_CONTAINED, AGENT ".environment.HTTPS_PROXY = \"http://x\"",
	    "environment" },
	{ MODE_CONTAINED, "del(" AGENT ".environment.HOME)", "environment" },
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

/* Returned: the model after a jq program. */
static char *
mutate(const char *model, const char *program)
{
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;
	struct jqprog *prog cleanup_jqprog = NULL;

	if (!CHECK_INT(jqprog_compile("mutation", program, &prog, &dg), 0) ||
	    !CHECK_INT(jqprog_run(prog, model, strlen(model), &out, &dg), 0)) {
		printf("# %s: %s\n", program, dg.message);
		return xstrdup("{}");
	}
	return strbuf_detach(&out, NULL);
}

static bool
has_rule(const struct judged_plan *plan, const char *rule)
{
	for (size_t i = 0; i < plan->nviolations; i++)
		if (strcmp(plan->violations[i].rule, rule) == 0)
			return true;
	return false;
}

static void
print_violations(const struct judged_plan *plan)
{
	for (size_t i = 0; i < plan->nviolations; i++) {
		struct strbuf line cleanup_strbuf = STRBUF_INIT;

		violation_describe(&plan->violations[i], &line);
		printf("#   %s\n", line.buf);
	}
}

/* Judges model; the rule must be among what it violates, or nothing be. */
static void
expect(const struct plan_bed *bed, struct policy *policy, const char *model,
    const char *rule, const char *name)
{
	static const struct assembly no_overlays = ASSEMBLY_INIT;
	struct judged_plan plan cleanup_judged_plan = JUDGED_PLAN_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;
	int fd cleanup_close = -1;
	bool as_wanted;

	CHECK_INT(fs_open_dir(getenv("top_srcdir"), &fd, &dg), 0);
	CHECK_INT(
	    fs_read_file(fd, "compose/seccomp.json", 65536, &plan.seccomp, &dg),
	    0);
	CHECK_INT(plan_judge_model(
		      &bed->request, &no_overlays, policy, model, &plan, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	as_wanted =
	    rule != NULL ? has_rule(&plan, rule) : plan.nviolations == 0;
	if (!CHECK(as_wanted)) {
		printf("# %s: wanted %s, got:\n", name,
		    rule != NULL ? rule : "nothing");
		print_violations(&plan);
	}
}

static void
test_mutations_of(enum mode mode)
{
	struct plan_bed bed cleanup_plan_bed;
	struct policy *policy cleanup_policy = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;

	plan_bed_init(&bed, mode);
	if (!CHECK_INT(policy_load(&bed.paths, &policy, &dg), 0)) {
		printf("# %s\n", dg.message);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(mutations); i++) {
		const struct mutation *m = &mutations[i];
		char *model cleanup_free = NULL;

		if (m->mode != mode)
			continue;
		model = mutate(bed.model, m->program);
		expect(&bed, policy, model, m->rule, m->program);
	}
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

/* One thing on disk is not as it should be. */
static void
make_swapped(struct plan_bed *bed)
{
	char *other cleanup_free = xasprintf("%s/other", bed->tmp);

	CHECK_INT(rename(bed->project.path, other), 0);
	CHECK_INT(mkdir(bed->project.path, 0700), 0);
}

static void
make_linked(struct plan_bed *bed)
{
	char *other cleanup_free = xasprintf("%s/other", bed->tmp);

	CHECK_INT(rename(bed->project.path, other), 0);
	CHECK_INT(symlink(other, bed->project.path), 0);
}

static void
make_parent_link(struct plan_bed *bed)
{
	char *other cleanup_free = xasprintf("%s/other", bed->tmp);

	CHECK_INT(rename(bed->session_dir, other), 0);
	CHECK_INT(symlink(other, bed->session_dir), 0);
}

static void
make_file(struct plan_bed *bed)
{
	char *run cleanup_free = xasprintf("%s/run", bed->session_dir);
	int fd cleanup_close = -1;

	CHECK_INT(rmdir(run), 0);
	fd = open(run, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
}

static void
make_open(struct plan_bed *bed)
{
	char *run cleanup_free = xasprintf("%s/run", bed->session_dir);

	CHECK_INT(chmod(run, 0777), 0);
}

static void
make_absent(struct plan_bed *bed)
{
	CHECK_INT(rmdir(bed->project.path), 0);
}

static void
make_config_inside(struct plan_bed *bed)
{
	free(bed->paths.config_dir);
	bed->paths.config_dir = xasprintf("%s/config", bed->project.path);
	CHECK_INT(mkdir(bed->paths.config_dir, 0700), 0);
}

static void
make_config_absent(struct plan_bed *bed)
{
	free(bed->paths.config_dir);
	bed->paths.config_dir = xasprintf("%s/a/config", bed->project.path);
}

static void
make_socket_inside(struct plan_bed *bed)
{
	free(bed->engine.socket);
	bed->engine.socket = xasprintf("%s/a.sock", bed->project.path);
	close(open(bed->engine.socket, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void
make_program_inside(struct plan_bed *bed)
{
	bed->paths.self = xasprintf("%s/drydock", bed->project.path);
	close(open(bed->paths.self, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void
make_path_dir(struct plan_bed *bed)
{
	char *path cleanup_free = xasprintf("/nowhere:%s/", bed->project.path);

	CHECK_INT(setenv("PATH", path, 1), 0);
}

/* Another name for it, through a link. */
static void
make_home_project(struct plan_bed *bed)
{
	char *link cleanup_free = xasprintf("%s/other", bed->tmp);

	CHECK_INT(symlink(bed->project.path, link), 0);
	free(bed->paths.home);
	bed->paths.home = xstrdup(link);
}

static void
make_keys_inside(struct plan_bed *bed)
{
	char *link cleanup_free = xasprintf("%s/.ssh", bed->paths.home);
	char *keys cleanup_free = xasprintf("%s/keys", bed->project.path);

	CHECK_INT(mkdir(keys, 0700), 0);
	CHECK_INT(symlink(keys, link), 0);
}

static void
make_agent_inside(struct plan_bed *bed)
{
	char *link cleanup_free = xasprintf("%s/.claude", bed->paths.home);
	char *keys cleanup_free = xasprintf("%s/claude", bed->project.path);

	CHECK_INT(mkdir(keys, 0700), 0);
	CHECK_INT(symlink(keys, link), 0);
}

static void
make_home_guarded(struct plan_bed *bed)
{
	free(bed->paths.home);
	bed->paths.home = xstrdup("/etc");
}

/* The next row makes the same names. */
static void
clear_tmp(const struct plan_bed *bed)
{
	static const char *const names[] = { "home", "state", "config", "other",
		"engine.sock" };
	struct diag dg cleanup_diag = DIAG_INIT;
	int fd cleanup_close = -1;

	CHECK_INT(fs_open_dir(bed->tmp, &fd, &dg), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_INT(fs_remove_tree(fd, names[i], &dg), 0);
}

static void
test_sources(void)
{
	static const struct {
		void (*change)(struct plan_bed *bed);
		const char *rule;
	} rows[] = {
		{ make_swapped, "source-swapped" },
		{ make_linked, "source-link" },
		{ make_parent_link, "source-link" },
		{ make_file, "source-kind" },
		{ make_open, "source-owner" },
		{ make_absent, "source-kind" },
		{ make_config_inside, "source-drydock" },
		{ make_config_absent, "source-drydock" },
		{ make_socket_inside, "source-engine" },
		{ make_program_inside, "source-program" },
		{ make_path_dir, "source-program" },
		{ make_home_project, "source-home" },
		{ make_keys_inside, "source-credentials" },
		{ make_agent_inside, "source-agent" },
		{ make_home_guarded, "bind-target" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct plan_bed bed cleanup_plan_bed;
		struct policy *policy cleanup_policy = NULL;
		struct diag dg cleanup_diag = DIAG_INIT;

		plan_bed_init(&bed, MODE_CONTAINED);
		CHECK_INT(policy_load(&bed.paths, &policy, &dg), 0);
		rows[i].change(&bed);
		expect(&bed, policy, bed.model, rows[i].rule, rows[i].rule);
		clear_tmp(&bed);
	}
}

static void
put_program(const struct plan_bed *bed, const char *text)
{
	char *dir cleanup_free = xasprintf("%s/config/policy.d", bed->tmp);
	int fd cleanup_close = -1;
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(mkdir(dir, 0700), 0);
	CHECK_INT(fs_open_dir(dir, &fd, &dg), 0);
	CHECK_INT(
	    fs_replace_file(fd, "mine.jq", text, strlen(text), 0600, &dg), 0);
}

static void
test_added_violation(void)
{
	struct plan_bed bed cleanup_plan_bed;
	struct policy *policy cleanup_policy = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	put_program(&bed, "[{rule: \"mine\", what: (\"not \" + .facts.mode)}]");
	CHECK_INT(policy_load(&bed.paths, &policy, &dg), 0);
	CHECK_STR(dg.message, NULL);
	if (policy != NULL)
		expect(&bed, policy, bed.model, "mine", "an added rule");
}

static void
test_added_cannot_allow(void)
{
	struct plan_bed bed cleanup_plan_bed;
	struct policy *policy cleanup_policy = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;
	char *model cleanup_free = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	put_program(&bed, "[]");
	CHECK_INT(policy_load(&bed.paths, &policy, &dg), 0);
	model = mutate(bed.model, AGENT ".privileged = true");
	expect(&bed, policy, model, "privileged", "an added rule");
}

static void
test_added_not_compiling(void)
{
	struct plan_bed bed cleanup_plan_bed;
	struct policy *policy cleanup_policy = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	put_program(&bed, "[{rule: ");
	CHECK_INT(policy_load(&bed.paths, &policy, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK(strstr(dg.message, "policy.d/mine.jq") != NULL);
}

static void
test_added_answers(void)
{
	static const char *const programs[] = { "{}", "null", "[1]",
		"[{rule: \"x\"}]", "empty", "[], []", "error(\"x\")" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct plan_bed bed cleanup_plan_bed;
		struct policy *policy cleanup_policy = NULL;
		struct judged_plan plan cleanup_judged_plan = JUDGED_PLAN_INIT;
		struct diag dg cleanup_diag = DIAG_INIT;
		int fd cleanup_close = -1;

		plan_bed_init(&bed, MODE_CONTAINED);
		put_program(&bed, programs[i]);
		CHECK_INT(policy_load(&bed.paths, &policy, &dg), 0);
		CHECK_INT(fs_open_dir(getenv("top_srcdir"), &fd, &dg), 0);
		CHECK_INT(fs_read_file(fd, "compose/seccomp.json", 65536,
			      &plan.seccomp, &dg),
		    0);
		CHECK_INT(plan_judge_model(&bed.request,
			      &(struct assembly)ASSEMBLY_INIT, policy,
			      bed.model, &plan, &dg),
		    -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		clear_tmp(&bed);
	}
}

static void
test_absent_policy(void)
{
	struct plan_bed bed cleanup_plan_bed;
	struct policy *policy cleanup_policy = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	free(bed.paths.data_dir);
	bed.paths.data_dir = xstrdup(bed.tmp);
	CHECK_INT(policy_load(&bed.paths, &policy, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
}

/* A row that nothing uses would promise what nobody keeps. */
static void
test_table(void)
{
	struct plan_bed bed cleanup_plan_bed;
	struct policy *policy cleanup_policy = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct json *rows cleanup_json = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	CHECK_INT(policy_load(&bed.paths, &policy, &dg), 0);
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
		{ "a source that is not what it should be is refused",
		    test_sources },
		{ "policy.d adds a violation", test_added_violation },
		{ "policy.d allows nothing", test_added_cannot_allow },
		{ "a policy.d program that does not compile is named",
		    test_added_not_compiling },
		{ "a policy.d program with another answer is an error",
		    test_added_answers },
		{ "without policy.jq nothing is judged", test_absent_policy },
		{ "the table of rules has a name and a text in each row",
		    test_table },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
