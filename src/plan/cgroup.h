/* SPDX-License-Identifier: MIT */
/* cgroup: the control groups of a process; from /proc/PID/cgroup. */
#ifndef DRYDOCK_CGROUP_H
#define DRYDOCK_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct diag;
struct mountinfo;
struct strbuf;

/* Limits of the control group; -1: no limit, or not read. */
struct cgroup_limits {
	int64_t memory; /* bytes */
	int64_t pids;
	int64_t cpu_milli; /* 1/1000 CPU */
};

/*
 * Appends the path of a v1 controller; with controller NULL the path in the
 * unified hierarchy (v2).  Returns false if there is none.
 */
bool cgroup_find(const char *text, const char *controller, struct strbuf *path);

/*
 * Checks that the memory and pids control groups name the container id; else
 * DIAG_POLICY.
 */
int cgroup_check(const char *cgroups, const char *id, struct diag *dg);

/* Reads the limits of the control groups.  own: drydock's own mounts. */
void cgroup_read_limits(const char *cgroups, const struct mountinfo *own,
    struct cgroup_limits *ret_limits);

#endif /* DRYDOCK_CGROUP_H */
