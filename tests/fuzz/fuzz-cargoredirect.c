/* SPDX-License-Identifier: MIT */
/*
 * A redirected entry of Cargo.lock: the entry loses two lines and nothing else
 * changes; restored, all bytes are those of before.  An input with a NUL is a
 * lock and a fragment: an entry that is restored can be redirected again.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/cargolock.h"
#include "deps/cargoredirect.h"
#include "fuzz.h"

#define NAME "dep"
#define VERSION_TEXT "1.0.0"

static int
add(const struct strbuf *text, struct strbuf *out, struct strbuf *fragment,
    struct diag *dg)
{
	/* Without a terminator, so that a sanitizer sees the end. */
	cleanup_free char *copy = xmalloc(text->len + 1);

	memcpy(copy + 1, text->buf, text->len);
	return cargoredirect_add(
	    copy + 1, text->len, NAME, VERSION_TEXT, out, fragment, dg);
}

static int
restore(const struct strbuf *text, const char *fragment, struct strbuf *out,
    struct diag *dg)
{
	cleanup_free char *copy = xmalloc(text->len + 1);

	memcpy(copy + 1, text->buf, text->len);
	return cargoredirect_remove(
	    copy + 1, text->len, NAME, VERSION_TEXT, fragment, out, dg);
}

static bool
equal(const struct strbuf *a, const struct strbuf *b)
{
	return a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0;
}

/* The lines without blanks and without empty ones. */
static void
split(const struct strbuf *text, struct strvec *lines)
{
	cleanup_strbuf struct strbuf plain = STRBUF_INIT;

	for (size_t i = 0; i < text->len; i++)
		if (strchr(" \t\r", text->buf[i]) == NULL)
			strbuf_addch(&plain, text->buf[i]);
	strvec_split(lines, plain.buf, '\n');
}

/* after has the lines of before, but for two. */
static void
check_lines(const struct strbuf *before, const struct strbuf *after)
{
	cleanup_strvec struct strvec a = STRVEC_INIT;
	cleanup_strvec struct strvec b = STRVEC_INIT;
	size_t at = 0;

	split(before, &a);
	split(after, &b);
	FUZZ_CHECK(a.nr == b.nr + 2);
	for (size_t i = 0; i < a.nr; i++)
		if (at < b.nr && strcmp(a.v[i], b.v[at]) == 0)
			at++;
		else
			FUZZ_CHECK(strstr(a.v[i], "source") != NULL ||
			    strstr(a.v[i], "checksum") != NULL);
	FUZZ_CHECK(at == b.nr);
}

/* The lock has the same packages, and the entry leads nowhere. */
static void
check_packages(const struct strbuf *before, const struct strbuf *after)
{
	cleanup_cargolock struct cargolock a = CARGOLOCK_INIT;
	cleanup_cargolock struct cargolock b = CARGOLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(cargolock_parse(&a, before->buf, before->len, "", &dg) == 0);
	FUZZ_CHECK(cargolock_parse(&b, after->buf, after->len, "", &dg) == 0);
	FUZZ_CHECK(a.nr == b.nr);
	for (size_t i = 0; i < a.nr; i++) {
		bool is_entry = strcmp(a.v[i].name, NAME) == 0 &&
		    strcmp(a.v[i].version, VERSION_TEXT) == 0;

		FUZZ_CHECK(strcmp(a.v[i].name, b.v[i].name) == 0);
		FUZZ_CHECK(strcmp(a.v[i].version, b.v[i].version) == 0);
		FUZZ_CHECK((b.v[i].source == NULL) ==
		    (is_entry || a.v[i].source == NULL));
		if (is_entry)
			FUZZ_CHECK(b.v[i].checksum.kind == DIGEST_NONE);
	}
}

static void
check_round_trip(const struct strbuf *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf fragment = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;
	cleanup_strbuf struct strbuf none = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = add(text, &out, &fragment, &dg);

	FUZZ_CHECK(rc == 0 || out.len + fragment.len == 0);
	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA || dg.class == DIAG_CONFIG);
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return;
	check_lines(text, &out);
	check_packages(text, &out);
	FUZZ_CHECK(restore(&out, fragment.buf, &back, &dg) == 0);
	FUZZ_CHECK(equal(text, &back));
	FUZZ_CHECK(restore(text, fragment.buf, &none, &dg) != 0);
	FUZZ_CHECK(dg.class == DIAG_NO && none.len == 0);
	diag_clear(&dg);
	FUZZ_CHECK(add(&out, &none, &none, &dg) != 0);
	FUZZ_CHECK(dg.class == DIAG_CONFIG && none.len == 0);
}

static void
check_fragment(const struct strbuf *text, const char *fragment)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf taken = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = restore(text, fragment, &out, &dg);

	FUZZ_CHECK(rc == 0 || out.len == 0);
	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA ||
	    dg.class == DIAG_CONFIG || dg.class == DIAG_NO);
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return;
	FUZZ_CHECK(add(&out, &again, &taken, &dg) == 0);
	FUZZ_CHECK(equal(text, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);

	if (nul == NULL) {
		strbuf_add(&text, data, size);
		check_round_trip(&text);
	} else {
		cleanup_free char *fragment =
		    fuzz_text(nul + 1, size - (size_t)(nul - data) - 1);

		strbuf_add(&text, data, (size_t)(nul - data));
		check_fragment(&text, fragment);
	}
	return 0;
}
