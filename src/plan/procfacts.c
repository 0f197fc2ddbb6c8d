/* SPDX-License-Identifier: MIT */
/* procfacts: reads and parses the files of proc(5) of one process. */
#include "plan/procfacts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
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
	CHILD_WAIT_MS = 15000,
	CHILD_POLL_MS = 5
};

const char *
proc_ns_name(enum proc_ns ns)
{
	static const char *const names[PROC_NNS] = {
		[PROC_NS_NET] = "net",
		[PROC_NS_PID] = "pid",
		[PROC_NS_IPC] = "ipc",
		[PROC_NS_UTS] = "uts",
		[PROC_NS_MNT] = "mnt",
		[PROC_NS_USER] = "user",
	};

	return names[ns];
}

const char *
proc_cap_name(enum proc_cap cap)
{
	static const char *const names[PROC_NCAPS] = {
		[PROC_CAP_INH] = "CapInh",
		[PROC_CAP_PRM] = "CapPrm",
		[PROC_CAP_EFF] = "CapEff",
		[PROC_CAP_BND] = "CapBnd",
		[PROC_CAP_AMB] = "CapAmb",
	};

	return names[cap];
}

/* Returns the text after "NAME:" at the start of a line, or NULL. */
static const char *
find_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; *line != '\0';) {
		const char *end = strchr(line, '\n');

		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1;
		if (end == NULL)
			break;
		line = end + 1;
	}
	return NULL;
}

/*
 * Parses one number and moves *at past it.  Never reads past the end of the
 * line.
 */
static bool
take_number(const char **at, int base, uint64_t *ret_value)
{
	const char *s = *at;
	char *end;

	while (*s == ' ' || *s == '\t')
		s++;
	if (*s == '\n' || *s == '\0' || *s == '-' || *s == '+')
		return false;
	errno = 0;
	*ret_value = strtoull(s, &end, base);
	if (errno != 0 || end == s ||
	    (*end != ' ' && *end != '\t' && *end != '\n' && *end != '\0'))
		return false;
	*at = end;
	return true;
}

static int
cannot_read(const char *what, struct diag *dg)
{
	return diag_set(
	    dg, DIAG_POLICY, "/proc/PID/status: %s cannot be read", what);
}

/* uid_t and gid_t are the same 32-bit type. */
static int
parse_ids(const char *text, const char *name, uid_t ids[4], struct diag *dg)
{
	const char *at = find_line(text, name);

	for (int i = 0; i < 4; i++) {
		uint64_t value;

		if (at == NULL || !take_number(&at, 10, &value) ||
		    value > UINT32_MAX)
			return cannot_read(name, dg);
		ids[i] = (uid_t)value;
	}
	return 0;
}

static int
parse_groups(const char *text, struct proc_status *status, struct diag *dg)
{
	const char *at = find_line(text, "Groups");
	uint64_t value;

	if (at == NULL)
		return cannot_read("Groups", dg);
	status->ngroups = 0;
	while (take_number(&at, 10, &value)) {
		if (value > UINT32_MAX || status->ngroups == PROC_MAX_GROUPS)
			return cannot_read("Groups", dg);
		status->groups[status->ngroups++] = (gid_t)value;
	}
	at += strspn(at, " \t");
	return *at == '\n' || *at == '\0' ? 0 : cannot_read("Groups", dg);
}

/* Returns -1 if the line is missing or has no number. */
static int64_t
parse_small(const char *text, const char *name)
{
	const char *at = find_line(text, name);
	uint64_t value;

	if (at == NULL || !take_number(&at, 10, &value) || value > INT32_MAX)
		return -1;
	return (int64_t)value;
}

int
proc_parse_status(
    const char *text, struct proc_status *ret_status, struct diag *dg)
{
	struct proc_status status = { .ngroups = 0 };

	if (parse_ids(text, "Uid", status.uid, dg) != 0 ||
	    parse_ids(text, "Gid", status.gid, dg) != 0 ||
	    parse_groups(text, &status, dg) != 0)
		return -1;
	for (unsigned i = 0; i < PROC_NCAPS; i++) {
		const char *name = proc_cap_name((enum proc_cap)i);
		const char *at = find_line(text, name);

		if (at == NULL || !take_number(&at, 16, &status.caps[i]))
			return cannot_read(name, dg);
	}
	status.no_new_privs = parse_small(text, "NoNewPrivs");
	status.seccomp = parse_small(text, "Seccomp");
	status.seccomp_filters = parse_small(text, "Seccomp_filters");
	*ret_status = status;
	return 0;
}

int
proc_parse_devices(
    const char *text, struct strvec *ret_devices, struct diag *dg)
{
	int number = 0;

	for (const char *line = text; *line != '\0'; number++) {
		const char *eol = line + strcspn(line, "\n");
		const char *name = line + strspn(line, " \t");
		const char *colon = memchr(name, ':', (size_t)(eol - name));

		/* The first two lines are headings. */
		if (number >= 2) {
			if (colon == NULL)
				return diag_set(dg, DIAG_POLICY,
				    "/proc/PID/net/dev cannot be read");
			strvec_push_given(ret_devices,
			    xstrndup(name, (size_t)(colon - name)));
		}
		line = *eol == '\n' ? eol + 1 : eol;
	}
	if (number < 2)
		return diag_set(
		    dg, DIAG_POLICY, "/proc/PID/net/dev cannot be read");
	return 0;
}

/*
 * A local address has two lines: "|-- 10.0.0.2", then "/32 host LOCAL".  Each
 * address is in the trie twice.
 */
void
proc_parse_addresses(const char *text, struct strvec *ret_addresses)
{
	const char *address = NULL;
	size_t len = 0;

	for (const char *line = text; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");
		const char *word = line + strspn(line, " ");

		if (strncmp(word, "|-- ", 4) == 0) {
			address = word + 4;
			len = (size_t)(eol - address);
		} else if (address != NULL &&
		    strncmp(word, "/32 host LOCAL", 14) == 0 &&
		    strncmp(address, "127.", 4) != 0) {
			cleanup_free char *own = xstrndup(address, len);

			if (!strvec_has(ret_addresses, own))
				strvec_push(ret_addresses, own);
		}
		line = *eol == '\n' ? eol + 1 : eol;
	}
}

/*
 * From net/ipv4/ipip.c, net/ipv6/sit.c, net/ipv4/ip_gre.c and similar files of
 * the kernel.  The types are from if_arp.h.
 */
static const struct {
	const char *name;
	const char *type;
} fallback_devices[] = {
	{ "tunl0", "768\n" },
	{ "sit0", "776\n" },
	{ "gre0", "778\n" },
	{ "gretap0", "1\n" },
	{ "erspan0", "1\n" },
	{ "ip_vti0", "768\n" },
	{ "ip6tnl0", "769\n" },
	{ "ip6gre0", "823\n" },
	{ "ip6_vti0", "769\n" },
};

/* The last column of if_inet6 is the device name. */
static bool
has_inet6(const char *inet6, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = inet6; *line != '\0';) {
		const char *eol = line + strcspn(line, "\n");

		if ((size_t)(eol - line) > len &&
		    eol[-(ptrdiff_t)len - 1] == ' ' &&
		    strncmp(eol - len, name, len) == 0)
			return true;
		line = *eol == '\n' ? eol + 1 : eol;
	}
	return false;
}

bool
proc_device_is_idle_fallback(const struct proc_device *device)
{
	char *end;
	unsigned long flags;
	size_t i = 0;

	while (i < ARRAY_SIZE(fallback_devices) &&
	    strcmp(fallback_devices[i].name, device->name) != 0)
		i++;
	if (i == ARRAY_SIZE(fallback_devices) ||
	    strcmp(fallback_devices[i].type, device->type) != 0)
		return false;
	errno = 0;
	flags = strtoul(device->flags, &end, 16);
	if (errno != 0 || end == device->flags || *end != '\n' ||
	    (flags & (IFF_UP | IFF_RUNNING)) != 0)
		return false;
	return device->address[0] == '0' &&
	    device->address[strspn(device->address, "0:\n")] == '\0' &&
	    !has_inet6(device->inet6, device->name);
}

/* Every failure is DIAG_POLICY: a fact that was not read is not verified. */
static int
read_proc(int proc_fd, const char *name, struct strbuf *out, struct diag *dg)
{
	strbuf_reset(out);
	return fs_read_file(proc_fd, name, PROC_FILE_MAX, out, dg) == 0
	    ? 0
	    : diag_reclass(dg, DIAG_POLICY);
}

static int
open_proc(const char *pid, int *ret_fd, struct diag *dg)
{
	cleanup_free char *path = xasprintf("/proc/%s", pid);

	return fs_open_dir(path, ret_fd, dg) == 0
	    ? 0
	    : diag_reclass(dg, DIAG_POLICY);
}

static int
read_status(int proc_fd, struct proc_status *ret_status, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (read_proc(proc_fd, "status", &text, dg) != 0)
		return -1;
	return proc_parse_status(text.buf, ret_status, dg);
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

static int
read_cgroups(int proc_fd, const char *container_id,
    struct cgroup_limits *ret_limits, struct diag *dg)
{
	cleanup_strbuf struct strbuf cgroups = STRBUF_INIT;
	cleanup_mountinfo struct mountinfo own = { NULL, 0 };

	if (read_proc(proc_fd, "cgroup", &cgroups, dg) != 0 ||
	    cgroup_check(cgroups.buf, container_id, dg) != 0)
		return -1;
	if (mountinfo_read_own(&own, dg) != 0)
		return diag_reclass(dg, DIAG_POLICY);
	cgroup_read_limits(cgroups.buf, &own, ret_limits);
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

int
proc_facts_open(pid_t pid, const char *container_id, bool only_child,
    struct proc_facts *ret_facts, struct diag *dg)
{
	cleanup_proc_facts struct proc_facts facts = PROC_FACTS_INIT;
	char name[32];

	facts.pid = pid;
	(void)snprintf(name, sizeof(name), "%jd", (intmax_t)pid);
	/*
	 * Race: if the pid is recycled, every open below this directory fails,
	 * so no fact is of another process.
	 */
	if (open_proc(name, &facts.proc_fd, dg) != 0 ||
	    read_cgroups(facts.proc_fd, container_id, &facts.limits, dg) != 0 ||
	    read_child(facts.proc_fd, pid, only_child, &facts.child, dg) != 0 ||
	    read_status(facts.proc_fd, &facts.status, dg) != 0)
		return -1;
	*ret_facts = facts;
	facts = (struct proc_facts)PROC_FACTS_INIT;
	return 0;
}

int
proc_facts_read(struct proc_facts *facts, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int self_fd = -1;

	if (open_proc("self", &self_fd, dg) != 0 ||
	    read_namespaces(facts->proc_fd, facts->ns, dg) != 0 ||
	    read_namespaces(self_fd, facts->own_ns, dg) != 0 ||
	    read_proc(facts->proc_fd, "uid_map", &text, dg) != 0)
		return -1;
	facts->uid_map = fold_blanks(text.buf);
	if (read_proc(facts->proc_fd, "mountinfo", &text, dg) != 0 ||
	    mountinfo_parse(text.buf, &facts->mounts, dg) != 0)
		return -1;
	facts->root_fd =
	    openat(facts->proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (facts->root_fd < 0)
		return diag_set_errno(
		    dg, DIAG_POLICY, errno, "open its root directory");
	return read_devices(facts, dg);
}

void
proc_facts_release(struct proc_facts *facts)
{
	mountinfo_release(&facts->mounts);
	strvec_release(&facts->devices);
	strvec_release(&facts->addresses);
	free(facts->uid_map);
	facts->uid_map = NULL;
	cleanup_close_fn(&facts->root_fd);
	cleanup_close_fn(&facts->proc_fd);
}

/* Returns true if the process is in the container, with its status. */
static bool
read_member(
    const char *name, const char *container_id, struct proc_status *ret_status)
{
	cleanup_strbuf struct strbuf cgroups = STRBUF_INIT;
	cleanup_diag struct diag ended = DIAG_INIT;
	cleanup_close int fd = -1;

	if (open_proc(name, &fd, &ended) != 0 ||
	    read_proc(fd, "cgroup", &cgroups, &ended) != 0 ||
	    cgroup_check(cgroups.buf, container_id, &ended) != 0 ||
	    read_status(fd, ret_status, &ended) != 0)
		return false;
	ret_status->pid = (pid_t)strtol(name, NULL, 10);
	return true;
}

int
proc_statuses_read(const char *container_id, struct proc_statuses *ret_statuses,
    struct diag *dg)
{
	struct proc_statuses all = { NULL, 0 };
	DIR *proc = opendir("/proc");
	const struct dirent *e;

	while (proc != NULL && (e = readdir(proc)) != NULL) {
		struct proc_status status;

		if (!isdigit((unsigned char)e->d_name[0]) ||
		    !read_member(e->d_name, container_id, &status))
			continue;
		all.v = xreallocarray(all.v, all.nr + 1, sizeof(*all.v));
		all.v[all.nr++] = status;
	}
	if (proc != NULL)
		(void)closedir(proc);
	if (all.nr == 0)
		return diag_set(dg, DIAG_POLICY,
		    "no process is in the control group of container %.12s",
		    container_id);
	*ret_statuses = all;
	return 0;
}

void
proc_statuses_release(struct proc_statuses *statuses)
{
	free(statuses->v);
}
