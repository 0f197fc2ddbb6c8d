/* SPDX-License-Identifier: MIT */
/*
 * judge: the half of plan_judge() that needs no Compose.
 */
#ifndef DRYDOCK_PLAN_JUDGE_H
#define DRYDOCK_PLAN_JUDGE_H

struct assembly;
struct diag;
struct plan;
struct plan_request;
struct policy;

/*
 * Judges a model that is resolved already, its dollars single.  plan has the
 * seccomp profile; the rest of it is filled, and its owner releases it, on
 * failure too.
 */
int plan_judge_model(const struct plan_request *request,
    const struct assembly *assembly, struct policy *policy, const char *model,
    struct plan *plan, struct diag *dg);

#endif /* DRYDOCK_PLAN_JUDGE_H */
