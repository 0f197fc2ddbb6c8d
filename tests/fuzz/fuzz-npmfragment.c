/* SPDX-License-Identifier: MIT */
/*
 * The original values of a package: what is read is written the same.  An input
 * with a NUL is a package.json and a package-lock.json: what is kept of these
 * is accepted, and leads both there and back.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/ecosystem.h"
#include "deps/npmfragment.h"
#include "deps/npmredirect.h"
#include "fuzz.h"

#define COPY ".drydock/patched/npm/d-1.0.0-0123456789ab/package.tar"

static const struct digest digest = { DIGEST_SHA512, { 1 } };

typedef int set_fn(const struct strbuf *text, const struct npmredirects *had,
    const struct npmredirects *want, struct strbuf *out, struct diag *dg);

/* A text without a redirect gets it and loses it. */
static void
check_round(set_fn *set, const struct strbuf *text, const char *fragment)
{
	struct npmredirect r = { "d", "1.0.0", COPY, &digest, fragment };
	const struct npmredirects one = { &r, 1, STRVEC_INIT };
	cleanup_strbuf struct strbuf with = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = set(text, NULL, &one, &with, &dg);

	/* Other members of the file may be malformed. */
	FUZZ_CHECK(rc == 0 || dg.class == DIAG_CONFIG);
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return;
	FUZZ_CHECK(set(&with, &one, NULL, &back, &dg) == 0);
	FUZZ_CHECK(back.len == text->len &&
	    memcmp(back.buf, text->buf, back.len) == 0);
}

static void
check_files(const struct strbuf *manifest, const struct strbuf *lock)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum ecosystem_locked locked;
	struct digest pristine;
	int rc = npmfragment_make(manifest, lock, "d", "1.0.0", &out, &dg);

	FUZZ_CHECK(rc == 0 ||
	    ((dg.class == DIAG_DATA || dg.class == DIAG_CONFIG) &&
		out.len == 0));
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return;
	FUZZ_CHECK(
	    npmpatch.find(lock, "d", "1.0.0", &locked, &pristine, &dg) == 0);
	FUZZ_CHECK(locked == ECOSYSTEM_ORIGINAL);
	FUZZ_CHECK(
	    npmfragment_judge(out.buf, "d", "1.0.0", &pristine, &dg) == 0);
	check_round(npmredirect_set_manifest, manifest, out.buf);
	check_round(npmredirect_set_lock, lock, out.buf);
}

static void
check_fragment(const char *text)
{
	cleanup_npmfragment struct npmfragment a = NPMFRAGMENT_INIT;
	cleanup_npmfragment struct npmfragment b = NPMFRAGMENT_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = npmfragment_parse(&a, text, "d", "1.0.0", &dg);

	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA);
	fuzz_outcome(rc, &dg);
	if (rc != 0) {
		FUZZ_CHECK(a.resolved == NULL && a.integrity == NULL);
		return;
	}
	FUZZ_CHECK(a.pristine.kind == DIGEST_SHA512);
	npmfragment_write(&a, &out);
	FUZZ_CHECK(npmfragment_parse(&b, out.buf, "d", "1.0.0", &dg) == 0);
	FUZZ_CHECK(digest_equal(&a.pristine, &b.pristine));
	npmfragment_write(&b, &again);
	FUZZ_CHECK(strcmp(out.buf, again.buf) == 0);
	for (size_t i = 0; i < NPMMANIFEST_SECTIONS; i++)
		FUZZ_CHECK(a.specs[i] == NULL ||
		    !npmredirect_has_mark(a.specs[i], strlen(a.specs[i])));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);

	if (nul == NULL) {
		cleanup_free char *text = fuzz_text(data, size);

		check_fragment(text);
	} else {
		cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
		cleanup_strbuf struct strbuf lock = STRBUF_INIT;

		strbuf_add(&manifest, data, (size_t)(nul - data));
		strbuf_add(&lock, nul + 1, size - (size_t)(nul - data) - 1);
		check_files(&manifest, &lock);
	}
	return 0;
}
