/* SPDX-License-Identifier: MIT */
/* judge: the part of plan_judge() that does not run Compose. */
#ifndef DRYDOCK_PLAN_JUDGE_H
#define DRYDOCK_PLAN_JUDGE_H

#include "base/strbuf.h"

struct assembly;
struct diag;
struct plan;
struct plan_request;
struct policy;

/* The models that Compose printed, with single dollars. */
struct resolved {
	struct strbuf reference; /* drydock's overlays; empty: as model */
	struct strbuf model; /* all overlays */
};

#define RESOLVED_INIT                    \
	{                                \
		STRBUF_INIT, STRBUF_INIT \
	}

void resolved_release(struct resolved *resolved);
#define cleanup_resolved __attribute__((cleanup(resolved_release)))

/*
 * Judges a resolved model with the given policy.  plan->seccomp must be set;
 * the function fills the rest.  The caller releases plan, also after a failure.
 */
int plan_judge_model(const struct plan_request *request,
    const struct assembly *assembly, struct policy *policy,
    const struct resolved *resolved, struct plan *plan, struct diag *dg);

#endif /* DRYDOCK_PLAN_JUDGE_H */
