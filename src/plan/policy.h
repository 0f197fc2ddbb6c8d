/* SPDX-License-Identifier: MIT */
/*
 * policy: the rules, compiled: drydock's own and the user's additions.
 */
#ifndef DRYDOCK_PLAN_POLICY_H
#define DRYDOCK_PLAN_POLICY_H

#include <stddef.h>

struct diag;
struct plan;
struct paths;
struct policy;
struct strbuf;

/*
 * Reads and compiles compose/policy.jq and every CONFIG/policy.d/NAME.jq, in
 * the order of their names.  Ours absent or not compiling is DIAG_POLICY; one of
 * the user's that does not compile is DIAG_CONFIG, and none is left out.
 */
int policy_load(
    const struct paths *paths, struct policy **ret_policy, struct diag *dg);
void policy_free(struct policy *policy);
void policy_freep(struct policy **policy);

/*
 * Runs all of it over one input and appends what they find to the plan's
 * violations.  An answer that is no array of violations is a failure, of the
 * class as above.
 */
int policy_run(struct policy *policy, const char *input, size_t len,
    struct plan *plan, struct diag *dg);

/*
 * The same for an overlay of the user's before it is merged, {"raw": {name,
 * variables}, "overlay"}: drydock's own rules alone.
 */
int policy_run_raw(struct policy *policy, const char *input, size_t len,
    struct plan *plan, struct diag *dg);

/* Appends the table of rules, a JSON array of {rule, text, keys}. */
int policy_rules(struct policy *policy, struct strbuf *out, struct diag *dg);

#define cleanup_policy __attribute__((cleanup(policy_freep)))

#endif /* DRYDOCK_PLAN_POLICY_H */
