/* SPDX-License-Identifier: MIT */
/*
 * What a program of the user's policy.d answers: violations that have a rule
 * and say what it is about, or the plan is refused.  The reader is private to
 * its file.
 *
 * Input: the answer, which the program gives as it is.
 */
#include "plan/policy.c"

#include "fuzz.h"

static bool
is_violation(const struct json *n)
{
	return json_is_object(n) && json_is_string(json_get(n, "rule")) &&
	    json_is_string(json_get(n, "what"));
}

static bool
is_answer(const struct json *answer)
{
	for (size_t i = 0; i < json_len(answer); i++)
		if (!is_violation(json_at(answer, i)))
			return false;
	return json_is_array(answer);
}

static void
check_violation(const struct violation *v, const struct json *n)
{
	const char *service = json_string(json_get(n, "service"));

	FUZZ_CHECK(strcmp(v->rule, json_string(json_get(n, "rule"))) == 0);
	FUZZ_CHECK(strcmp(v->what, json_string(json_get(n, "what"))) == 0);
	FUZZ_CHECK(strcmp(v->service, service != NULL ? service : "") == 0);
	FUZZ_CHECK(v->overlay != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy policy;
	static const struct assembly assembly = ASSEMBLY_INIT;
	cleanup_strbuf struct strbuf identity = STRBUF_INIT;
	cleanup_strbuf struct strbuf input = STRBUF_INIT;
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_json struct json *answer = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	strbuf_addstr(&identity, ".");
	if (policy.nr == 0)
		FUZZ_CHECK(
		    add_program(&policy, "mine.jq", &identity, &dg) == 0);
	if (json_parse((const char *)data, size, "input", &answer, &dg) == -1)
		return 0;
	strbuf_add(&input, data, size);
	int rc = policy_run(&policy, &assembly, &input, &plan, &dg);
	fuzz_outcome(rc, &dg);
	FUZZ_CHECK((rc == 0) == is_answer(answer));
	if (rc == 0)
		FUZZ_CHECK(plan.nviolations == json_len(answer));
	for (size_t i = 0; i < plan.nviolations; i++)
		check_violation(&plan.violations[i], json_at(answer, i));
	return 0;
}
