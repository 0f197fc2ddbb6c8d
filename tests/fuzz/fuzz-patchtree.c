/* SPDX-License-Identifier: MIT */
/* A list of files: the same bytes come out, and each path stays in its tree. */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/packagetar.h"
#include "deps/patchtree.h"
#include "fuzz.h"

static void
check_path(const char *path)
{
	cleanup_strbuf struct strbuf framed = STRBUF_INIT;

	strbuf_addf(&framed, "/%s/", path);
	FUZZ_CHECK(patchtree_is_path(path));
	FUZZ_CHECK(strstr(framed.buf, "//") == NULL);
	FUZZ_CHECK(strstr(framed.buf, "/./") == NULL);
	FUZZ_CHECK(strstr(framed.buf, "/../") == NULL);
	FUZZ_CHECK(strpbrk(framed.buf, "\\\n\r\033\x7f") == NULL);
}

static void
count(void *arg, const char *path, enum patchtree_difference how)
{
	size_t *counts = arg;

	FUZZ_CHECK(patchtree_is_path(path));
	counts[how]++;
}

/* A list is its own tree; another digest is a changed file. */
static void
check_differences(const struct patchtree *tree)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_patchtree struct patchtree other = PATCHTREE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t counts[PATCHTREE_EXTRA + 1] = { 0 };
	size_t changed = 0;

	patchtree_list(tree, &list);
	FUZZ_CHECK(patchtree_parse_list(&other, list.buf, list.len, &dg) == 0);
	patchtree_compare(tree, &other, count, counts);
	FUZZ_CHECK(counts[PATCHTREE_CHANGED] == 0);
	for (size_t i = 0; i < other.nr; i += 3) {
		other.v[i].digest.bytes[0] ^= 1;
		changed++;
	}
	patchtree_compare(tree, &other, count, counts);
	FUZZ_CHECK(counts[PATCHTREE_CHANGED] == changed);
	FUZZ_CHECK(counts[PATCHTREE_MISSING] == 0);
	FUZZ_CHECK(counts[PATCHTREE_EXTRA] == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	strbuf_add(&text, data, size);
	rc = patchtree_parse_list(&tree, text.buf, text.len, &dg);
	FUZZ_CHECK(rc == 0 || (dg.class == DIAG_DATA && tree.nr == 0));
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return 0;
	FUZZ_CHECK(tree.nr <= PACKAGETAR_MAX_FILES);
	for (size_t i = 0; i < tree.nr; i++) {
		check_path(tree.v[i].path);
		FUZZ_CHECK(
		    i == 0 || strcmp(tree.v[i - 1].path, tree.v[i].path) < 0);
	}
	patchtree_list(&tree, &list);
	FUZZ_CHECK(list.len == size);
	FUZZ_CHECK(size == 0 || memcmp(list.buf, data, size) == 0);
	check_differences(&tree);
	return 0;
}
