/* SPDX-License-Identifier: MIT */
/*
 * The redirects in package-lock.json: without them all bytes are those of
 * before; set twice, they are the same; the lock has the same packages; and an
 * entry that is found as original is found as redirected afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deps/npmlock.h"
#include "deps/npmredirect.h"
#include "fuzz.h"

#define ZERO                                               \
	"\"sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\""
#define KEPT "{\"resolved\":\"https://r.test/x.tgz\",\"integrity\":" ZERO
#define COPY ".drydock/patched/npm/d-1.0.0-0123456789ab/package.tar"

static const struct digest digest = { DIGEST_SHA512, { 1 } };
static struct npmredirect redirects[] = {
	{ "d", "1.0.0", COPY, &digest, KEPT ",\"dependencies\":\"^1\"}" },
	{ "@s/o", "2.0.0",
	    ".drydock/patched/npm/@s+o-2.0.0-0123456789ab/package.tar", &digest,
	    KEPT "}" },
};

static bool
equal(const struct strbuf *a, const struct strbuf *b)
{
	return a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0;
}

static int
set(const struct strbuf *text, size_t nr, struct strbuf *out, struct diag *dg)
{
	const struct npmredirects had = { redirects, 2, STRVEC_INIT };
	const struct npmredirects want = { redirects, nr, STRVEC_INIT };
	int rc = npmredirect_set_lock(text, &had, &want, out, dg);

	FUZZ_CHECK(rc == 0 || out->len == 0);
	FUZZ_CHECK(
	    rc == 0 || dg->class == DIAG_DATA || dg->class == DIAG_CONFIG);
	return rc;
}

static enum ecosystem_locked
find(const struct strbuf *text, const char *name, const char *version)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_json struct json *root = NULL;
	struct npmlock_found f;

	FUZZ_CHECK(
	    npmlock_parse_json(text->buf, text->len, "", &root, &dg) == 0);
	npmlock_find(json_get(root, "packages"), name, version, &f);
	FUZZ_CHECK((f.resolved != NULL) == (f.locked == ECOSYSTEM_REDIRECTED));
	return f.locked;
}

/* The same packages at the same places. */
static void
check_packages(const struct strbuf *before, const struct strbuf *after)
{
	cleanup_npmlock struct npmlock a = NPMLOCK_INIT;
	cleanup_npmlock struct npmlock b = NPMLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(npmlock_parse(&a, before->buf, before->len, "", &dg) == 0);
	FUZZ_CHECK(npmlock_parse(&b, after->buf, after->len, "", &dg) == 0);
	FUZZ_CHECK(a.nr == b.nr && a.version == b.version);
	for (size_t i = 0; i < a.nr; i++) {
		FUZZ_CHECK(strcmp(a.v[i].path, b.v[i].path) == 0);
		FUZZ_CHECK(strcmp(a.v[i].name, b.v[i].name) == 0);
		FUZZ_CHECK(
		    (a.v[i].version == NULL) == (b.v[i].version == NULL));
	}
}

static void
check_patched(const struct strbuf *own, const struct strbuf *with, size_t nr)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_strbuf struct strbuf without = STRBUF_INIT;
	cleanup_strbuf struct strbuf fresh = STRBUF_INIT;

	FUZZ_CHECK(set(with, nr, &again, &dg) == 0);
	FUZZ_CHECK(equal(with, &again));
	FUZZ_CHECK(set(with, 0, &without, &dg) == 0);
	FUZZ_CHECK(equal(own, &without));
	check_packages(own, with);
	if (find(own, "d", "1.0.0") == ECOSYSTEM_ORIGINAL)
		FUZZ_CHECK(find(with, "d", "1.0.0") == ECOSYSTEM_REDIRECTED);
	/* What came back has the kept values, and so is redirected again. */
	if (set(own, nr, &fresh, &dg) == 0) {
		strbuf_reset(&without);
		FUZZ_CHECK(set(&fresh, 0, &without, &dg) == 0);
		FUZZ_CHECK(equal(own, &without));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t nr = 1 + size % 2;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	cleanup_strbuf struct strbuf with = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	strbuf_add(&text, data, size);
	rc = set(&text, 0, &own, &dg);
	fuzz_outcome(rc, &dg);
	if (rc == 0) {
		FUZZ_CHECK(npmredirect_has_mark(text.buf, text.len) ||
		    equal(&text, &own));
		FUZZ_CHECK(find(&own, "d", "1.0.0") != ECOSYSTEM_REDIRECTED);
	}
	if (set(&text, nr, &with, &dg) == 0) {
		FUZZ_CHECK(rc == 0);
		check_patched(&own, &with, nr);
	}
	return 0;
}
