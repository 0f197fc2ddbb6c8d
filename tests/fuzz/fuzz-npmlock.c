/* SPDX-License-Identifier: MIT */
/* package-lock.json: no path and no name leads out of the project. */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "deps/npmlock.h"
#include "fuzz.h"

/* Walks the path as a shell would; it never is above the project. */
static void
check_path(const char *path)
{
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	int depth = 0;

	FUZZ_CHECK(*path != '/' && *path != '\0');
	strvec_split(&parts, path, '/');
	for (size_t i = 0; i < parts.nr; i++) {
		depth += strcmp(parts.v[i], "..") == 0 ? -1 : 1;
		FUZZ_CHECK(depth > 0);
		FUZZ_CHECK(strcmp(parts.v[i], "..") != 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_npmlock struct npmlock lock = NPMLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int rc;

	strbuf_add(&text, data, size);
	rc = npmlock_parse(&lock, text.buf, text.len, "package-lock.json", &dg);
	FUZZ_CHECK(rc == 0 || (dg.class == DIAG_DATA && lock.nr == 0));
	fuzz_outcome(rc, &dg);
	for (size_t i = 0; i < lock.nr; i++) {
		const struct npmlock_package *p = &lock.v[i];

		check_path(p->path);
		check_path(p->name);
		FUZZ_CHECK(
		    p->version == NULL || strchr(p->version, '/') == NULL);
		FUZZ_CHECK(p->integrity.kind == DIGEST_NONE ||
		    strstr(text.buf, "sha512-") != NULL ||
		    strchr(text.buf, '\\') != NULL);
	}
	return 0;
}
