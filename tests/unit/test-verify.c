/* SPDX-License-Identifier: MIT */
/* verify: facts as the kernel prints them, one wrong at a time. */
#include "plan/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "plan/plan.h"

#include "check.h"

static const char status_text[] = "Name:\tdocker-init\n"
				  "Uid:\t1234\t1234\t1234\t1234\n"
				  "Gid:\t1235\t1235\t1235\t1235\n"
				  "Groups:\t1235 \n"
				  "CapInh:\t0000000000000000\n"
				  "CapPrm:\t0000000000000000\n"
				  "CapEff:\t0000000000000000\n"
				  "CapBnd:\t0000000000000000\n"
				  "CapAmb:\t0000000000000000\n"
				  "NoNewPrivs:\t1\n"
				  "Seccomp:\t2\n"
				  "Seccomp_filters:\t1\n";

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

static const char model_text[] =
    "{\"services\":{\"agent\":{\"user\":\"1234:1235\",\"read_only\":true,"
    "\"network_mode\":\"none\",\"mem_limit\":\"1000000\","
    "\"pids_limit\":100,\"ipc\":\"private\",\"cpus\":1.5,\"restart\":\"no\","
    "\"tmpfs\":[\"/tmp:rw,exec,nosuid,nodev,mode=1777,size=1000000\"],"
    "\"environment\":{\"HOME\":\"/home/u\",\"N\":\"1\"},"
    "\"labels\":{\"io.drydock.role\":\"agent\"},"
    "\"logging\":{\"driver\":\"local\"},\"working_dir\":\"/home/u/p x\","
    "\"entrypoint\":[\"/holder\",\"hold\"],\"command\":[]}}}";

static const char *const image_env[] = { "PATH=/bin", "N=0", NULL };

static void
read_expectation(struct expectation *expect)
{
	struct json *model cleanup_json = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(
	    json_parse(model_text, strlen(model_text), "model", &model, &dg),
	    0);
	CHECK_INT(expectation_read(
		      model, "agent", image_env, "sha256:a", expect, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
}

static void
good_facts(struct proc_facts *facts)
{
	struct diag dg cleanup_diag = DIAG_INIT;

	*facts = (struct proc_facts)PROC_FACTS_INIT;
	CHECK_INT(proc_parse_status(status_text, &facts->status, &dg), 0);
	facts->child = facts->status;
	CHECK_INT(proc_parse_mounts(mounts_text, &facts->mounts, &dg), 0);
	CHECK_STR(dg.message, NULL);
	for (unsigned i = 0; i < PROC_NNS; i++) {
		facts->own_ns[i] = 100 + i;
		facts->ns[i] = i == PROC_NS_USER ? 100 + i : 200 + i;
	}
	strvec_push(&facts->devices, "lo");
	facts->limits = (struct proc_limits){ 999424, 100, 1500 };
	facts->uid_map = xstrdup("0 0 4294967295");
}

static void
test_status(void)
{
	struct proc_status st;
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(proc_parse_status(status_text, &st, &dg), 0);
	CHECK_INT(st.uid[3], 1234);
	CHECK_INT(st.gid[0], 1235);
	CHECK_INT(st.ngroups, 1);
	CHECK_INT(st.groups[0], 1235);
	CHECK_INT(st.no_new_privs, 1);
	CHECK_INT(st.seccomp, 2);
	CHECK_INT(st.seccomp_filters, 1);
}

/* A line that is cut, gone or strange is a refusal, never a zero. */
static void
test_status_cut(void)
{
	static const char *const names[] = { "Uid", "Gid", "Groups", "CapInh",
		"CapPrm", "CapEff", "CapBnd", "CapAmb" };
	static const char *const values[] = { "", "\t", "\tx", "\t-1",
		"\t1 2 3 x" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *line = strstr(status_text, names[i]);
		const char *rest = strchr(line, '\n');

		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			struct strbuf sb cleanup_strbuf = STRBUF_INIT;
			struct diag dg cleanup_diag = DIAG_INIT;
			struct proc_status st;
			bool empty_groups = i == 2 && v < 2;

			/* A capability set is the first word, in hex. */
			if (i > 2 && v == 4)
				continue;
			strbuf_add(&sb, status_text,
			    (size_t)(line - status_text) + strlen(names[i]) +
				1);
			strbuf_addstr(&sb, values[v]);
			strbuf_addstr(&sb, rest);
			CHECK_INT(proc_parse_status(sb.buf, &st, &dg),
			    empty_groups ? 0 : -1);
			CHECK_INT(
			    dg.class, empty_groups ? DIAG_NONE : DIAG_POLICY);
		}
	}
}

static void
test_mountinfo(void)
{
	struct proc_mounts m cleanup_proc_mounts = { NULL, 0 };
	struct diag dg cleanup_diag = DIAG_INIT;
	static const char text[] =
	    "1 2 0:1 /a\\134b /x\\011y\\012z rw,ro2 shared:1 master:2 - "
	    "ext4 /dev/a\\040b rw\n"
	    "3 4 0:2 / /caf\xc3\xa9 ro - tmpfs tmpfs rw";

	CHECK_INT(proc_parse_mounts(text, &m, &dg), 0);
	CHECK_INT(m.nr, 2);
	CHECK_STR(m.v[0].root, "/a\\b");
	CHECK_STR(m.v[0].target, "/x\ty\nz");
	CHECK_STR(m.v[0].fstype, "ext4");
	CHECK(!proc_has_option(m.v[0].options, "ro"));
	CHECK_STR(m.v[1].target, "/caf\xc3\xa9");
	CHECK(proc_has_option(m.v[1].options, "ro"));
	CHECK_STR(m.v[1].super, "rw");
}

static void
test_mountinfo_cut(void)
{
	static const char *const rows[] = { "1\n", "1 2 0:1 / /x rw\n",
		"1 2 0:1 / /x rw shared:1 ext4 a rw\n",
		"1 2 0:1 / /x rw - ext4 a\n", "\n" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proc_mounts m cleanup_proc_mounts = { NULL, 0 };
		struct diag dg cleanup_diag = DIAG_INIT;

		CHECK_INT(proc_parse_mounts(rows[i], &m, &dg), -1);
		CHECK_INT(dg.class, DIAG_POLICY);
	}
}

static void
test_cgroups(void)
{
	static const char text[] = "8:pids:/docker/1\n1:cpu,cpuacct:/c:d\n"
				   "0::/unified\n";
	struct strbuf path cleanup_strbuf = STRBUF_INIT;

	CHECK(proc_find_cgroup(text, "pids", &path));
	CHECK_STR(path.buf, "/docker/1");
	strbuf_reset(&path);
	CHECK(proc_find_cgroup(text, "cpuacct", &path));
	CHECK_STR(path.buf, "/c:d");
	strbuf_reset(&path);
	CHECK(proc_find_cgroup(text, NULL, &path));
	CHECK_STR(path.buf, "/unified");
	CHECK(!proc_find_cgroup(text, "memory", &path));
	CHECK(!proc_find_cgroup(text, "cp", &path));
}

static void
test_devices(void)
{
	struct strvec v cleanup_strvec = STRVEC_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(proc_parse_devices("Inter-| x\n face |y\n    lo: 0 0\n"
				     "  eth0:1 2\n",
		      &v, &dg),
	    0);
	CHECK_INT(v.nr, 2);
	CHECK_STR(v.v[1], "eth0");
	CHECK_INT(proc_parse_devices("", &v, &dg), -1);
}

static void
test_expectation(void)
{
	struct expectation e cleanup_expectation = EXPECTATION_INIT;

	read_expectation(&e);
	CHECK_INT(e.uid, 1234);
	CHECK_INT(e.gid, 1235);
	CHECK(e.read_only);
	CHECK_INT(e.net, EXPECT_NET_NONE);
	CHECK_INT(e.limits.memory, 1000000);
	CHECK_INT(e.limits.pids, 100);
	CHECK_INT(e.limits.cpu_milli, 1500);
	CHECK_INT(e.ntmpfs, 1);
	CHECK_STR(e.tmpfs[0].target, "/tmp");
	CHECK_INT(e.tmpfs[0].size, 1000000);
	CHECK(!e.tmpfs[0].noexec);
	CHECK_INT(e.env.nr, 3);
	CHECK(strvec_has(&e.env, "N=1"));
	CHECK_INT(e.command.nr, 2);
}

static int
verify(const struct proc_facts *facts)
{
	struct expectation e cleanup_expectation = EXPECTATION_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;
	int rc;

	read_expectation(&e);
	rc = verify_status(&e, facts, &dg);
	if (rc == 0)
		rc = verify_process(&e, facts, &dg);
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
	default:
		break;
	}
}

enum {
	NCHANGES = 15
};

static void
test_process(void)
{
	struct proc_facts good cleanup_proc_facts;

	good_facts(&good);
	CHECK_INT(verify(&good), 0);
	for (unsigned i = 0; i < NCHANGES; i++) {
		struct proc_facts bad cleanup_proc_facts;

		good_facts(&bad);
		change_fact(&bad, i);
		check_int(__FILE__, (int)i, "changed fact", verify(&bad), -1);
	}
}

static void
test_capabilities(void)
{
	for (unsigned i = 0; i < PROC_NCAPS; i++) {
		struct proc_facts bad cleanup_proc_facts;

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
		struct proc_facts bad cleanup_proc_facts;

		good_facts(&bad);
		bad.ns[i] = i == PROC_NS_USER ? 300 : bad.own_ns[i];
		CHECK_INT(verify(&bad), -1);
	}
}

#define BIND(s, t, ro)                                          \
	{                                                       \
		.service = agent, .source = (s), .target = (t), \
		.read_only = (ro), .fd = -1                     \
	}

static int
verify_text(const char *text)
{
	static char agent[] = "agent";
	static char home[] = "/s/home", home_target[] = "/home/u";
	static char project[] = "/s/p", project_target[] = "/home/u/p x";
	static char conf[] = "/s/c", conf_target[] = "/etc/conf";
	const struct bind binds[] = {
		BIND(home, home_target, false),
		BIND(project, project_target, false),
		BIND(conf, conf_target, true),
	};
	struct expectation e cleanup_expectation = EXPECTATION_INIT;
	struct proc_mounts m cleanup_proc_mounts = { NULL, 0 };
	struct diag dg cleanup_diag = DIAG_INIT;
	int rc;

	read_expectation(&e);
	CHECK_INT(proc_parse_mounts(text, &m, &dg), 0);
	rc = verify_mounts(&e, binds, ARRAY_SIZE(binds), "agent", &m, &dg);
	CHECK_INT(dg.class, rc == 0 ? DIAG_NONE : DIAG_POLICY);
	return rc;
}

/* The good table with from replaced by to. */
static int
verify_changed(const char *from, const char *to)
{
	struct strbuf sb cleanup_strbuf = STRBUF_INIT;
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

static void
test_sources(void)
{
	static char agent[] = "agent";
	static char source[] = "judged";
	static char target[] = "/in/target";
	int root cleanup_close =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int judged cleanup_close = -1;
	struct bind bind = BIND(source, target, false);
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(verify_sources(&bind, 1, "agent", root, &dg), -1);
	diag_clear(&dg);
	CHECK_INT(mkdirat(root, "in", 0700), 0);
	CHECK_INT(mkdirat(root, "in/target", 0700), 0);
	CHECK_INT(mkdirat(root, "other", 0700), 0);
	judged = openat(root, "in/target", O_PATH | O_CLOEXEC);
	bind.fd = judged;
	CHECK_INT(verify_sources(&bind, 1, "agent", root, &dg), 0);
	CHECK_INT(renameat(root, "in/target", root, "moved"), 0);
	CHECK_INT(verify_sources(&bind, 1, "agent", root, &dg), -1);
	diag_clear(&dg);
	CHECK_INT(symlinkat("../moved", root, "in/target"), 0);
	CHECK_INT(verify_sources(&bind, 1, "agent", root, &dg), -1);
	diag_clear(&dg);
	CHECK_INT(unlinkat(root, "in/target", 0), 0);
	CHECK_INT(renameat(root, "other", root, "in/target"), 0);
	CHECK_INT(verify_sources(&bind, 1, "agent", root, &dg), -1);
	CHECK_INT(dg.class, DIAG_POLICY);
}

#define HOST_CONFIG                            \
	"\"RestartPolicy\":{\"Name\":\"no\"}," \
	"\"IpcMode\":\"private\","             \
	"\"LogConfig\":{\"Type\":\"local\"}"

static int
verify_container(const char *host_config, const char *more_env,
    const char *image, const char *seccomp)
{
	struct expectation e cleanup_expectation = EXPECTATION_INIT;
	char *inspect cleanup_free =
	    xasprintf("{\"HostConfig\":{%s}}", host_config);
	char *image_id cleanup_free = xstrdup(image);
	static char user[] = "1234:1235", net[] = "none", dir[] = "/home/u/p x";
	struct container c = {
		.image_id = image_id,
		.env = STRVEC_INIT,
		.labels = STRVEC_INIT,
		.entrypoint = STRVEC_INIT,
		.user = user,
		.network_mode = net,
		.working_dir = dir,
		.inspect = inspect,
	};
	struct diag dg cleanup_diag = DIAG_INIT;
	int rc;

	read_expectation(&e);
	e.seccomp = seccomp;
	strvec_push(&c.env, "PATH=/bin");
	strvec_push(&c.env, "N=1");
	strvec_push(&c.env, "HOME=/home/u");
	if (more_env != NULL)
		strvec_push(&c.env, more_env);
	strvec_push(&c.labels, "io.drydock.role=agent");
	strvec_push(&c.labels, "com.docker.compose.service=agent");
	strvec_push(&c.entrypoint, "/holder");
	strvec_push(&c.entrypoint, "hold");
	rc = verify_inspect(&e, &c, &dg);
	CHECK_INT(dg.class, rc == 0 ? DIAG_NONE : DIAG_POLICY);
	CHECK(dg.message == NULL || strstr(dg.message, "secret") == NULL);
	strvec_release(&c.env);
	strvec_release(&c.labels);
	strvec_release(&c.entrypoint);
	return rc;
}

static void
test_inspect(void)
{
	static const char *const bad[] = {
		HOST_CONFIG ",\"Privileged\":true",
		HOST_CONFIG ",\"Binds\":[\"/:/host\"]",
		HOST_CONFIG ",\"Devices\":[{}]",
		HOST_CONFIG ",\"CapAdd\":[\"SYS_ADMIN\"]",
		HOST_CONFIG ",\"PidMode\":\"host\"",
		"\"RestartPolicy\":{\"Name\":\"always\"},"
		"\"IpcMode\":\"private\","
		"\"LogConfig\":{\"Type\":\"local\"}",
		"\"RestartPolicy\":{\"Name\":\"no\"},"
		"\"IpcMode\":\"private\","
		"\"LogConfig\":{\"Type\":\"json-file\"}",
		"\"RestartPolicy\":{\"Name\":\"no\"},"
		"\"IpcMode\":\"container:0123\","
		"\"LogConfig\":{\"Type\":\"local\"}",
	};
	static const char same[] = HOST_CONFIG ",\"SecurityOpt\":["
					       "\"seccomp={\\\"a\\\":1}\"]";

	/* The last profile is the one that counts. */
	static const char *const options[] = {
		"\"seccomp={\\\"a\\\":1}\",\"seccomp=unconfined\"",
		"\"seccomp={\\\"a\\\":1}\",\"seccomp={\\\"a\\\":2}\"",
		"\"seccomp={\\\"a\\\":1}\",\"seccomp:unconfined\"",
		"\"no-new-privileges:true\"",
	};

	CHECK_INT(verify_container(HOST_CONFIG, NULL, "sha256:a", NULL), 0);
	CHECK_INT(verify_container(HOST_CONFIG, NULL, "sha256:b", NULL), -1);
	CHECK_INT(verify_container(HOST_CONFIG, "HTTP_PROXY=http://u:secret@h",
		      "sha256:a", NULL),
	    -1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		check_int(__FILE__, __LINE__, bad[i],
		    verify_container(bad[i], NULL, "sha256:a", NULL), -1);
	CHECK_INT(verify_container(same, NULL, "sha256:a", "{ \"a\": 1 }"), 0);
	CHECK_INT(verify_container(same, NULL, "sha256:a", "{ \"a\": 2 }"), -1);
	CHECK_INT(verify_container(HOST_CONFIG, NULL, "sha256:a", "{}"), -1);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char *config cleanup_free =
		    xasprintf(HOST_CONFIG ",\"SecurityOpt\":[%s]", options[i]);

		CHECK_INT(
		    verify_container(config, NULL, "sha256:a", "{ \"a\": 1 }"),
		    -1);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "status is read", test_status },
		{ "a status that is cut or strange is refused",
		    test_status_cut },
		{ "mountinfo is read with its escapes", test_mountinfo },
		{ "a mountinfo that is cut is refused", test_mountinfo_cut },
		{ "control groups are found by controller", test_cgroups },
		{ "network devices are read", test_devices },
		{ "the plan's service becomes an expectation",
		    test_expectation },
		{ "one wrong fact of a process is refused", test_process },
		{ "a capability in any set is refused", test_capabilities },
		{ "a namespace that is shared is refused", test_namespaces },
		{ "a mount that is missing, more or writable is refused",
		    test_mounts },
		{ "another file at a bind's target is refused", test_sources },
		{ "what inspect shows is as planned, secrets are not told",
		    test_inspect },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
