/* SPDX-License-Identifier: MIT */
/*
 * policy: the rules, compiled: drydock's own and the user's additions.
 */
#ifndef DRYDOCK_PLAN_POLICY_H
#define DRYDOCK_PLAN_POLICY_H

#include <stddef.h>

struct assembly;
struct diag;
struct plan;
struct paths;
struct policy;
struct strbuf;

/* What a policy is asked; libjq compiles no rule that is not needed for it. */
enum policy_use {
	POLICY_OWN, /* a model of drydock's overlays alone */
	POLICY_ALL, /* any model, and overlays of the user's */
	POLICY_RULES /* the table of rules */
};

/*
 * Reads and compiles compose/policy.jq and every CONFIG/policy.d/NAME.jq, in
 * the order of their names.  Ours absent or not compiling is DIAG_POLICY; one of
 * the user's that does not compile is DIAG_CONFIG, and none is left out.
 */
int policy_load(const struct paths *paths, enum policy_use use,
    struct policy **ret_policy, struct diag *dg);
void policy_free(struct policy *policy);
void policy_freep(struct policy **policy);

/*
 * Runs all of it over one input and appends what they find to the plan's
 * violations, with the overlay of the assembly that brought it.  An answer that
 * is no array of violations is a failure, of the class as above.
 */
int policy_run(struct policy *policy, const struct assembly *assembly,
    const struct strbuf *input, struct plan *plan, struct diag *dg);

/*
 * The same for an overlay of the user's before it is merged, {"raw": [variable],
 * "overlay"}: drydock's own rules alone.
 */
int policy_run_raw(struct policy *policy, const struct assembly *assembly,
    const struct strbuf *input, struct plan *plan, struct diag *dg);

/* Appends the table of rules, a JSON array of {rule, text, keys}. */
int policy_rules(struct policy *policy, struct strbuf *out, struct diag *dg);

#define cleanup_policy __attribute__((cleanup(policy_freep)))

#endif /* DRYDOCK_PLAN_POLICY_H */
