/* SPDX-License-Identifier: MIT */
/*
 * The ledger of patches: what is read and written is the same ledger, each
 * entry is found, and its paths stay below the project.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "deps/patchledger.h"
#include "fuzz.h"

static void
check_path(const char *path, const char *front)
{
	static const char odd[] = "\\\"' \t\r\n";
	size_t n = strlen(front);
	const char *slash;

	FUZZ_CHECK(strncmp(path, front, n) == 0);
	FUZZ_CHECK(strpbrk(path, odd) == NULL);
	FUZZ_CHECK(strstr(path, "/.") == NULL && strstr(path, "/-") == NULL);
	slash = strchr(path + n, '/');
	FUZZ_CHECK(slash != NULL && slash > path + n);
	FUZZ_CHECK(strchr(slash + 1, '/') == NULL);
	FUZZ_CHECK(strlen(slash + 1) < 240);
}

static void
check_entry(const struct patchledger *ledger, const struct patchledger_entry *e)
{
	cleanup_free char *patch = patchledger_patch_path(e);
	cleanup_free char *copy = patchledger_copy_path(e);

	check_path(patch, ".drydock/patches/");
	check_path(copy, ".drydock/patched/");
	FUZZ_CHECK(e->pristine.kind == DIGEST_SHA256);
	FUZZ_CHECK(e->patch.kind == DIGEST_SHA256);
	FUZZ_CHECK(e->tree.kind == DIGEST_SHA256);
	FUZZ_CHECK(*e->fragment != '\0');
	FUZZ_CHECK(
	    patchledger_find(ledger, e->ecosystem, e->name, e->version) == e);
	for (const struct patchledger_entry *f = ledger->v; f < e; f++) {
		cleanup_free char *other = patchledger_copy_path(f);

		FUZZ_CHECK(strcmp(other, copy) != 0);
	}
}

static void
write_ledger(const struct patchledger *ledger, struct strbuf *out)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	FUZZ_CHECK(patchledger_write(ledger, out, &dg) == 0);
}

static void
check_same(const struct patchledger *a, const struct patchledger *b)
{
	FUZZ_CHECK(a->nr == b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		const struct patchledger_entry *x = &a->v[i];
		const struct patchledger_entry *y = &b->v[i];

		FUZZ_CHECK(strcmp(x->ecosystem, y->ecosystem) == 0);
		FUZZ_CHECK(strcmp(x->name, y->name) == 0);
		FUZZ_CHECK(strcmp(x->version, y->version) == 0);
		FUZZ_CHECK(strcmp(x->fragment, y->fragment) == 0);
		FUZZ_CHECK(digest_equal(&x->pristine, &y->pristine));
		FUZZ_CHECK(digest_equal(&x->patch, &y->patch));
		FUZZ_CHECK(digest_equal(&x->tree, &y->tree));
	}
}

/* An entry that is taken out and put back leaves the same ledger. */
static void
check_put(struct patchledger *ledger, size_t i, const struct strbuf *want)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct patchledger_entry copy = ledger->v[i];

	copy.ecosystem = xstrdup(copy.ecosystem);
	copy.name = xstrdup(copy.name);
	copy.version = xstrdup(copy.version);
	copy.fragment = xstrdup(copy.fragment);
	patchledger_drop(ledger, &ledger->v[i]);
	FUZZ_CHECK(patchledger_find(ledger, copy.ecosystem, copy.name,
		       copy.version) == NULL);
	patchledger_put(ledger, &copy);
	write_ledger(ledger, &out);
	FUZZ_CHECK(strcmp(out.buf, want->buf) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_patchledger struct patchledger ledger = PATCHLEDGER_INIT;
	cleanup_patchledger struct patchledger again = PATCHLEDGER_INIT;
	cleanup_strbuf struct strbuf once = STRBUF_INIT;
	cleanup_strbuf struct strbuf twice = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = patchledger_parse(&ledger, (const char *)data, size, &dg);

	FUZZ_CHECK(rc == 0 || (dg.class == DIAG_DATA && ledger.v == NULL));
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return 0;
	for (size_t i = 0; i < ledger.nr; i++)
		check_entry(&ledger, &ledger.v[i]);
	write_ledger(&ledger, &once);
	FUZZ_CHECK(patchledger_parse(&again, once.buf, once.len, &dg) == 0);
	check_same(&ledger, &again);
	write_ledger(&again, &twice);
	FUZZ_CHECK(strcmp(once.buf, twice.buf) == 0);
	for (size_t i = 0; i < again.nr; i++)
		check_put(&again, i, &once);
	return 0;
}
