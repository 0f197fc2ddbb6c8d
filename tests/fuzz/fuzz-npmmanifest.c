/* SPDX-License-Identifier: MIT */
/*
 * The redirects in package.json: without them all bytes are the user's again;
 * set twice, they are the same; and npm finds what was set.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deps/npmmanifest.h"
#include "deps/npmredirect.h"
#include "fuzz.h"

#define ZERO                                               \
	"\"sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\""
#define KEPT "{\"resolved\":\"https://r.test/x.tgz\",\"integrity\":" ZERO

static const struct digest digest = { DIGEST_SHA512, { 1 } };
static struct npmredirect redirects[] = {
	{ "d", "1.0.0", ".drydock/patched/npm/d-1.0.0-0123456789ab/package.tar",
	    &digest, KEPT ",\"dependencies\":\"^1\"}" },
	{ "@s/o", "2.0.0",
	    ".drydock/patched/npm/@s+o-2.0.0-0123456789ab/package.tar", &digest,
	    KEPT "}" },
};

/* The first nr redirects. */
static struct npmredirects
first(size_t nr)
{
	return (struct npmredirects){ redirects, nr, STRVEC_INIT };
}

static bool
equal(const struct strbuf *a, const struct strbuf *b)
{
	return a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0;
}

/* Sets the first nr redirects in a text that is sound. */
static void
set(const struct strbuf *text, size_t nr, struct strbuf *out)
{
	const struct npmredirects had = first(2);
	const struct npmredirects want = first(nr);
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(npmredirect_set_manifest(text, &had, &want, out, &dg) == 0);
}

/* The text has these redirects and no other, and no range in their place. */
static void
check_read(const struct strbuf *text, size_t nr)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	const struct json *overrides;
	size_t found = 0;

	FUZZ_CHECK(npmmanifest_parse(text, &root, &dg) == 0);
	overrides = json_get(root, "overrides");
	for (size_t i = 0; i < json_len(overrides); i++)
		if (npmmanifest_is_ours(json_value_at(overrides, i)))
			FUZZ_CHECK(
			    strcmp(json_key_at(overrides, i),
				found++ == 0 ? "d@1.0.0" : "@s/o@2.0.0") == 0);
	FUZZ_CHECK(found == nr);
	overrides = json_get(json_get(root, "dependencies"), "d");
	FUZZ_CHECK(
	    overrides == NULL || nr == 0 || npmmanifest_is_ours(overrides));
}

static void
check_patched(const struct strbuf *own, const struct strbuf *with, size_t nr)
{
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_strbuf struct strbuf without = STRBUF_INIT;
	cleanup_strbuf struct strbuf fresh = STRBUF_INIT;

	FUZZ_CHECK(npmredirect_has_mark(with->buf, with->len));
	set(with, nr, &again);
	FUZZ_CHECK(equal(with, &again));
	set(with, 0, &without);
	FUZZ_CHECK(equal(own, &without));
	set(own, nr, &fresh);
	strbuf_reset(&without);
	set(&fresh, 0, &without);
	FUZZ_CHECK(equal(own, &without));
	check_read(with, nr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t nr = 1 + size % 2;
	const struct npmredirects had = first(2);
	const struct npmredirects want = first(nr);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	cleanup_strbuf struct strbuf with = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc2;
	int rc;

	strbuf_add(&text, data, size);
	rc = npmredirect_set_manifest(&text, &had, NULL, &own, &dg);
	FUZZ_CHECK(rc == 0 ||
	    ((dg.class == DIAG_DATA || dg.class == DIAG_CONFIG) &&
		own.len == 0));
	fuzz_outcome(rc, &dg);
	if (rc == 0) {
		FUZZ_CHECK(npmredirect_has_mark(text.buf, text.len) ||
		    equal(&text, &own));
		check_read(&own, 0);
	}
	rc2 = npmredirect_set_manifest(&text, &had, &want, &with, &dg);
	FUZZ_CHECK(rc2 == 0 ||
	    ((dg.class == DIAG_DATA || dg.class == DIAG_CONFIG) &&
		with.len == 0));
	fuzz_outcome(rc2, &dg);
	/* A text that cannot lose its redirects cannot get some. */
	FUZZ_CHECK(rc2 != 0 || rc == 0);
	if (rc2 == 0)
		check_patched(&own, &with, nr);
	return 0;
}
