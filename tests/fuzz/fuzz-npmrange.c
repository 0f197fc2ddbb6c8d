/* SPDX-License-Identifier: MIT */
/*
 * Ranges of npm: "A || B" admits what either admits, "A B" what both do, and
 * blanks around a range count for nothing.  The input is A, a newline, and B.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "deps/npmrange.h"
#include "fuzz.h"

static const char *const versions[] = { "0.0.0", "0.0.3", "0.1.2", "1.0.0",
	"1.2.3", "2.0.0", "10.20.30", "1.2.3-rc.1" };

static void
check(const char *a, const char *b, const char *version)
{
	cleanup_free char *either = xasprintf("%s||%s", a, b);
	cleanup_free char *turned = xasprintf("%s || %s", b, a);
	cleanup_free char *blank = xasprintf(" %s ", a);
	cleanup_free char *both = xasprintf("%s %s", a, b);
	enum npmrange of_a = npmrange_judge(a, version);
	enum npmrange of_b = npmrange_judge(b, version);
	enum npmrange of_either = npmrange_judge(either, version);

	FUZZ_CHECK(of_either == npmrange_judge(turned, version));
	if (of_a == NPMRANGE_NO) {
		FUZZ_CHECK(npmrange_judge(blank, version) == NPMRANGE_NO);
		if (of_b == NPMRANGE_NO)
			FUZZ_CHECK(of_either == NPMRANGE_NO);
	}
	/* A tag is a range of its own alone. */
	if (of_either == NPMRANGE_UNKNOWN)
		return;
	if (of_a == NPMRANGE_YES || of_b == NPMRANGE_YES)
		FUZZ_CHECK(of_either == NPMRANGE_YES);
	if (strchr(a, '-') == NULL && strchr(b, '-') == NULL &&
	    (of_a == NPMRANGE_NO || of_b == NPMRANGE_NO))
		FUZZ_CHECK(npmrange_judge(both, version) != NPMRANGE_YES);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *a = fuzz_text(data, size);
	char *b = strchr(a, '\n');

	if (b == NULL)
		return 0;
	*b++ = '\0';
	/* A bar at an end would belong to the "||" between them. */
	if (strlen(a) + strlen(b) > 1000 || strchr(a, '|') != NULL ||
	    strchr(b, '|') != NULL)
		return 0;
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		FUZZ_CHECK(
		    npmrange_judge(versions[i], versions[i]) == NPMRANGE_YES);
		check(a, b, versions[i]);
	}
	return 0;
}
