/* SPDX-License-Identifier: MIT */
/* The user's own programs in policy.d: they refuse, and never allow. */
#include "check.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "plan-bed.h"
#include "plan/policy.h"
#include "policy-kit.h"

static void
put_program(const struct plan_bed *bed, const char *text)
{
	cleanup_free char *dir = xasprintf("%s/config/policy.d", bed->tmp);
	cleanup_close int fd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(mkdir(dir, 0700), 0);
	CHECK_INT(fs_open_dir(dir, &fd, &dg), 0);
	CHECK_INT(
	    fs_replace_file(fd, "mine.jq", text, strlen(text), 0600, &dg), 0);
}

static void
test_added_violation(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	put_program(&bed, "[{rule: \"mine\", what: (\"not \" + .facts.mode)}]");
	policy = policy_of(&bed);
	if (policy != NULL)
		policy_expect(&bed, policy, bed.model, "mine", "an added rule");
}

static void
test_added_cannot_allow(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;
	cleanup_free char *model = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	put_program(&bed, "[]");
	policy = policy_of(&bed);
	model = policy_mutate(bed.model, ".services.agent.privileged = true");
	policy_expect(&bed, policy, model, "privileged", "an added rule");
}

static void
test_added_not_compiling(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	put_program(&bed, "[{rule: ");
	CHECK_INT(policy_load(&bed.paths, POLICY_ALL, &policy, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK(strstr(dg.message, "policy.d/mine.jq") != NULL);
}

/* A user wrote the file: the class is that of a wrong file, not of bad data. */
static void
test_added_large(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	plan_bed_init(&bed, MODE_CONTAINED);
	for (size_t i = 0; i < 256UL * 1024 + 1; i++)
		strbuf_addch(&text, ' ');
	put_program(&bed, text.buf);
	CHECK_INT(policy_load(&bed.paths, POLICY_ALL, &policy, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK_STR(dg.message, "policy.d/mine.jq: larger than 262144 bytes");
}

/* Rules that went with a disk are not rules that nobody wrote. */
static void
test_added_nowhere(void)
{
	cleanup_plan_bed struct plan_bed bed;
	cleanup_policy struct policy *policy = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_free char *dir = NULL;

	plan_bed_init(&bed, MODE_CONTAINED);
	dir = xasprintf("%s/config/policy.d", bed.tmp);
	CHECK_INT(symlink("nowhere", dir), 0);
	CHECK_INT(policy_load(&bed.paths, POLICY_ALL, &policy, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK(strstr(dg.message, "policy.d is a link that leads nowhere") !=
	    NULL);
}

static void
test_added_answers(void)
{
	static const char *const programs[] = { "{}", "null", "[1]",
		"[{rule: \"x\"}]", "empty", "[], []", "error(\"x\")" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		cleanup_plan_bed struct plan_bed bed;
		cleanup_policy struct policy *policy = NULL;
		cleanup_plan struct plan plan = PLAN_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;

		plan_bed_init(&bed, MODE_CONTAINED);
		put_program(&bed, programs[i]);
		policy = policy_of(&bed);
		CHECK_INT(
		    policy_judge(&bed, policy, bed.model, &plan, &dg), -1);
		CHECK_INT(dg.class, DIAG_CONFIG);
		plan_bed_clear(&bed);
	}
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "policy.d adds a violation", test_added_violation },
		{ "policy.d allows nothing", test_added_cannot_allow },
		{ "a policy.d program that does not compile is named",
		    test_added_not_compiling },
		{ "a policy.d program that is too large is named",
		    test_added_large },
		{ "a policy.d that leads nowhere is an error",
		    test_added_nowhere },
		{ "a policy.d program with another answer is an error",
		    test_added_answers },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
