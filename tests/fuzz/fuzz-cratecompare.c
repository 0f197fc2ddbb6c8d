/* SPDX-License-Identifier: MIT */
/*
 * Two manifests of a crate, split at a NUL: a text equals itself, comments and
 * free tables are free wherever they stand, and another table is seen.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/crate.h"
#include "fuzz.h"

static int
compare(const struct strbuf *a, const struct strbuf *b)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc =
	    crate_compare(a->buf, a->len, b->buf, b->len, "foo 1.0.0", &dg);

	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA || dg.class == DIAG_CONFIG);
	/* A text is never in conflict with itself. */
	FUZZ_CHECK(a != b || dg.class != DIAG_CONFIG);
	fuzz_outcome(rc, &dg);
	return rc;
}

/* Compares a sound text with itself and a text behind it, both ways. */
static void
check_added(const struct strbuf *text, const char *more, int want)
{
	cleanup_strbuf struct strbuf with = STRBUF_INIT;

	strbuf_addf(&with, "%s\n%s", text->buf, more);
	FUZZ_CHECK(compare(text, &with) == want);
	FUZZ_CHECK(compare(&with, text) == want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	size_t len = nul == NULL ? size : (size_t)(nul - data);
	cleanup_strbuf struct strbuf a = STRBUF_INIT;
	cleanup_strbuf struct strbuf b = STRBUF_INIT;
	bool is_sound;

	strbuf_add(&a, data, len);
	if (nul != NULL)
		strbuf_add(&b, nul + 1, size - len - 1);
	is_sound = compare(&a, &a) == 0;
	FUZZ_CHECK(compare(&a, &b) == compare(&b, &a));
	if (!is_sound)
		return 0;
	check_added(&a, "# c\n", 0);
	check_added(&a, "[lib.x]\ny = { z = 1 }\n[package.metadata]\n", 0);
	check_added(&a, "[zz]\n", -1);
	check_added(&a, "[package.version]\n", -1);
	check_added(&a, "[lib]\n[dependencies.zz]\npath = \"x\"\n", -1);
	return 0;
}
