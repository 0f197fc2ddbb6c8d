/* SPDX-License-Identifier: MIT */
/*
 * The block in Cargo.toml: without it, all bytes are the user's again; set
 * twice, it is the same; and what was written is what is read.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/cargomanifest.h"
#include "fuzz.h"

static const struct cargomanifest_patch patches[] = {
	{ "dep", ".drydock/patched/cargo/dep-1.0.0-0123456789ab" },
	{ "other_dep", "p/other" },
};

static bool
equal(const struct strbuf *a, const struct strbuf *b)
{
	return a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0;
}

/* Sets the first nr patches in a text that is sound. */
static void
set(const struct strbuf *text, size_t nr, struct strbuf *out)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(cargomanifest_set(
		       text->buf, text->len, patches, nr, out, &dg) == 0);
}

/* The block is read as it was written. */
static void
check_read(const struct strbuf *text, size_t nr)
{
	cleanup_cargomanifest_block struct cargomanifest_block block =
	    CARGOMANIFEST_BLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(cargomanifest_has_mark(text->buf, text->len));
	FUZZ_CHECK(
	    cargomanifest_read(text->buf, text->len, NULL, &block, &dg) == 0);
	FUZZ_CHECK(block.state == CARGOMANIFEST_OURS && block.nr == nr);
	for (size_t i = 0; i < nr; i++) {
		FUZZ_CHECK(strcmp(block.v[i].name, patches[i].name) == 0);
		FUZZ_CHECK(strcmp(block.v[i].path, patches[i].path) == 0);
	}
}

static void
check_patched(const struct strbuf *own, const struct strbuf *with, size_t nr)
{
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_strbuf struct strbuf without = STRBUF_INIT;
	cleanup_strbuf struct strbuf fresh = STRBUF_INIT;

	FUZZ_CHECK(with->len > own->len);
	FUZZ_CHECK(memcmp(with->buf, own->buf, own->len) == 0);
	set(with, nr, &again);
	FUZZ_CHECK(equal(with, &again));
	set(with, 0, &without);
	FUZZ_CHECK(equal(own, &without));
	set(own, nr, &fresh);
	FUZZ_CHECK(equal(with, &fresh));
	check_read(with, nr);
}

static void
found(void *arg, const char *name, const char *why)
{
	size_t *nr = arg;

	FUZZ_CHECK(name == NULL || strcmp(name, "dep") == 0 ||
	    strcmp(name, "other_dep") == 0);
	FUZZ_CHECK(*why != '\0');
	(*nr)++;
}

/* A text is set if, and only if, nothing conflicts and the block is sound. */
static void
check_judged(const char *text, size_t size, size_t npatches, bool is_set)
{
	cleanup_cargomanifest_block struct cargomanifest_block block =
	    CARGOMANIFEST_BLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t nr = 0;
	const struct cargomanifest_conflicts conflicts = { patches, npatches,
		found, &nr };
	int rc = cargomanifest_read(text, size, &conflicts, &block, &dg);

	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA);
	FUZZ_CHECK(!is_set || (rc == 0 && nr == 0));
	FUZZ_CHECK(is_set || rc != 0 || nr > 0 ||
	    block.state == CARGOMANIFEST_FOREIGN);
	FUZZ_CHECK(block.state == CARGOMANIFEST_OURS || block.nr == 0);
	fuzz_outcome(rc, &dg);
	rc = cargomanifest_judge_config(
	    text, size, "config.toml", &conflicts, &dg);
	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA);
	fuzz_outcome(rc, &dg);
}

/* own is the text without a block that begins at offset at. */
static bool
is_without(const char *text, size_t size, size_t at, const struct strbuf *own)
{
	static const char *const line_ends[] = { "", "\n", "\r\n" };

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(line_ends[i]);
		size_t front = at - n;
		size_t back = own->len - front;

		/* A line end goes only if nothing is behind the block. */
		if (at >= n && front <= own->len && back <= size - at &&
		    (n == 0 || back == 0) &&
		    memcmp(text + front, line_ends[i], n) == 0 &&
		    memcmp(text, own->buf, front) == 0 &&
		    memcmp(text + size - back, own->buf + front, back) == 0)
			return true;
	}
	return false;
}

/* Without a mark there is no block, and all bytes are the user's. */
static void
check_own(const char *text, size_t size, const struct strbuf *own)
{
	static const char mark[] = "# drydock patch: begin";
	const size_t n = sizeof(mark) - 1;

	if (own->len == size && memcmp(own->buf, text, size) == 0)
		return;
	for (size_t at = 0; at + n <= size; at++)
		if ((at == 0 || text[at - 1] == '\n') &&
		    memcmp(text + at, mark, n) == 0 &&
		    is_without(text, size, at, own))
			return;
	FUZZ_CHECK(false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const size_t nr = 1 + size % 2;
	cleanup_strbuf struct strbuf own = STRBUF_INIT;
	cleanup_strbuf struct strbuf with = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc2;
	int rc = cargomanifest_set(text, size, NULL, 0, &own, &dg);

	FUZZ_CHECK(rc == 0 || (dg.class == DIAG_DATA && own.len == 0));
	fuzz_outcome(rc, &dg);
	if (rc == 0)
		check_own(text, size, &own);
	rc2 = cargomanifest_set(text, size, patches, nr, &with, &dg);
	FUZZ_CHECK(rc2 == 0 ||
	    ((dg.class == DIAG_DATA || dg.class == DIAG_CONFIG) &&
		with.len == 0));
	fuzz_outcome(rc2, &dg);
	/* A text that cannot lose its block cannot get one. */
	FUZZ_CHECK(rc2 != 0 || rc == 0);
	if (rc2 == 0)
		check_patched(&own, &with, nr);
	check_judged(text, size, nr, rc2 == 0);
	return 0;
}
