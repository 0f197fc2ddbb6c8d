/* SPDX-License-Identifier: MIT */
/* Whether a range of npm's admits a version. */
#include "check.h"

#include "base/cleanup.h"
#include "deps/npmrange.h"

static void
test_ranges(void)
{
	static const struct {
		const char *range;
		const char *version;
		enum npmrange want;
	} rows[] = {
		{ "6.0.0", "6.0.0", NPMRANGE_YES },
		{ "=6.0.0", "6.0.0", NPMRANGE_YES },
		{ "= v6.0.0", "6.0.0", NPMRANGE_YES },
		{ "6.0.1", "6.0.0", NPMRANGE_NO },
		{ "", "6.0.0", NPMRANGE_YES },
		{ "*", "6.0.0", NPMRANGE_YES },
		{ "x", "6.0.0", NPMRANGE_YES },
		{ "6", "6.9.9", NPMRANGE_YES },
		{ "6.x", "7.0.0", NPMRANGE_NO },
		{ "6.0.x", "6.0.3", NPMRANGE_YES },
		{ "6.x.x", "6.1.0", NPMRANGE_YES },
		{ "6.x.3", "6.1.0", NPMRANGE_UNKNOWN },
		{ "6.0", "6.1.0", NPMRANGE_NO },
		{ "^6.0.0", "6.9.9", NPMRANGE_YES },
		{ "^6.0.0", "5.9.9", NPMRANGE_NO },
		{ "^6.0.0", "7.0.0", NPMRANGE_NO },
		{ "^0.1.2", "0.1.9", NPMRANGE_YES },
		{ "^0.1.2", "0.2.0", NPMRANGE_NO },
		{ "^0.0.3", "0.0.3", NPMRANGE_YES },
		{ "^0.0.3", "0.0.4", NPMRANGE_NO },
		{ "^0.0", "0.0.9", NPMRANGE_YES },
		{ "^0.0", "0.1.0", NPMRANGE_NO },
		{ "^0.x", "0.9.0", NPMRANGE_YES },
		{ "^0", "1.0.0", NPMRANGE_NO },
		{ "^1", "1.9.9", NPMRANGE_YES },
		{ "^1.2", "1.1.0", NPMRANGE_NO },
		{ "~1.2.3", "1.2.9", NPMRANGE_YES },
		{ "~1.2.3", "1.3.0", NPMRANGE_NO },
		{ "~1.2", "1.2.0", NPMRANGE_YES },
		{ "~1", "1.9.0", NPMRANGE_YES },
		{ "~1", "2.0.0", NPMRANGE_NO },
		{ "~> 1.2.3", "1.2.3", NPMRANGE_YES },
		{ ">=1.2.3", "1.2.3", NPMRANGE_YES },
		{ ">1.2.3", "1.2.3", NPMRANGE_NO },
		{ ">1.2", "1.2.9", NPMRANGE_NO },
		{ ">1.2", "1.3.0", NPMRANGE_YES },
		{ ">1", "1.9.9", NPMRANGE_NO },
		{ ">1", "2.0.0", NPMRANGE_YES },
		{ ">*", "2.0.0", NPMRANGE_NO },
		{ "<*", "2.0.0", NPMRANGE_NO },
		{ ">=*", "2.0.0", NPMRANGE_YES },
		{ "<=*", "2.0.0", NPMRANGE_YES },
		{ "<2", "1.9.9", NPMRANGE_YES },
		{ "<2", "2.0.0", NPMRANGE_NO },
		{ "<=2", "2.9.9", NPMRANGE_YES },
		{ "<=2.0.0", "2.0.0", NPMRANGE_YES },
		{ "<=2.0.0", "2.0.1", NPMRANGE_NO },
		{ ">=6 <8", "7.0.0", NPMRANGE_YES },
		{ ">= 6 < 8", "8.0.0", NPMRANGE_NO },
		{ ">=6\t<8", "6.0.0", NPMRANGE_YES },
		{ "^5 || ^6", "6.1.0", NPMRANGE_YES },
		{ "^5||^7", "6.1.0", NPMRANGE_NO },
		{ "^5 ||", "6.1.0", NPMRANGE_YES },
		{ "1.2 - 1.4", "1.4.9", NPMRANGE_YES },
		{ "1.2.0 - 1.4.0", "1.4.1", NPMRANGE_NO },
		{ "1 - 2 || 4", "4.1.0", NPMRANGE_YES },
		{ "  ^1.0.0  ", "1.0.0", NPMRANGE_YES },
		{ "^1.0.0-beta", "1.0.0", NPMRANGE_YES },
		{ "1.0.0-beta", "1.0.0", NPMRANGE_NO },
		{ "<1.0.0-beta", "1.0.0", NPMRANGE_NO },
		{ ">1.0.0-beta", "1.0.0", NPMRANGE_YES },
		{ "1.0.0+build", "1.0.0", NPMRANGE_YES },
		/* Tags. */
		{ "latest", "1.0.0", NPMRANGE_YES },
		{ "next-11", "1.0.0", NPMRANGE_YES },
		/* Pre-releases. */
		{ "1.0.0-rc.1", "1.0.0-rc.1", NPMRANGE_YES },
		{ "^1.0.0-rc.1", "1.0.0-rc.1", NPMRANGE_UNKNOWN },
		{ "^1.0.0", "1.1.0-rc.1", NPMRANGE_UNKNOWN },
		{ "^2.0.0", "1.0.0-rc.1", NPMRANGE_NO },
		{ "^1.0.0", "2.0.0-rc.1", NPMRANGE_UNKNOWN },
		/* What is not read. */
		{ "^6.0.0", "6.0.0+build", NPMRANGE_UNKNOWN },
		{ "^6.0.0", "six", NPMRANGE_UNKNOWN },
		{ "^6.0.0", "6.0", NPMRANGE_UNKNOWN },
		{ "^6.0.0", "06.0.0", NPMRANGE_UNKNOWN },
		{ "npm:other@^6", "6.0.0", NPMRANGE_UNKNOWN },
		{ "git+https://a.test/b", "6.0.0", NPMRANGE_UNKNOWN },
		{ "user/repo", "6.0.0", NPMRANGE_UNKNOWN },
		{ "file:../x", "6.0.0", NPMRANGE_UNKNOWN },
		{ "^6.0.0.0", "6.0.0", NPMRANGE_UNKNOWN },
		{ "^6 | ^7", "6.0.0", NPMRANGE_UNKNOWN },
		{ "^", "6.0.0", NPMRANGE_UNKNOWN },
		{ "6.", "6.0.0", NPMRANGE_UNKNOWN },
		{ "6.0-beta", "6.0.0", NPMRANGE_UNKNOWN },
		{ "99999999999999999999", "6.0.0", NPMRANGE_UNKNOWN },
		{ "^06.0.0", "6.0.0", NPMRANGE_UNKNOWN },
		{ "version", "6.0.0", NPMRANGE_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!CHECK_INT(npmrange_judge(rows[i].range, rows[i].version),
			rows[i].want))
			CHECK_STR(rows[i].range, NULL);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a range admits a version, or does not, or is not judged",
		    test_ranges },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
