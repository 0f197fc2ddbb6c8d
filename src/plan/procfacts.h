/* SPDX-License-Identifier: MIT */
/*
 * procfacts: what the kernel says of one process, as proc(5) prints it.
 *
 * The parsers take text and fail with DIAG_POLICY: a fact that cannot be read
 * is not a fact in the session's favour.
 */
#ifndef DRYDOCK_PROCFACTS_H
#define DRYDOCK_PROCFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strvec.h"

struct diag;
struct strbuf;

enum {
	PROC_MAX_GROUPS = 64,
	PROC_MAX_MOUNTS = 4096,
};

enum proc_cap {
	PROC_CAP_INH,
	PROC_CAP_PRM,
	PROC_CAP_EFF,
	PROC_CAP_BND,
	PROC_CAP_AMB,
	PROC_NCAPS
};

/* Of /proc/PID/status; -1 for a number that this kernel does not print. */
struct proc_status {
	uid_t uid[4]; /* real, effective, saved, file system */
	gid_t gid[4];
	gid_t groups[PROC_MAX_GROUPS];
	size_t ngroups;
	uint64_t caps[PROC_NCAPS];
	int64_t no_new_privs;
	int64_t seccomp;
	int64_t seccomp_filters;
};

struct proc_mount {
	char *device; /* owned; of its file system, "8:1" */
	char *root; /* owned; what of its file system stands there */
	char *target; /* owned */
	char *options; /* owned; of the mount: "ro,nosuid,relatime" */
	char *fstype; /* owned */
	char *super; /* owned; of the file system */
};

struct proc_mounts {
	struct proc_mount *v; /* owned */
	size_t nr;
};

enum proc_ns {
	PROC_NS_NET,
	PROC_NS_PID,
	PROC_NS_IPC,
	PROC_NS_UTS,
	PROC_NS_MNT,
	PROC_NS_USER,
	PROC_NNS
};

/* Limits of its control group; -1: none, or not asked for. */
struct proc_limits {
	int64_t memory; /* bytes */
	int64_t pids;
	int64_t cpu_milli; /* thousandths of a CPU */
};

/* Everything that verify looks at, of a container's first process. */
struct proc_facts {
	pid_t pid;
	struct proc_status status;
	struct proc_status child; /* of its child, the holder or service */
	struct proc_mounts mounts;
	ino_t ns[PROC_NNS];
	ino_t own_ns[PROC_NNS]; /* drydock's own, to compare with */
	struct strvec devices; /* of the network, but idle fallback ones */
	size_t nfallback; /* how many of those there are */
	struct strvec addresses; /* IPv4, its own, but loopback's */
	struct proc_limits limits;
	char *uid_map; /* owned; blanks folded: "0 0 4294967295" */
	int proc_fd; /* /proc/PID */
	int root_fd; /* O_PATH of its root directory */
};

#define PROC_FACTS_INIT                                           \
	{                                                         \
		.devices = STRVEC_INIT, .addresses = STRVEC_INIT, \
		.proc_fd = -1, .root_fd = -1                      \
	}

const char *proc_ns_name(enum proc_ns ns);
const char *proc_cap_name(enum proc_cap cap);

int proc_parse_status(
    const char *text, struct proc_status *ret_status, struct diag *dg);
/* Octal escapes are undone. */
int proc_parse_mounts(
    const char *text, struct proc_mounts *ret_mounts, struct diag *dg);
int proc_parse_devices(
    const char *text, struct strvec *ret_devices, struct diag *dg);
/* Appends the local addresses of /proc/PID/net/fib_trie but 127.0.0.0/8. */
void proc_parse_addresses(const char *text, struct strvec *ret_addresses);

/* One device, as sysfs and /proc/PID/net/if_inet6 show it. */
struct proc_device {
	const char *name;
	const char *type; /* "768\n" */
	const char *flags; /* "0x80\n" */
	const char *address; /* "00:00:00:00\n" */
	const char *inet6; /* all of if_inet6 */
};

/*
 * Returns true for a tunnel device that the kernel itself makes in every new
 * network namespace (tunl0 of ipip, say) and that nobody uses: it has the
 * module's name and type, is down, and has neither endpoint nor IPv6 address.
 */
bool proc_device_is_idle_fallback(const struct proc_device *device);

/*
 * The path of the v1 controller (NULL: of the unified hierarchy) in
 * /proc/PID/cgroup, appended to path; false when there is none.
 */
bool proc_find_cgroup(
    const char *text, const char *controller, struct strbuf *path);

/* Whether a comma-separated list of options has this word. */
bool proc_has_option(const char *options, const char *word);

/* Reads drydock's own mounts. */
int proc_mounts_read_own(struct proc_mounts *ret_mounts, struct diag *dg);

/*
 * Reads status and child of pid, a process of the container with this id, once
 * its init has forked: into the holder alone, or into a service that may have
 * left it more children.  Its directory in /proc is opened once, so that a
 * recycled number is noticed, and its memory and pids control groups must name
 * the container.  Otherwise, and for whatever cannot be read, DIAG_POLICY.
 */
int proc_facts_open(pid_t pid, const char *container_id, bool only_child,
    struct proc_facts *ret_facts, struct diag *dg);

/*
 * Reads the rest, which the kernel shows only to who could trace the process:
 * check the ids first.
 */
int proc_facts_read(struct proc_facts *facts, struct diag *dg);

void proc_mounts_release(struct proc_mounts *mounts);
void proc_facts_release(struct proc_facts *facts);

#define cleanup_proc_mounts __attribute__((cleanup(proc_mounts_release)))
#define cleanup_proc_facts __attribute__((cleanup(proc_facts_release)))

#endif /* DRYDOCK_PROCFACTS_H */
