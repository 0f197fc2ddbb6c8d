/* SPDX-License-Identifier: MIT */
/* verify: facts as the kernel prints them, one wrong at a time. */
#include "plan/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "plan/model.h"
#include "plan/plan.h"
#include "verify-kit.h"

static const char status_text[] = STATUS_TEXT;

/* Of a container on cgroup v1, shortened. */
#define MOUNTS_HEAD                                                       \
	"120 65 0:52 / / ro,relatime master:5 - overlay overlay rw,x=y\n" \
	"121 120 0:55 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"    \
	"122 120 0:56 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k\n"    \
	"124 120 0:58 / /sys ro,nosuid,nodev,noexec - sysfs sysfs ro\n"   \
	"125 124 0:59 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw\n"      \
	"133 125 0:36 /d/1 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n"
#define MOUNTS_MASKED                                               \
	"69 121 0:55 /sys /proc/sys ro,nosuid - proc proc rw\n"     \
	"70 121 0:62 / /proc/acpi ro,relatime - tmpfs tmpfs ro\n"   \
	"71 121 0:56 /null /proc/keys rw,nosuid - tmpfs tmpfs rw\n" \
	"73 124 0:63 / /sys/firmware ro,relatime - tmpfs tmpfs ro\n"
#define MOUNTS_FILES                                                     \
	"137 120 254:0 /t /usr/sbin/docker-init ro - ext4 /dev/vda rw\n" \
	"141 120 254:0 /r /etc/resolv.conf ro,relatime - ext4 /dev/vda rw\n"
#define MOUNT_TMP \
	"138 120 0:61 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw,size=980k\n"
#define MOUNT_HOME \
	"140 120 254:0 /s/home /home/u rw,relatime - ext4 /dev/vda rw\n"
#define MOUNT_PROJECT \
	"144 140 254:0 /s/p /home/u/p\\040x rw,relatime - ext4 /dev/vda rw\n"
#define MOUNT_CONF \
	"145 120 254:0 /s/c /etc/conf ro,relatime - ext4 /dev/vda rw\n"

static const char mounts_text[] = MOUNTS_HEAD MOUNTS_MASKED MOUNTS_FILES
    MOUNT_TMP MOUNT_HOME MOUNT_PROJECT MOUNT_CONF;

static void
good_facts(struct proc_facts *facts)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	*facts = (struct proc_facts)PROC_FACTS_INIT;
	CHECK_INT(proc_parse_status(status_text, &facts->status, &dg), 0);
	facts->child = facts->status;
	CHECK_INT(mountinfo_parse(mounts_text, &facts->mounts, &dg), 0);
	CHECK_STR(dg.message, NULL);
	for (unsigned i = 0; i < PROC_NNS; i++) {
		facts->own_ns[i] = 100 + i;
		facts->ns[i] = i == PROC_NS_USER ? 100 + i : 200 + i;
	}
	strvec_push(&facts->devices, "lo");
	facts->limits = (struct cgroup_limits){ 999424, 100, 1500 };
	facts->uid_map = xstrdup("0 0 4294967295");
}

static void
test_service(void)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	const struct plan_service *s = verify_kit_agent(NULL, &plan);

	CHECK_INT(plan.nservices, 1);
	CHECK_INT(s->role, SERVICE_AGENT);
	CHECK_STR(s->unreadable_key, NULL);
	CHECK_STR(s->image, "sha256:a");
	CHECK_STR(s->cgroup, "");
	CHECK_INT(s->uid, 1234);
	CHECK_INT(s->gid, 1235);
	CHECK(s->read_only);
	CHECK_INT(s->net, PLAN_NET_NONE);
	CHECK_INT(s->limits.memory, 1000000);
	CHECK_INT(s->limits.pids, 100);
	CHECK_INT(s->limits.cpu_milli, 1500);
	CHECK_INT(s->ntmpfs, 1);
	CHECK_STR(s->tmpfs[0].target, "/tmp");
	CHECK_INT(s->tmpfs[0].size, 1000000);
	CHECK(!s->tmpfs[0].noexec);
	CHECK_INT(s->env.nr, 2);
	CHECK(strvec_has(&s->env, "N=1"));
	CHECK_INT(s->entrypoint.nr, 2);
	CHECK_INT(s->nmounts, 3);
	CHECK(s->mounts[2].read_only);
	CHECK(plan_outer_mount(s, &s->mounts[1]) == &s->mounts[0]);
	CHECK(plan_outer_mount(s, &s->mounts[0]) == NULL);
	CHECK(plan_find(&plan, "egress") == NULL);
}

/* What a service's keys are, each nothing that can be compared. */
static const char *const odd_keys[] = {
	"\"tmpfs\": [\"/tmp:size=lots\"]",
	"\"tmpfs\": [\"/tmp:size=\"]",
	"\"tmpfs\": [\"/tmp:size=-1\"]",
	"\"tmpfs\": [\"/tmp:size=1mb\"]",
	"\"tmpfs\": [\"/tmp:rw,size=1m,size=1g\"]",
	"\"tmpfs\": [\"tmp\"]",
	"\"tmpfs\": [{}]",
	"\"tmpfs\": \"/tmp\"",
	"\"mem_limit\": \"1 GB\"",
	"\"mem_limit\": []",
	"\"pids_limit\": \"many\"",
	"\"pids_limit\": -1",
	"\"cpus\": \"x\"",
	"\"cpus\": {}",
	"\"cpus\": -1",
	"\"read_only\": \"yes\"",
	"\"init\": 1",
	"\"restart\": [\"no\"]",
	"\"ipc\": 1",
	"\"cgroup\": {}",
	"\"working_dir\": []",
	"\"logging\": \"local\"",
	"\"logging\": {\"options\": {\"max-size\": []}}",
	"\"environment\": [\"A=b\"]",
	"\"environment\": {\"A\": null}",
	"\"labels\": [\"a=b\"]",
	"\"labels\": {\"a\": {}}",
	"\"entrypoint\": \"/x\"",
	"\"entrypoint\": [1]",
	"\"command\": \"/x\"",
	"\"group_add\": \"4\"",
	"\"group_add\": [\"wheel\"]",
	"\"ulimits\": [1]",
	"\"ulimits\": {\"fsize\": {\"soft\": 1, \"hard\": 2}}",
	"\"volumes\": {}",
};

static void
test_not_understood(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(odd_keys); i++) {
		cleanup_plan struct plan plan = PLAN_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_free char *text =
		    xasprintf("{\"services\": {\"agent\": {\"user\": "
			      "\"1:1\", \"network_mode\": \"none\", %s}}}",
			odd_keys[i]);
		const char *key = verify_kit_agent(text, &plan)->unreadable_key;

		/* It is named. */
		check_true(__FILE__, __LINE__, odd_keys[i],
		    key != NULL &&
			strncmp(odd_keys[i] + 1, key, strlen(key)) == 0);
		CHECK_INT(model_check_readable(&plan, &dg), -1);
		CHECK_INT(dg.class, DIAG_POLICY);
	}
}

/* The engine's own default would count. */
static void
test_missing(void)
{
	static const char *const models[] = {
		"{\"services\": {\"agent\": {\"user\": \"1:1\"}}}",
		"{\"services\": {\"agent\": {\"network_mode\": \"none\"}}}",
		("{\"services\": {\"agent\": {\"user\": null, "
		 "\"network_mode\": \"none\"}}}"),
		"{\"services\": {\"agent\": []}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
		cleanup_plan struct plan plan = PLAN_INIT;

		check_true(__FILE__, __LINE__, models[i],
		    verify_kit_agent(models[i], &plan)->unreadable_key != NULL);
	}
}

static int
verify(const struct proc_facts *facts)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	const struct plan_service *s = verify_kit_agent(NULL, &plan);
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = verify_status(s, facts, &dg);

	if (rc == 0)
		rc = verify_namespaces(s, facts, 0, &dg);
	if (rc == 0)
		rc = verify_devices(s, facts, &dg);
	if (rc == 0)
		rc = verify_limits(s, facts, &dg);
	CHECK_INT(dg.class, rc == 0 ? DIAG_NONE : DIAG_POLICY);
	return rc;
}

/* Each of these changes one fact of a container that is as planned. */
static void
change_fact(struct proc_facts *f, unsigned which)
{
	switch (which) {
	case 0:
		f->status.uid[2] = 0;
		break;
	case 1:
		f->child.uid[0] = 0;
		break;
	case 2:
		f->status.gid[1] = 0;
		break;
	case 3:
		f->status.groups[f->status.ngroups++] = 27;
		break;
	case 4:
		f->child.no_new_privs = 0;
		break;
	case 5:
		f->status.no_new_privs = -1;
		break;
	case 6:
		f->status.seccomp = 0;
		break;
	case 7:
		f->child.seccomp = -1;
		break;
	case 8:
		f->status.seccomp_filters = 0;
		break;
	case 9:
		strvec_push(&f->devices, "eth0");
		break;
	case 10:
		f->limits.memory = -1;
		break;
	case 11:
		f->limits.memory = 1000001;
		break;
	case 12:
		f->limits.pids = -1;
		break;
	case 13:
		f->limits.cpu_milli = 2000;
		break;
	case 14:
		free(f->uid_map);
		f->uid_map = xstrdup("0 100000 65536");
		break;
	case 15:
		f->nfallback = 1;
		strvec_push(&f->addresses, "10.0.0.1");
		break;
	default:
		break;
	}
}

enum {
	NCHANGES = 16
};

static void
test_process(void)
{
	cleanup_proc_facts struct proc_facts good;

	good_facts(&good);
	CHECK_INT(verify(&good), 0);
	for (unsigned i = 0; i < NCHANGES; i++) {
		cleanup_proc_facts struct proc_facts bad;

		good_facts(&bad);
		change_fact(&bad, i);
		check_int(__FILE__, (int)i, "changed fact", verify(&bad), -1);
	}
}

static void
test_capabilities(void)
{
	for (unsigned i = 0; i < PROC_NCAPS; i++) {
		cleanup_proc_facts struct proc_facts bad;

		good_facts(&bad);
		bad.child.caps[i] = UINT64_C(1) << 10;
		CHECK_INT(verify(&bad), -1);
		bad.child.caps[i] = 0;
		bad.status.caps[i] = UINT64_C(1) << 40;
		CHECK_INT(verify(&bad), -1);
	}
}

static void
test_namespaces(void)
{
	for (unsigned i = 0; i < PROC_NNS; i++) {
		cleanup_proc_facts struct proc_facts bad;

		good_facts(&bad);
		bad.ns[i] = i == PROC_NS_USER ? 300 : bad.own_ns[i];
		CHECK_INT(verify(&bad), -1);
	}
}

static int
verify_text(const char *text)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	const struct plan_service *s = verify_kit_agent(NULL, &plan);
	cleanup_mountinfo struct mountinfo m = { NULL, 0 };
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	CHECK_INT(mountinfo_parse(text, &m, &dg), 0);
	rc = verify_mounts(s, &m, &dg);
	CHECK_INT(dg.class, rc == 0 ? DIAG_NONE : DIAG_POLICY);
	return rc;
}

/* The good table with from replaced by to. */
static int
verify_changed(const char *from, const char *to)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	const char *at = strstr(mounts_text, from);

	if (!CHECK(at != NULL))
		return 0;
	strbuf_add(&sb, mounts_text, (size_t)(at - mounts_text));
	strbuf_addstr(&sb, to);
	strbuf_addstr(&sb, at + strlen(from));
	return verify_text(sb.buf);
}

static void
test_mounts(void)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "/ / ro", "/ / rw" },
		{ MOUNT_HOME, "" },
		{ MOUNT_PROJECT, "" },
		{ MOUNT_CONF, "" },
		{ MOUNT_TMP, "" },
		{ MOUNT_HOME, MOUNT_HOME MOUNT_HOME },
		{ "/home/u rw", "/home/u ro" },
		{ "/etc/conf ro", "/etc/conf rw" },
		{ "/tmp rw,nosuid,nodev", "/tmp rw,nodev" },
		{ "/tmp rw,nosuid,nodev", "/tmp rw,nosuid" },
		{ "size=980k", "size=2000k" },
		{ "size=980k", "huge=never" },
		{ "/etc/resolv.conf ro", "/etc/resolv.conf rw" },
		{ "/proc/sys ro", "/proc/sys rw" },
		{ "/proc/acpi ro", "/proc/acpi rw" },
		{ "/null /proc/keys", "/keys /proc/keys" },
		{ "/sys ro", "/sys rw" },
		{ "/sys/fs/cgroup/pids ro", "/sys/fs/cgroup/pids rw" },
		{ "69 121 0:55 /sys /proc/sys ro,nosuid - proc proc rw\n", "" },
		{ "/usr/sbin/docker-init ro", "/usr/sbin/docker-init rw" },
		{ MOUNT_CONF,
		    MOUNT_CONF "9 8 0:1 / /run/docker.sock rw - ext4 a rw\n" },
		{ MOUNT_CONF,
		    MOUNT_CONF "9 8 0:1 / /etc/claude-code ro - ext4 a rw\n" },
		{ MOUNT_CONF, MOUNT_CONF "9 8 0:1 / /dev/x rw - ext4 a rw\n" },
		{ MOUNT_CONF, MOUNT_CONF "9 8 0:1 / /proc/x rw - ext4 a rw\n" },
	};

	CHECK_INT(verify_text(mounts_text), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_int(__FILE__, __LINE__, rows[i].to,
		    verify_changed(rows[i].from, rows[i].to), -1);
}

/* The project has a mount below it: the engine mounts that one twice. */
static void
test_carried(void)
{
	static const char model[] =
	    "{\"services\":{\"agent\":{\"user\":\"1:1\",\"read_only\":true,"
	    "\"network_mode\":\"none\",\"volumes\":["
	    "{\"source\":\"/p\",\"target\":\"/p\"},"
	    "{\"source\":\"/p/m\",\"target\":\"/p/m\"},"
	    "{\"source\":\"/other\",\"target\":\"/p/o\"}]}}}";
#define PROJECT "200 120 254:0 /p /p rw - ext4 a rw\n"
#define BELOW "201 200 0:70 / /p/m rw - tmpfs none rw\n"
#define OTHER "202 200 254:0 /other /p/o rw - ext4 a rw\n"
	static const struct {
		const char *mounts;
		int rc;
	} rows[] = {
		{ PROJECT BELOW BELOW OTHER, 0 },
		{ PROJECT BELOW OTHER, 0 },
		{ PROJECT OTHER, -1 },
		{ PROJECT BELOW BELOW OTHER OTHER, -1 },
		{ PROJECT BELOW
		    "203 200 0:71 / /p/m rw - tmpfs none rw\n" OTHER,
		    -1 },
		{ PROJECT BELOW
		    "203 200 0:70 /x /p/m rw - tmpfs none rw\n" OTHER,
		    -1 },
		{ PROJECT BELOW OTHER "203 200 0:70 / /p/x rw - tmpfs n rw\n",
		    -1 },
	};
	cleanup_plan struct plan plan = PLAN_INIT;
	const struct plan_service *s = verify_kit_agent(model, &plan);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_mountinfo struct mountinfo mounts = { NULL, 0 };
		cleanup_free char *text = xasprintf(
		    "%s%s", MOUNTS_HEAD MOUNTS_MASKED, rows[i].mounts);

		CHECK_INT(mountinfo_parse(text, &mounts, &dg), 0);
		check_int(__FILE__, __LINE__, rows[i].mounts,
		    verify_mounts(s, &mounts, &dg), rows[i].rc);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a service of the model is read", test_service },
		{ "what is not understood is not taken as absent",
		    test_not_understood },
		{ "user and network must be in the plan", test_missing },
		{ "one wrong fact of a process is refused", test_process },
		{ "a capability in any set is refused", test_capabilities },
		{ "a namespace that is shared is refused", test_namespaces },
		{ "a mount that is missing, more or writable is refused",
		    test_mounts },
		{ "a mount below the project may be there twice",
		    test_carried },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
