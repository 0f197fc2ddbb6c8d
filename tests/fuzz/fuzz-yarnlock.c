/* SPDX-License-Identifier: MIT */
/*
 * yarn.lock: each patch has a hash and a file of the project's, and says in its
 * key what manifests say.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "deps/yarnlock.h"
#include "fuzz.h"

static void
check_spec(const struct yarnspec *spec)
{
	FUZZ_CHECK(*spec->name != '\0' && strchr(spec->name + 1, '@') == NULL);
	FUZZ_CHECK(utf8_valid(spec->source, strlen(spec->source)));
	FUZZ_CHECK(spec->paths.nr > 0);
	for (size_t i = 0; i < spec->paths.nr; i++) {
		const char *path = spec->paths.v[i];

		FUZZ_CHECK(*path != '\0' && strchr(path, '&') == NULL);
		FUZZ_CHECK(utf8_valid(path, strlen(path)));
		FUZZ_CHECK(strchr(yarnspec_path(path), '!') == NULL);
	}
}

static void
check_patch(const struct yarnlock_patch *p)
{
	size_t own = 0;

	check_spec(&p->resolved);
	FUZZ_CHECK(strlen(p->resolved.hash) >= 6);
	FUZZ_CHECK(
	    p->resolved.hash[strspn(p->resolved.hash, "0123456789abcdef")] ==
	    '\0');
	for (size_t i = 0; i < p->resolved.paths.nr; i++)
		own += !yarnspec_is_builtin(p->resolved.paths.v[i]);
	FUZZ_CHECK(own > 0);
	FUZZ_CHECK(p->nwanted > 0);
	for (size_t i = 0; i < p->nwanted; i++)
		check_spec(&p->wanted[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_yarnlock struct yarnlock lock = YARNLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int rc;

	strbuf_add(&text, data, size);
	rc = yarnlock_parse(&lock, text.buf, text.len, "yarn.lock", &dg);
	FUZZ_CHECK(rc == 0 ||
	    ((dg.class == DIAG_DATA || dg.class == DIAG_CONFIG) &&
		lock.nr == 0));
	fuzz_outcome(rc, &dg);
	FUZZ_CHECK(lock.nr == 0 ||
	    (!lock.classic && lock.version >= 6 && lock.version <= 10));
	for (size_t i = 0; i < lock.nr; i++)
		check_patch(&lock.v[i]);
	return 0;
}
