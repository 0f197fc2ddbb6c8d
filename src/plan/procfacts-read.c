/* SPDX-License-Identifier: MIT */
/*
 * procfacts: reads the facts of one process and the limits of its control
 * groups.
 */
#include "plan/procfacts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

enum {
	PROC_FILE_MAX = 1024 * 1024,
	OWN_MOUNTS_MAX = 4 * 1024 * 1024,
	CHILD_WAIT_MS = 15000,
	CHILD_POLL_MS = 5
};

/* Every failure is DIAG_POLICY: a fact that was not read is not verified. */
static int
as_policy(struct diag *cause, struct diag *dg)
{
	return diag_set(dg, DIAG_POLICY, "%s", cause->message);
}

static int
read_proc(int proc_fd, const char *name, struct strbuf *out, struct diag *dg)
{
	cleanup_diag struct diag cause = DIAG_INIT;

	strbuf_reset(out);
	if (fs_read_file(proc_fd, name, PROC_FILE_MAX, out, &cause) != 0)
		return as_policy(&cause, dg);
	return 0;
}

static int
open_proc(const char *pid, int *ret_fd, struct diag *dg)
{
	cleanup_diag struct diag cause = DIAG_INIT;
	cleanup_free char *path = xasprintf("/proc/%s", pid);

	if (fs_open_dir(path, ret_fd, &cause) != 0)
		return as_policy(&cause, dg);
	return 0;
}

static int
read_status(int proc_fd, struct proc_status *ret_status, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (read_proc(proc_fd, "status", &text, dg) != 0)
		return -1;
	return proc_parse_status(text.buf, ret_status, dg);
}

int
proc_mounts_read_own(struct proc_mounts *ret_mounts, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd =
	    open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "open /proc/self/mountinfo");
	if (fs_read_fd(fd, "/proc/self/mountinfo", OWN_MOUNTS_MAX, &text, dg) !=
	    0)
		return -1;
	return proc_parse_mounts(text.buf, ret_mounts, dg);
}

/*
 * The names are magic links: fstatat(2) follows them to the namespace's inode.
 */
static int
read_namespaces(int proc_fd, ino_t ns[PROC_NNS], struct diag *dg)
{
	for (unsigned i = 0; i < PROC_NNS; i++) {
		const char *name = proc_ns_name((enum proc_ns)i);
		char path[sizeof("ns/") + 8];
		struct stat st;

		(void)snprintf(path, sizeof(path), "ns/%s", name);
		if (fstatat(proc_fd, path, &st, 0) != 0)
			return diag_set_errno(dg, DIAG_POLICY, errno,
			    "read its %s namespace", name);
		ns[i] = st.st_ino;
	}
	return 0;
}

/*
 * Appends the path of the process in the hierarchy that has this controller: v1
 * if /proc/PID/cgroup lists the controller, else v2.
 */
static bool
cgroup_of(const char *cgroups, const char *controller, bool *ret_v1,
    struct strbuf *path)
{
	*ret_v1 = proc_find_cgroup(cgroups, controller, path);
	return *ret_v1 || proc_find_cgroup(cgroups, NULL, path);
}

/*
 * Only these two controllers are checked: in a hierarchy that the engine does
 * not use the process may be in another control group.
 */
static int
check_membership(const char *cgroups, const char *id, struct diag *dg)
{
	static const char *const controllers[] = { "memory", "pids" };

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		cleanup_strbuf struct strbuf path = STRBUF_INIT;
		bool v1;

		if (!cgroup_of(cgroups, controllers[i], &v1, &path) ||
		    strstr(path.buf, id) == NULL)
			return diag_set(dg, DIAG_POLICY,
			    "its process is not in the control group of "
			    "container %.12s, but in %s",
			    id, path.buf);
	}
	return 0;
}

/*
 * Returns the mount point of a hierarchy in drydock's own mounts; "" if it is
 * not mounted or if only a part of it is.
 */
static const char *
hierarchy(const struct proc_mounts *own, const char *controller)
{
	for (size_t i = 0; i < own->nr; i++) {
		const struct proc_mount *m = &own->v[i];

		if (strcmp(m->root, "/") != 0)
			continue;
		if (controller == NULL ? strcmp(m->fstype, "cgroup2") == 0
				       : strcmp(m->fstype, "cgroup") == 0 &&
			    proc_has_option(m->super, controller))
			return m->target;
	}
	return "";
}

struct limit_reader {
	const char *cgroups; /* text of /proc/PID/cgroup */
	const struct proc_mounts *own;
};

/*
 * Reads one file of the control group, in the hierarchy that has the
 * controller.  Returns false if there is no such file.
 */
static bool
read_limit(const struct limit_reader *r, const char *controller,
    const char *v1_name, const char *v2_name, struct strbuf *out)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_strbuf struct strbuf cgroup = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	const char *mount;
	bool v1;

	if (!cgroup_of(r->cgroups, controller, &v1, &cgroup))
		return false;
	mount = hierarchy(r->own, v1 ? controller : NULL);
	if (mount[0] == '\0')
		return false;
	strbuf_addf(&path, "%s%s", mount, cgroup.buf);
	if (fs_open_dir(path.buf, &fd, &ignored) != 0)
		return false;
	strbuf_reset(out);
	return fs_read_file(fd, v1 ? v1_name : v2_name, 4096, out, &ignored) ==
	    0;
}

/*
 * Returns the number at the start of s, or -1 (no limit) for "max" and any
 * other text.
 */
static int64_t
number_of(const char *s)
{
	char *end;
	long long value;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	value = strtoll(s, &end, 10);
	if (errno != 0 || (*end != '\0' && *end != ' ' && *end != '\n'))
		return -1;
	return value;
}

static int64_t
read_cpu(const struct limit_reader *r)
{
	cleanup_strbuf struct strbuf quota = STRBUF_INIT;
	cleanup_strbuf struct strbuf period = STRBUF_INIT;
	const char *blank;
	int64_t us;
	int64_t every;

	if (!read_limit(r, "cpu", "cpu.cfs_quota_us", "cpu.max", &quota))
		return -1;
	us = number_of(quota.buf);
	blank = strchr(quota.buf, ' ');
	if (blank != NULL)
		every = number_of(blank + 1);
	else if (read_limit(r, "cpu", "cpu.cfs_period_us", "cpu.max", &period))
		every = number_of(period.buf);
	else
		return -1;
	if (us < 0 || every <= 0 || us > INT64_MAX / 1000)
		return -1;
	return us * 1000 / every;
}

static void
read_limits(const struct limit_reader *r, struct proc_limits *ret_limits)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	*ret_limits = (struct proc_limits){ -1, -1, -1 };
	if (read_limit(
		r, "memory", "memory.limit_in_bytes", "memory.max", &text))
		ret_limits->memory = number_of(text.buf);
	if (read_limit(r, "pids", "pids.max", "pids.max", &text))
		ret_limits->pids = number_of(text.buf);
	ret_limits->cpu_milli = read_cpu(r);
}

static int
read_cgroups(int proc_fd, int self_fd, const char *container_id,
    struct proc_limits *ret_limits, struct diag *dg)
{
	cleanup_strbuf struct strbuf cgroups = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_proc_mounts struct proc_mounts own = { NULL, 0 };

	if (read_proc(proc_fd, "cgroup", &cgroups, dg) != 0 ||
	    check_membership(cgroups.buf, container_id, dg) != 0 ||
	    read_proc(self_fd, "mountinfo", &text, dg) != 0 ||
	    proc_parse_mounts(text.buf, &own, dg) != 0)
		return -1;
	read_limits(&(struct limit_reader){ cgroups.buf, &own }, ret_limits);
	return 0;
}

/* On a busy machine a running init may take seconds to start its child. */
static int
wait_children(
    int proc_fd, const char *name, struct strbuf *text, struct diag *dg)
{
	int64_t deadline = monotime_ms() + CHILD_WAIT_MS;

	for (;;) {
		if (read_proc(proc_fd, name, text, dg) != 0)
			return -1;
		if (text->len > 0 || monotime_left_ms(deadline) == 0)
			return 0;
		(void)poll(NULL, 0, CHILD_POLL_MS);
	}
}

/*
 * The container's init has one child, the holder.  If it has several, the first
 * is the one that the init itself started.
 */
static int
read_child(int proc_fd, pid_t pid, bool only_child,
    struct proc_status *ret_status, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int child_fd = -1;
	char path[64];
	char *end;
	long child;

	(void)snprintf(path, sizeof(path), "task/%jd/children", (intmax_t)pid);
	if (wait_children(proc_fd, path, &text, dg) != 0)
		return -1;
	errno = 0;
	child = strtol(text.buf, &end, 10);
	while (*end == ' ' || *end == '\n')
		end++;
	if (errno != 0 || child <= 0 || (only_child && *end != '\0'))
		return diag_set(dg, DIAG_POLICY,
		    "its init should have one child and has: %s",
		    text.len == 0 ? "none" : text.buf);
	(void)snprintf(path, sizeof(path), "%ld", child);
	if (open_proc(path, &child_fd, dg) != 0)
		return -1;
	return read_status(child_fd, ret_status, dg);
}

static char *
fold_blanks(const char *s)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	for (; *s != '\0'; s++) {
		if (!isspace((unsigned char)*s))
			strbuf_addch(&sb, *s);
		else if (sb.len > 0 && sb.buf[sb.len - 1] != ' ')
			strbuf_addch(&sb, ' ');
	}
	if (sb.len > 0 && sb.buf[sb.len - 1] == ' ')
		strbuf_setlen(&sb, sb.len - 1);
	return strbuf_detach(&sb, NULL);
}

/* Reads a device's attribute in sysfs, below the container's root. */
static int
read_attribute(const struct proc_facts *facts, const char *name,
    const char *attribute, struct strbuf *out, struct diag *dg)
{
	cleanup_free char *path =
	    xasprintf("sys/devices/virtual/net/%s/%s", name, attribute);

	return read_proc(facts->root_fd, path, out, dg);
}

static bool
is_idle_fallback(
    const struct proc_facts *facts, const char *name, const char *inet6)
{
	cleanup_strbuf struct strbuf type = STRBUF_INIT;
	cleanup_strbuf struct strbuf flags = STRBUF_INIT;
	cleanup_strbuf struct strbuf address = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	/*
	 * A device whose attributes cannot be read counts as an ordinary
	 * device.
	 */
	return read_attribute(facts, name, "type", &type, &ignored) == 0 &&
	    read_attribute(facts, name, "flags", &flags, &ignored) == 0 &&
	    read_attribute(facts, name, "address", &address, &ignored) == 0 &&
	    proc_device_is_idle_fallback(&(struct proc_device){
		name, type.buf, flags.buf, address.buf, inet6 });
}

static int
read_devices(struct proc_facts *facts, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf inet6 = STRBUF_INIT;
	cleanup_strvec struct strvec all = STRVEC_INIT;
	cleanup_diag struct diag no_ipv6 = DIAG_INIT;

	if (read_proc(facts->proc_fd, "net/dev", &text, dg) != 0 ||
	    proc_parse_devices(text.buf, &all, dg) != 0 ||
	    read_proc(facts->proc_fd, "net/fib_trie", &text, dg) != 0)
		return -1;
	proc_parse_addresses(text.buf, &facts->addresses);
	/* A kernel without IPv6 has no such file. */
	(void)read_proc(facts->proc_fd, "net/if_inet6", &inet6, &no_ipv6);
	for (size_t i = 0; i < all.nr; i++) {
		if (is_idle_fallback(facts, all.v[i], inet6.buf))
			facts->nfallback++;
		else
			strvec_push(&facts->devices, all.v[i]);
	}
	return 0;
}

static int
read_texts(struct proc_facts *facts, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (read_proc(facts->proc_fd, "uid_map", &text, dg) != 0)
		return -1;
	facts->uid_map = fold_blanks(text.buf);
	if (read_proc(facts->proc_fd, "mountinfo", &text, dg) != 0 ||
	    proc_parse_mounts(text.buf, &facts->mounts, dg) != 0)
		return -1;
	facts->root_fd =
	    openat(facts->proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (facts->root_fd < 0)
		return diag_set_errno(
		    dg, DIAG_POLICY, errno, "open its root directory");
	return read_devices(facts, dg);
}

static struct proc_facts
steal_facts(struct proc_facts *facts)
{
	struct proc_facts taken = *facts;

	*facts = (struct proc_facts)PROC_FACTS_INIT;
	return taken;
}

int
proc_facts_open(pid_t pid, const char *container_id, bool only_child,
    struct proc_facts *ret_facts, struct diag *dg)
{
	cleanup_proc_facts struct proc_facts facts = PROC_FACTS_INIT;
	cleanup_close int self_fd = -1;
	char name[32];

	facts.pid = pid;
	(void)snprintf(name, sizeof(name), "%jd", (intmax_t)pid);
	/*
	 * Race: if the pid is recycled, every open below this directory fails,
	 * so no fact is of another process.
	 */
	if (open_proc(name, &facts.proc_fd, dg) != 0 ||
	    open_proc("self", &self_fd, dg) != 0 ||
	    read_cgroups(
		facts.proc_fd, self_fd, container_id, &facts.limits, dg) != 0 ||
	    read_child(facts.proc_fd, pid, only_child, &facts.child, dg) != 0 ||
	    read_status(facts.proc_fd, &facts.status, dg) != 0)
		return -1;
	*ret_facts = steal_facts(&facts);
	return 0;
}

int
proc_facts_read(struct proc_facts *facts, struct diag *dg)
{
	cleanup_close int self_fd = -1;

	if (open_proc("self", &self_fd, dg) != 0 ||
	    read_namespaces(facts->proc_fd, facts->ns, dg) != 0 ||
	    read_namespaces(self_fd, facts->own_ns, dg) != 0)
		return -1;
	return read_texts(facts, dg);
}
