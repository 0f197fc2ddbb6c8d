/* SPDX-License-Identifier: MIT */
/*
 * procfacts: the kernel's facts about one process, as proc(5) prints them.
 *
 * The parsers take text.  A fact that cannot be read is DIAG_POLICY: it must
 * not count in the session's favour.
 */
#ifndef DRYDOCK_PROCFACTS_H
#define DRYDOCK_PROCFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strvec.h"
#include "plan/cgroup.h"
#include "plan/mountinfo.h"

struct diag;

enum {
	PROC_MAX_GROUPS = 64,
};

enum proc_cap {
	PROC_CAP_INH,
	PROC_CAP_PRM,
	PROC_CAP_EFF,
	PROC_CAP_BND,
	PROC_CAP_AMB,
	PROC_NCAPS
};

/*
 * From /proc/PID/status.  no_new_privs, seccomp and seccomp_filters are -1 if
 * the kernel does not print them.
 */
struct proc_status {
	pid_t pid; /* set by proc_statuses_read() alone */
	uid_t uid[4]; /* real, effective, saved, file system */
	gid_t gid[4];
	gid_t groups[PROC_MAX_GROUPS];
	size_t ngroups;
	uint64_t caps[PROC_NCAPS];
	int64_t no_new_privs;
	int64_t seccomp;
	int64_t seccomp_filters;
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

/* The facts that verify compares, of a container's first process. */
struct proc_facts {
	pid_t pid;
	struct proc_status status;
	struct proc_status child; /* of its child: the holder or the service */
	struct mountinfo mounts;
	ino_t ns[PROC_NNS];
	ino_t own_ns[PROC_NNS]; /* drydock's own, for comparison */
	struct strvec devices; /* network devices without idle fallback ones */
	size_t nfallback; /* number of idle fallback devices */
	struct strvec addresses; /* local IPv4 addresses without loopback */
	struct cgroup_limits limits;
	char *uid_map; /* owned; single blanks: "0 0 4294967295" */
	int proc_fd; /* owned; /proc/PID */
	int root_fd; /* owned; O_PATH of its root directory */
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
int proc_parse_devices(
    const char *text, struct strvec *ret_devices, struct diag *dg);
/*
 * Appends the local addresses of /proc/PID/net/fib_trie, each once, without
 * 127.0.0.0/8.
 */
void proc_parse_addresses(const char *text, struct strvec *ret_addresses);

/* One network device, as sysfs and /proc/PID/net/if_inet6 print it. */
struct proc_device {
	const char *name;
	const char *type; /* "768\n" */
	const char *flags; /* "0x80\n" */
	const char *address; /* "00:00:00:00\n" */
	const char *inet6; /* the whole if_inet6 */
};

/*
 * Returns true for an unused tunnel device that the kernel makes in every new
 * network namespace, for example tunl0 of ipip.  Such a device has the module's
 * name and type, is down, and has no endpoint and no IPv6 address.
 */
bool proc_device_is_idle_fallback(const struct proc_device *device);

/*
 * Reads status, child and limits of process pid, the init of the container
 * container_id.  Waits up to 15 s for the init to fork.  With only_child the
 * init must have exactly one child, the holder; otherwise the first child is
 * the service.  The directory in /proc is opened once, which detects a recycled
 * pid.  The memory and pids control groups of the process must name the
 * container.  Any failure is DIAG_POLICY.
 */
int proc_facts_open(pid_t pid, const char *container_id, bool only_child,
    struct proc_facts *ret_facts, struct diag *dg);

/*
 * Reads the other facts.  The kernel shows these only to a caller that may
 * trace the process, so check the ids first.  Any failure is DIAG_POLICY.
 */
int proc_facts_read(struct proc_facts *facts, struct diag *dg);

struct proc_statuses {
	struct proc_status *v; /* owned */
	size_t nr;
};

/*
 * Reads the status of every process whose control group names the container.  A
 * process that ends meanwhile is left out.  None at all is DIAG_POLICY.
 */
int proc_statuses_read(const char *container_id,
    struct proc_statuses *ret_statuses, struct diag *dg);
void proc_statuses_release(struct proc_statuses *statuses);

#define cleanup_proc_statuses __attribute__((cleanup(proc_statuses_release)))

void proc_facts_release(struct proc_facts *facts);

#define cleanup_proc_facts __attribute__((cleanup(proc_facts_release)))

#endif /* DRYDOCK_PROCFACTS_H */
