/* SPDX-License-Identifier: MIT */
/* verify: compares one waiting container and its processes with the plan. */
#include "plan/verify.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "plan/plan.h"

enum {
	SECCOMP_FILTERED = 2,
	CPU_SLACK_MILLI = 1, /* rounding: both are whole microseconds */
};

/* The uid_map of a process in the initial user namespace: the identity map. */
static const char identity_map[] = "0 0 4294967295";

static int
verify_ids(
    const struct plan_service *s, const struct proc_status *st, struct diag *dg)
{
	for (int i = 0; i < 4; i++) {
		if (st->uid[i] != s->uid)
			return diag_set(dg, DIAG_POLICY,
			    "uid: expected %" PRIu32 ", is %" PRIu32,
			    (uint32_t)s->uid, (uint32_t)st->uid[i]);
		if (st->gid[i] != s->gid)
			return diag_set(dg, DIAG_POLICY,
			    "gid: expected %" PRIu32 ", is %" PRIu32,
			    (uint32_t)s->gid, (uint32_t)st->gid[i]);
	}
	return 0;
}

static bool
has_group(const gid_t *groups, size_t n, gid_t gid)
{
	for (size_t i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

/*
 * The container may repeat the primary group.  All groups of the plan must be
 * there.
 */
static int
verify_groups(
    const struct plan_service *s, const struct proc_status *st, struct diag *dg)
{
	for (size_t i = 0; i < st->ngroups; i++) {
		if (st->groups[i] != s->gid &&
		    !has_group(s->groups, s->ngroups, st->groups[i]))
			return diag_set(dg, DIAG_POLICY,
			    "groups: %" PRIu32 " is not in the plan",
			    (uint32_t)st->groups[i]);
	}
	for (size_t i = 0; i < s->ngroups; i++) {
		if (s->groups[i] != s->gid &&
		    !has_group(st->groups, st->ngroups, s->groups[i]))
			return diag_set(dg, DIAG_POLICY,
			    "groups: %" PRIu32 " of the plan is not there",
			    (uint32_t)s->groups[i]);
	}
	return 0;
}

static int
verify_one_status(
    const struct plan_service *s, const struct proc_status *st, struct diag *dg)
{
	if (verify_ids(s, st, dg) != 0 || verify_groups(s, st, dg) != 0)
		return -1;
	for (unsigned i = 0; i < PROC_NCAPS; i++) {
		if (st->caps[i] != 0)
			return diag_set(dg, DIAG_POLICY,
			    "%s: expected no capability, is %016" PRIx64,
			    proc_cap_name((enum proc_cap)i), st->caps[i]);
	}
	if (st->no_new_privs != 1)
		return diag_set(dg, DIAG_POLICY,
		    "NoNewPrivs: expected 1, is %" PRId64, st->no_new_privs);
	if (st->seccomp != SECCOMP_FILTERED)
		return diag_set(dg, DIAG_POLICY,
		    "Seccomp: expected %d, is %" PRId64, SECCOMP_FILTERED,
		    st->seccomp);
	if (st->seccomp_filters == 0)
		return diag_set(
		    dg, DIAG_POLICY, "Seccomp_filters: expected 1, is 0");
	return 0;
}

int
verify_namespaces(const struct plan_service *s, const struct proc_facts *facts,
    ino_t host_net, struct diag *dg)
{
	for (unsigned i = 0; i < PROC_NNS; i++) {
		enum proc_ns ns = (enum proc_ns)i;
		bool shared = facts->ns[i] == facts->own_ns[i];
		bool expected = ns == PROC_NS_USER ||
		    (ns == PROC_NS_NET && s->net == PLAN_NET_HOST);

		if (ns == PROC_NS_NET && expected && host_net != 0)
			shared = shared || facts->ns[i] == host_net;
		if (shared != expected)
			return diag_set(dg, DIAG_POLICY,
			    "%s namespace: expected %s, is %s",
			    proc_ns_name(ns),
			    expected ? "the host's" : "its own",
			    shared ? "the host's" : "another");
	}
	if (strcmp(facts->uid_map, identity_map) != 0)
		return diag_set(dg, DIAG_POLICY, "uid_map: expected %s, is %s",
		    identity_map, facts->uid_map);
	return 0;
}

/*
 * Without a network the only device must be loopback.  On the bridge there must
 * be exactly one other device.
 */
int
verify_devices(const struct plan_service *s, const struct proc_facts *facts,
    struct diag *dg)
{
	size_t others = 0;
	const char *name = "";

	if (s->net == PLAN_NET_HOST)
		return 0;
	for (size_t i = 0; i < facts->devices.nr; i++) {
		if (strcmp(facts->devices.v[i], "lo") != 0) {
			others++;
			name = facts->devices.v[i];
		}
	}
	/* The address of a device that is down may be in the trie only. */
	if (facts->nfallback != 0 &&
	    facts->addresses.nr > (s->net == PLAN_NET_BRIDGE ? 1 : 0))
		return diag_set(dg, DIAG_POLICY,
		    "network: a tunnel device has an address, one of %zu "
		    "from %s",
		    facts->addresses.nr, facts->addresses.v[0]);
	if (s->net == PLAN_NET_NONE && others != 0)
		return diag_set(
		    dg, DIAG_POLICY, "network: expected only lo, has %s", name);
	if (s->net == PLAN_NET_BRIDGE && others != 1)
		return diag_set(dg, DIAG_POLICY,
		    "network: expected one device beside lo, has %zu", others);
	return 0;
}

/* The kernel rounds the memory limit down to whole pages. */
int
verify_limits(const struct plan_service *s, const struct proc_facts *facts,
    struct diag *dg)
{
	const struct cgroup_limits *want = &s->limits;
	const struct cgroup_limits *got = &facts->limits;

	if (want->memory >= 0 &&
	    (got->memory < 0 || got->memory > want->memory))
		return diag_set(dg, DIAG_POLICY,
		    "memory limit: expected %" PRId64 ", is %" PRId64,
		    want->memory, got->memory);
	if (want->pids >= 0 && got->pids != want->pids)
		return diag_set(dg, DIAG_POLICY,
		    "pids limit: expected %" PRId64 ", is %" PRId64, want->pids,
		    got->pids);
	if (want->cpu_milli >= 0 &&
	    (got->cpu_milli < 0 ||
		got->cpu_milli > want->cpu_milli + CPU_SLACK_MILLI))
		return diag_set(dg, DIAG_POLICY,
		    "cpu limit: expected %" PRId64 "/1000, is %" PRId64,
		    want->cpu_milli, got->cpu_milli);
	return 0;
}

int
verify_status(const struct plan_service *service,
    const struct proc_facts *facts, struct diag *dg)
{
	if (verify_one_status(service, &facts->status, dg) != 0)
		return diag_wrap(dg, "init");
	if (verify_one_status(service, &facts->child, dg) != 0)
		return diag_wrap(dg, "holder");
	return 0;
}

/*
 * Returns the inode of the engine's own network namespace, which the engine
 * uses as the host's.  Returns 0 if it cannot be read; an ordinary user may not
 * read it.
 */
static ino_t
engine_net(const struct engine *engine)
{
	cleanup_free char *path =
	    xasprintf("/proc/%ld/ns/net", (long)engine->pid);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* The plan of an extra service has the environment of its image already. */
static int
verify_config(const struct plan_request *request, const struct plan *plan,
    const struct plan_service *service, const struct container *container,
    struct diag *dg)
{
	const struct image *image = service->role == SERVICE_AGENT
	    ? request->agent_image
	    : service->role == SERVICE_EGRESS ? request->egress_image
					      : NULL;

	return verify_inspect(service,
	    image != NULL ? (const char *const *)image->env.v : NULL,
	    plan->seccomp.len > 0 ? plan->seccomp.buf : NULL, container, dg);
}

/* One container under comparison. */
struct check {
	const struct plan_request *request;
	const struct plan *plan;
	const struct plan_service *service;
	const struct container *container;
	bool only_child; /* no command was started yet */
	bool read; /* proc_facts_read() succeeded */
	struct proc_facts facts;
};

static int
check_process(struct check *c, struct diag *dg)
{
	if (c->container->state != CONTAINER_RUNNING || c->container->pid <= 0)
		return diag_set(dg, DIAG_POLICY,
		    "it does not run (exit status %d) %s",
		    c->container->exit_code, c->container->error);
	return proc_facts_open(
	    c->container->pid, c->container->id, c->only_child, &c->facts, dg);
}

static int
check_namespaces(struct check *c, struct diag *dg)
{
	ino_t host_net = c->service->net == PLAN_NET_HOST
	    ? engine_net(c->request->engine)
	    : 0;

	if (proc_facts_read(&c->facts, dg) != 0)
		return -1;
	c->read = true;
	return verify_namespaces(c->service, &c->facts, host_net, dg);
}

static int
check_part(struct check *c, enum verify_part part, struct diag *dg)
{
	switch (part) {
	case VERIFY_PROCESS:
		return check_process(c, dg);
	case VERIFY_IDENTITY:
		return verify_status(c->service, &c->facts, dg);
	case VERIFY_NAMESPACES:
		return check_namespaces(c, dg);
	case VERIFY_DEVICES:
		return verify_devices(c->service, &c->facts, dg);
	case VERIFY_LIMITS:
		return verify_limits(c->service, &c->facts, dg);
	case VERIFY_MOUNTS:
		return verify_mounts(c->service, &c->facts.mounts, dg);
	case VERIFY_SOURCES:
		return verify_sources(c->service, c->facts.root_fd, dg);
	case VERIFY_CONFIGURATION:
		return verify_config(
		    c->request, c->plan, c->service, c->container, dg);
	case VERIFY_PARTS:
		break;
	}
	return diag_set(dg, DIAG_BUG, "no such comparison");
}

/* Returns true if the facts that a part compares were read. */
static bool
has_facts(const struct check *c, enum verify_part part)
{
	switch (part) {
	case VERIFY_PROCESS:
	case VERIFY_CONFIGURATION:
		return true;
	case VERIFY_IDENTITY:
	case VERIFY_NAMESPACES:
	case VERIFY_LIMITS:
		return c->facts.proc_fd >= 0;
	case VERIFY_DEVICES:
	case VERIFY_MOUNTS:
	case VERIFY_SOURCES:
		return c->read;
	case VERIFY_PARTS:
		break;
	}
	return false;
}

void
plan_verify_parts(const struct plan_request *request, const struct plan *plan,
    const struct plan_service *service, const struct container *container,
    verify_part_fn *fn, void *arg)
{
	struct check c = { request, plan, service, container, false, false,
		PROC_FACTS_INIT };

	for (unsigned i = 0; i < VERIFY_PARTS; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		enum verify_part part = (enum verify_part)i;
		int rc = has_facts(&c, part)
		    ? check_part(&c, part, &dg)
		    : diag_set(&dg, DIAG_POLICY,
			  "the facts of its process could not be read");

		fn(arg, part, rc == 0 ? NULL : &dg);
	}
	proc_facts_release(&c.facts);
}

int
plan_verify_processes(const struct plan_service *service,
    const struct container *container, size_t *ret_nr, struct diag *dg)
{
	cleanup_proc_statuses struct proc_statuses all = { NULL, 0 };

	if (proc_statuses_read(container->id, &all, dg) != 0)
		return -1;
	for (size_t i = 0; i < all.nr; i++)
		if (verify_one_status(service, &all.v[i], dg) != 0)
			return diag_wrap(
			    dg, "process %jd", (intmax_t)all.v[i].pid);
	*ret_nr = all.nr;
	return 0;
}

static int
not_as_planned(const struct plan_service *service, struct diag *dg)
{
	return diag_wrap(
	    dg, "the %s container is not as planned", service->name);
}

int
plan_verify(const struct plan_request *request, const struct plan *plan,
    const struct plan_service *service, const struct container *container,
    struct diag *dg)
{
	struct check c = { request, plan, service, container,
		service->role != SERVICE_EXTRA, false, PROC_FACTS_INIT };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < VERIFY_PARTS; i++)
		rc = check_part(&c, (enum verify_part)i, dg);
	proc_facts_release(&c.facts);
	return rc == 0 ? 0 : not_as_planned(service, dg);
}

int
plan_verify_config(const struct plan_request *request, const struct plan *plan,
    const struct plan_service *service, const struct container *container,
    struct diag *dg)
{
	if (verify_config(request, plan, service, container, dg) != 0)
		return not_as_planned(service, dg);
	return 0;
}
