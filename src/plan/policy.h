/* SPDX-License-Identifier: MIT */
/* policy: the compiled rules, drydock's own and those that the user adds. */
#ifndef DRYDOCK_PLAN_POLICY_H
#define DRYDOCK_PLAN_POLICY_H

#include <stddef.h>

struct assembly;
struct diag;
struct plan;
struct paths;
struct policy;
struct strbuf;

/*
 * The purpose of a policy.  It selects the jq entry point; libjq compiles only
 * the rules that this entry point needs.
 */
enum policy_use {
	POLICY_OWN, /* judge a model without user overlays */
	POLICY_ALL, /* judge any model and single user overlays */
	POLICY_AGAIN, /* judge the sources of a sealed plan */
	POLICY_RULES /* print the table of rules */
};

/*
 * Reads and compiles compose/policy.jq, then each CONFIG/policy.d/NAME.jq,
 * sorted by name.  If policy.jq is absent or does not compile, that is
 * DIAG_POLICY.  A file of policy.d that does not compile is DIAG_CONFIG; no
 * file is skipped.  The caller frees *ret_policy.
 */
int policy_load(const struct paths *paths, enum policy_use use,
    struct policy **ret_policy, struct diag *dg);
void policy_freep(struct policy **policy);

/*
 * Runs each program on the input and appends the violations to the plan, each
 * with the overlay of the assembly that caused it.  An answer that is not an
 * array of violations is a failure, with the class of the program as above.
 */
int policy_run(struct policy *policy, const struct assembly *assembly,
    const struct strbuf *input, struct plan *plan, struct diag *dg);

/*
 * Runs drydock's rules only, on a user overlay before the merge or on the
 * sources of a sealed plan.  The input is {"raw": [variable, ...], "overlay"},
 * or {"facts"} with home and sources.
 */
int policy_run_raw(struct policy *policy, const struct assembly *assembly,
    const struct strbuf *input, struct plan *plan, struct diag *dg);

/* Appends the table of rules, a JSON array of {rule, text, keys}. */
int policy_rules(struct policy *policy, struct strbuf *out, struct diag *dg);

#define cleanup_policy __attribute__((cleanup(policy_freep)))

#endif /* DRYDOCK_PLAN_POLICY_H */
