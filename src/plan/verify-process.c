/* SPDX-License-Identifier: MIT */
/* The kernel's facts of a container's processes against the plan. */
#include <inttypes.h>
#include <string.h>

#include "base/diag.h"
#include "plan/verify.h"

enum {
	SECCOMP_FILTERED = 2,
	CPU_SLACK_MILLI = 1, /* quota and period are whole microseconds */
};

/* The identity map of a host without user namespaces in use. */
static const char identity_map[] = "0 0 4294967295";

static int
verify_ids(const struct expectation *expect, const struct proc_status *st,
    struct diag *dg)
{
	for (int i = 0; i < 4; i++) {
		if (st->uid[i] != expect->uid)
			return diag_set(dg, DIAG_POLICY,
			    "uid: expected %" PRIu32 ", is %" PRIu32,
			    (uint32_t)expect->uid, (uint32_t)st->uid[i]);
		if (st->gid[i] != expect->gid)
			return diag_set(dg, DIAG_POLICY,
			    "gid: expected %" PRIu32 ", is %" PRIu32,
			    (uint32_t)expect->gid, (uint32_t)st->gid[i]);
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

/* The primary group may be repeated; those of the plan must all be there. */
static int
verify_groups(const struct expectation *expect, const struct proc_status *st,
    struct diag *dg)
{
	for (size_t i = 0; i < st->ngroups; i++) {
		if (st->groups[i] != expect->gid &&
		    !has_group(expect->groups, expect->ngroups, st->groups[i]))
			return diag_set(dg, DIAG_POLICY,
			    "groups: %" PRIu32 " is not in the plan",
			    (uint32_t)st->groups[i]);
	}
	for (size_t i = 0; i < expect->ngroups; i++) {
		if (expect->groups[i] != expect->gid &&
		    !has_group(st->groups, st->ngroups, expect->groups[i]))
			return diag_set(dg, DIAG_POLICY,
			    "groups: %" PRIu32 " of the plan is not there",
			    (uint32_t)expect->groups[i]);
	}
	return 0;
}

static int
verify_one(const struct expectation *expect, const struct proc_status *st,
    struct diag *dg)
{
	if (verify_ids(expect, st, dg) != 0 ||
	    verify_groups(expect, st, dg) != 0)
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

static int
verify_namespaces(const struct expectation *expect,
    const struct proc_facts *facts, struct diag *dg)
{
	for (unsigned i = 0; i < PROC_NNS; i++) {
		enum proc_ns ns = (enum proc_ns)i;
		bool shared = facts->ns[i] == facts->own_ns[i];
		bool expected = ns == PROC_NS_USER ||
		    (ns == PROC_NS_NET && expect->net == EXPECT_NET_HOST);

		if (ns == PROC_NS_NET && expected && expect->host_net != 0)
			shared = shared || facts->ns[i] == expect->host_net;
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

/* Nothing but loopback when there is no network; one device on the bridge. */
static int
verify_devices(const struct expectation *expect, const struct proc_facts *facts,
    struct diag *dg)
{
	size_t others = 0;
	const char *name = "";

	if (expect->net == EXPECT_NET_HOST)
		return 0;
	for (size_t i = 0; i < facts->devices.nr; i++) {
		if (strcmp(facts->devices.v[i], "lo") != 0) {
			others++;
			name = facts->devices.v[i];
		}
	}
	/* A device that is down may have an address only the trie shows. */
	if (facts->nfallback != 0 &&
	    facts->addresses.nr > (expect->net == EXPECT_NET_BRIDGE ? 1 : 0))
		return diag_set(dg, DIAG_POLICY,
		    "network: a tunnel device has an address, one of %zu "
		    "from %s",
		    facts->addresses.nr, facts->addresses.v[0]);
	if (expect->net == EXPECT_NET_NONE && others != 0)
		return diag_set(
		    dg, DIAG_POLICY, "network: expected only lo, has %s", name);
	if (expect->net == EXPECT_NET_BRIDGE && others != 1)
		return diag_set(dg, DIAG_POLICY,
		    "network: expected one device beside lo, has %zu", others);
	return 0;
}

/* A kernel rounds memory down to whole pages. */
static int
verify_limits(const struct expectation *expect, const struct proc_facts *facts,
    struct diag *dg)
{
	const struct proc_limits *want = &expect->limits;
	const struct proc_limits *got = &facts->limits;

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
verify_status(const struct expectation *expect, const struct proc_facts *facts,
    struct diag *dg)
{
	if (verify_one(expect, &facts->status, dg) != 0)
		return diag_wrap(dg, "init");
	if (verify_one(expect, &facts->child, dg) != 0)
		return diag_wrap(dg, "holder");
	return 0;
}

int
verify_process(const struct expectation *expect, const struct proc_facts *facts,
    struct diag *dg)
{
	if (verify_namespaces(expect, facts, dg) != 0 ||
	    verify_devices(expect, facts, dg) != 0 ||
	    verify_limits(expect, facts, dg) != 0)
		return -1;
	return 0;
}
