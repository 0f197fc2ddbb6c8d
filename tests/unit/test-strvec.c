/* SPDX-License-Identifier: MIT */
/* Lists of strings. */
#include "check.h"

#include "base/cleanup.h"
#include "base/strvec.h"
#include "base/xalloc.h"

static void
always_terminated(void)
{
	cleanup_strvec struct strvec sv = STRVEC_INIT;

	CHECK(sv.v[0] == NULL);
	for (int i = 0; i < 100; i++) {
		strvec_pushf(&sv, "%d", i);
		CHECK(sv.v[sv.nr] == NULL);
	}
	CHECK_INT(sv.nr, 100);
	CHECK_STR(sv.v[99], "99");
	strvec_release(&sv);
	CHECK(sv.v[0] == NULL);
	strvec_push(&sv, "again");
	CHECK_STR(sv.v[0], "again");
}

static void
whole_lists_are_copied(void)
{
	static const char *const list[] = { "a", "b", NULL };
	cleanup_strvec struct strvec sv = STRVEC_INIT;

	strvec_push_all(&sv, list);
	strvec_push_all(&sv, NULL);
	strvec_push_given(&sv, xstrdup("c"));
	CHECK_INT(sv.nr, 3);
	CHECK(sv.v[0] != list[0]);
	CHECK(strvec_has(&sv, "b"));
	CHECK(strvec_has(&sv, "c"));
	CHECK(!strvec_has(&sv, "d"));
}

static void
variables_are_replaced(void)
{
	cleanup_strvec struct strvec sv = STRVEC_INIT;

	strvec_setenv(&sv, "PATH", "/bin");
	strvec_setenv(&sv, "PATHS", "x");
	strvec_setenv(&sv, "PATH", "/usr/bin");
	strvec_setenv(&sv, "EMPTY", "");
	CHECK_INT(sv.nr, 3);
	CHECK_STR(sv.v[0], "PATH=/usr/bin");
	CHECK_STR(sv.v[1], "PATHS=x");
	CHECK_STR(sv.v[2], "EMPTY=");
}

static void
test_split_and_join(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ ":", "" },
		{ "a", "a" },
		{ "a:b", "a, b" },
		{ ":a::b:", "a, b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strvec struct strvec sv = STRVEC_INIT;
		cleanup_free char *got = NULL;

		strvec_split(&sv, rows[i].text, ':');
		got = strvec_join(&sv, ", ");
		check_str(__FILE__, __LINE__, rows[i].text, got, rows[i].want);
	}
}

static const struct check_test tests[] = {
	{ "a list ends with NULL at all times", always_terminated },
	{ "whole lists are copied", whole_lists_are_copied },
	{ "an environment has each name once", variables_are_replaced },
	{ "a list is split and joined at a separator", test_split_and_join },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
