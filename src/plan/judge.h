/* SPDX-License-Identifier: MIT */
/* judge: the part of plan_judge() that does not run Compose. */
#ifndef DRYDOCK_PLAN_JUDGE_H
#define DRYDOCK_PLAN_JUDGE_H

struct assembly;
struct diag;
struct plan;
struct plan_request;
struct policy;
struct strbuf;

/*
 * Judges a model that Compose printed, with single dollars, by the given policy.
 * reference is the model of drydock's overlays alone; empty: the same model.
 * plan->seccomp must be set; the function fills the rest.  The caller releases
 * plan, also after a failure.
 */
int plan_judge_model(const struct plan_request *request,
    const struct assembly *assembly, struct policy *policy,
    const struct strbuf *reference, const struct strbuf *model,
    struct plan *plan, struct diag *dg);

#endif /* DRYDOCK_PLAN_JUDGE_H */
