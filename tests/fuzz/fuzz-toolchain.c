/* SPDX-License-Identifier: MIT */
/*
 * toolchains/NAME.json: what is accepted is safe on apt's command line, below
 * the cache directory and the home, and in the proxy's configuration.
 */
#include <string.h>

#include "base/diag.h"
#include "fuzz.h"
#include "host/reserved.h"
#include "host/toolchain.h"

static void
check_below(const char *path)
{
	FUZZ_CHECK(*path != '/' && *path != '\0');
	FUZZ_CHECK(strncmp(path, "../", 3) != 0 && strcmp(path, "..") != 0);
	FUZZ_CHECK(strstr(path, "/../") == NULL);
	FUZZ_CHECK(
	    strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

static void
check_packages(const struct toolchain_suite *suite)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";

	FUZZ_CHECK(suite->name[0] != '\0' &&
	    suite->name[strspn(suite->name, safe)] == '\0');
	for (size_t i = 0; i < suite->packages.nr; i++) {
		const char *word = suite->packages.v[i];

		FUZZ_CHECK(word[0] != '-' && word[0] != '+' && word[0] != '.');
		FUZZ_CHECK(word[0] != '\0' && word[strspn(word, safe)] == '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_toolchain struct toolchain tc = TOOLCHAIN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc =
	    toolchain_parse(&tc, "a", "a.json", (const char *)data, size, &dg);

	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_CONFIG && tc.name == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	for (size_t i = 0; i < tc.nsuites; i++)
		check_packages(&tc.suites[i]);
	fuzz_allowlist_lines(&tc.hosts);
	for (size_t i = 0; i < tc.ncaches; i++) {
		check_below(tc.caches[i].path);
		if (tc.caches[i].link != NULL)
			check_below(tc.caches[i].link);
		FUZZ_CHECK((tc.caches[i].link == NULL) !=
		    (tc.caches[i].variable == NULL));
	}
	for (size_t i = 0; i < tc.shown_by.nr; i++)
		FUZZ_CHECK(strchr(tc.shown_by.v[i], '/') == NULL);
	for (size_t i = 0; i < tc.reserved_env.nr; i++)
		FUZZ_CHECK(
		    reserved_check_pattern(tc.reserved_env.v[i]) == NULL);
	return 0;
}
