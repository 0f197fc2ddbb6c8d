/* SPDX-License-Identifier: MIT */
/* policy-kit: a model that is changed, and what the policy says of it. */
#ifndef DRYDOCK_TESTS_POLICY_KIT_H
#define DRYDOCK_TESTS_POLICY_KIT_H

struct diag;
struct plan;
struct plan_bed;
struct policy;

/* Returned: the model after a jq program. */
char *policy_mutate(const char *model, const char *program);

/* The bed's policy, which must load; the caller frees. */
struct policy *policy_of(const struct plan_bed *bed);

/* Judges model with the tree's own seccomp profile; as plan_judge_model(). */
int policy_judge(const struct plan_bed *bed, struct policy *policy,
    const char *model, struct plan *plan, struct diag *dg);

/*
 * Judges model; the rule must be among what it violates, or nothing be (NULL).
 * name is what a failure is called by.
 */
void policy_expect(const struct plan_bed *bed, struct policy *policy,
    const char *model, const char *rule, const char *name);

#endif /* DRYDOCK_TESTS_POLICY_KIT_H */
