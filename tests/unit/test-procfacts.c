/* SPDX-License-Identifier: MIT */
/* procfacts: what the kernel prints is read as it stands, or refused. */
#include "plan/procfacts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "verify-kit.h"

static const char status_text[] = STATUS_TEXT;

static void
test_status(void)
{
	struct proc_status st;
	cleanup_diag struct diag dg = DIAG_INIT;

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
			cleanup_strbuf struct strbuf sb = STRBUF_INIT;
			cleanup_diag struct diag dg = DIAG_INIT;
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
	cleanup_mountinfo struct mountinfo m = { NULL, 0 };
	cleanup_diag struct diag dg = DIAG_INIT;
	static const char text[] =
	    "1 2 0:1 /a\\134b /x\\011y\\012z rw,ro2 shared:1 master:2 - "
	    "ext4 /dev/a\\040b rw\n"
	    "3 4 0:2 / /caf\xc3\xa9 ro - tmpfs tmpfs rw";

	CHECK_INT(mountinfo_parse(text, &m, &dg), 0);
	CHECK_INT(m.nr, 2);
	CHECK_STR(m.v[0].root, "/a\\b");
	CHECK_STR(m.v[0].target, "/x\ty\nz");
	CHECK_STR(m.v[0].fstype, "ext4");
	CHECK(!mountinfo_has_option(m.v[0].options, "ro"));
	CHECK_STR(m.v[1].target, "/caf\xc3\xa9");
	CHECK(mountinfo_has_option(m.v[1].options, "ro"));
	CHECK_STR(m.v[1].super, "rw");
}

static void
test_mountinfo_cut(void)
{
	static const char *const rows[] = { "1\n", "1 2 0:1 / /x rw\n",
		"1 2 0:1 / /x rw shared:1 ext4 a rw\n",
		"1 2 0:1 / /x rw - ext4 a\n", "\n" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_mountinfo struct mountinfo m = { NULL, 0 };
		cleanup_diag struct diag dg = DIAG_INIT;

		CHECK_INT(mountinfo_parse(rows[i], &m, &dg), -1);
		CHECK_INT(dg.class, DIAG_POLICY);
	}
}

static void
test_cgroups(void)
{
	static const char text[] = "8:pids:/docker/1\n1:cpu,cpuacct:/c:d\n"
				   "0::/unified\n";
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	CHECK(cgroup_find(text, "pids", &path));
	CHECK_STR(path.buf, "/docker/1");
	strbuf_reset(&path);
	CHECK(cgroup_find(text, "cpuacct", &path));
	CHECK_STR(path.buf, "/c:d");
	strbuf_reset(&path);
	CHECK(cgroup_find(text, NULL, &path));
	CHECK_STR(path.buf, "/unified");
	CHECK(!cgroup_find(text, "memory", &path));
	CHECK(!cgroup_find(text, "cp", &path));
}

static void
test_devices(void)
{
	cleanup_strvec struct strvec v = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(proc_parse_devices("Inter-| x\n face |y\n    lo: 0 0\n"
				     "  eth0:1 2\n",
		      &v, &dg),
	    0);
	CHECK_INT(v.nr, 2);
	CHECK_STR(v.v[1], "eth0");
	CHECK_INT(proc_parse_devices("", &v, &dg), -1);
}

/* As the kernel prints it for a container on the bridge. */
static void
test_addresses(void)
{
	static const char text[] =
	    "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n"
	    "        /0 universe UNICAST\n     +-- 127.0.0.0/8 2 0 2\n"
	    "           |-- 127.0.0.1\n              /32 host LOCAL\n"
	    "        |-- 172.17.0.2\n           /32 host LOCAL\n"
	    "        |-- 172.17.255.255\n           /32 link BROADCAST\n"
	    "Local:\n        |-- 172.17.0.2\n           /32 host LOCAL\n";
	cleanup_strvec struct strvec v = STRVEC_INIT;

	proc_parse_addresses(text, &v);
	CHECK_INT(v.nr, 1);
	CHECK_STR(v.v[0], "172.17.0.2");
	proc_parse_addresses("/32 host LOCAL\n", &v);
	CHECK_INT(v.nr, 1);
}

#define INET6 "fe800000000000000000000000000001 07 40 20 80    "

/* What a kernel with the modules loaded shows in a fresh namespace. */
static void
test_fallback(void)
{
	static const struct {
		struct proc_device d;
		bool idle;
	} rows[] = {
		{ { "tunl0", "768\n", "0x80\n", "00:00:00:00\n", "" }, true },
		{ { "sit0", "776\n", "0x80\n", "00:00:00:00\n", "" }, true },
		{ { "gre0", "778\n", "0x80\n", "00:00:00:00\n", "" }, true },
		{ { "gretap0", "1\n", "0x1002\n", "00:00:00:00:00:00\n", "" },
		    true },
		{ { "ip6tnl0", "769\n", "0x80\n",
		      "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\n",
		      INET6 "lo\n" INET6 "xip6tnl0\n" },
		    true },
		/* Up. */
		{ { "tunl0", "768\n", "0x81\n", "00:00:00:00\n", "" }, false },
		/* With a local endpoint. */
		{ { "tunl0", "768\n", "0x80\n", "0a:00:00:01\n", "" }, false },
		{ { "tunl0", "768\n", "0x80\n", "00:00:00:01\n", "" }, false },
		/* Another kind by that name. */
		{ { "tunl0", "1\n", "0x80\n", "00:00:00:00\n", "" }, false },
		{ { "gretap0", "778\n", "0x80\n", "00:00:00:00\n", "" },
		    false },
		/* Not the kernel's own names. */
		{ { "tunl1", "768\n", "0x80\n", "00:00:00:00\n", "" }, false },
		{ { "dummy0", "1\n", "0x80\n", "00:00:00:00:00:00\n", "" },
		    false },
		{ { "eth0", "1\n", "0x1002\n", "00:00:00:00:00:00\n", "" },
		    false },
		{ { "lo", "772\n", "0x8\n", "00:00:00:00:00:00\n", "" },
		    false },
		/* With an address of its own. */
		{ { "sit0", "776\n", "0x80\n", "00:00:00:00\n",
		      INET6 "lo\n" INET6 "sit0\n" },
		    false },
		/* What cannot be read. */
		{ { "tunl0", "", "", "", "" }, false },
		{ { "tunl0", "768\n", "", "00:00:00:00\n", "" }, false },
		{ { "tunl0", "768\n", "0x80", "00:00:00:00\n", "" }, false },
		{ { "tunl0", "768\n", "0x80\n", "", "" }, false },
		{ { "tunl0", "768\n", "0x80\n", "\n", "" }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_int(__FILE__, __LINE__, rows[i].d.name,
		    proc_device_is_idle_fallback(&rows[i].d), rows[i].idle);
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
		{ "addresses are read", test_addresses },
		{ "an unused tunnel device of the kernel's is known",
		    test_fallback },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
