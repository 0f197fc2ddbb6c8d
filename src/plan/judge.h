/* SPDX-License-Identifier: MIT */
/*
 * judge: the half of plan_judge() that needs no Compose.
 */
#ifndef DRYDOCK_PLAN_JUDGE_H
#define DRYDOCK_PLAN_JUDGE_H

#include "base/strbuf.h"

struct assembly;
struct diag;
struct plan;
struct plan_request;
struct policy;

/* What Compose printed, with single dollars. */
struct resolved {
	struct strbuf reference; /* drydock's own overlays; empty: as model */
	struct strbuf model; /* all overlays */
};

#define RESOLVED_INIT                    \
	{                                \
		STRBUF_INIT, STRBUF_INIT \
	}

void resolved_release(struct resolved *resolved);
#define cleanup_resolved __attribute__((cleanup(resolved_release)))

/*
 * Judges what is resolved already, with a policy for it.  plan has the seccomp
 * profile; the rest of it is filled, and its owner releases it, on failure too.
 */
int plan_judge_model(const struct plan_request *request,
    const struct assembly *assembly, struct policy *policy,
    const struct resolved *resolved, struct plan *plan, struct diag *dg);

#endif /* DRYDOCK_PLAN_JUDGE_H */
