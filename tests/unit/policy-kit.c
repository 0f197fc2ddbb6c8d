/* SPDX-License-Identifier: MIT */
/* The policy on a model. */
#include "policy-kit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/jqprog.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "plan-bed.h"
#include "plan/judge.h"
#include "plan/policy.h"

char *
policy_mutate(const char *model, const char *program)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_jqprog struct jqprog *prog = NULL;

	if (!CHECK_INT(jqprog_compile("mutation", program, &prog, &dg), 0) ||
	    !CHECK_INT(jqprog_run(prog, model, strlen(model), &out, &dg), 0)) {
		printf("# %s: %s\n", program, dg.message);
		return xstrdup("{}");
	}
	return strbuf_detach(&out, NULL);
}

static bool
has_rule(const struct plan *plan, const char *rule)
{
	for (size_t i = 0; i < plan->nviolations; i++)
		if (strcmp(plan->violations[i].rule, rule) == 0)
			return true;
	return false;
}

static void
print_violations(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nviolations; i++) {
		cleanup_strbuf struct strbuf line = STRBUF_INIT;

		violation_describe(&plan->violations[i], &line);
		printf("#   %s\n", line.buf);
	}
}

struct policy *
policy_of(const struct plan_bed *bed)
{
	struct policy *policy = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(policy_load(&bed->paths, POLICY_ALL, &policy, &dg), 0);
	CHECK_STR(dg.message, NULL);
	return policy;
}

int
policy_judge(const struct plan_bed *bed, struct policy *policy,
    const char *model, struct plan *plan, struct diag *dg)
{
	cleanup_assembly struct assembly assembly = ASSEMBLY_INIT;
	cleanup_strbuf struct strbuf reference = STRBUF_INIT;
	cleanup_strbuf struct strbuf judged = STRBUF_INIT;
	cleanup_close int fd = -1;

	if (policy == NULL)
		return diag_set(dg, DIAG_POLICY, "no policy was loaded");
	CHECK_INT(fs_open_dir(getenv("top_srcdir"), &fd, dg), 0);
	CHECK_INT(
	    fs_read_file(fd, "compose/seccomp.json", 65536, &plan->seccomp, dg),
	    0);
	CHECK_INT(plan_assemble(&bed->request, &assembly, dg), 0);
	strbuf_addstr(&reference, bed->model);
	strbuf_addstr(&judged, model);
	return plan_judge_model(
	    &bed->request, &assembly, policy, &reference, &judged, plan, dg);
}

void
policy_expect(const struct plan_bed *bed, struct policy *policy,
    const char *model, const char *rule, const char *name)
{
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool as_wanted;

	CHECK_INT(policy_judge(bed, policy, model, &plan, &dg), 0);
	CHECK_STR(dg.message, NULL);
	as_wanted =
	    rule != NULL ? has_rule(&plan, rule) : plan.nviolations == 0;
	if (!CHECK(as_wanted)) {
		printf("# %s: wanted %s, got:\n", name,
		    rule != NULL ? rule : "nothing");
		print_violations(&plan);
	}
}
