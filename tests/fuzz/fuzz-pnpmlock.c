/* SPDX-License-Identifier: MIT */
/*
 * pnpm-lock.yaml: each patch has a key of its own and a hash, and the same
 * patches, written in another way, are the same lock.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "deps/pnpmlock.h"
#include "fuzz.h"

static void
check_patch(const struct pnpmlock *lock, const struct pnpmlock_patch *p)
{
	size_t name = pnpmlock_name_len(p->key);
	size_t len = strlen(p->hash);

	FUZZ_CHECK(*p->key != '\0' && strlen(p->key) <= PNPMLOCK_MAX_KEY);
	FUZZ_CHECK(utf8_valid(p->key, strlen(p->key)));
	FUZZ_CHECK(name > 0 && (p->key[name] == '\0' || p->key[name] == '@'));
	FUZZ_CHECK(pnpmlock_find(lock, p->key) == p);
	FUZZ_CHECK(len == 26 || len == 64);
	FUZZ_CHECK(
	    p->hash[strspn(p->hash, "0123456789abcdefghijklmnopqrstuvwxyz")] ==
	    '\0');
	FUZZ_CHECK(p->path == NULL || utf8_valid(p->path, strlen(p->path)));
}

/* As a double-quoted text, with each character by its number. */
static void
add_text(struct strbuf *out, const char *text)
{
	size_t len = strlen(text);

	strbuf_addch(out, '"');
	for (size_t at = 0, n; at < len; at += n) {
		uint32_t cp = 0;

		n = utf8_decode(text + at, len - at, &cp);
		FUZZ_CHECK(n > 0);
		strbuf_addf(out, "\\U%08x", cp);
	}
	strbuf_addch(out, '"');
}

static void
write_patch(struct strbuf *out, const struct pnpmlock_patch *p)
{
	strbuf_addstr(out, "  ? ");
	add_text(out, p->key);
	if (p->path == NULL) {
		strbuf_addf(out, "\n  : '%s'\n", p->hash);
		return;
	}
	strbuf_addstr(out, "\n  : { path: ");
	add_text(out, p->path);
	strbuf_addf(out, ", hash: %s }\n", p->hash);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_pnpmlock struct pnpmlock lock = PNPMLOCK_INIT;
	cleanup_pnpmlock struct pnpmlock again = PNPMLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf written = STRBUF_INIT;
	int rc;

	strbuf_add(&text, data, size);
	rc = pnpmlock_parse(&lock, text.buf, text.len, "pnpm-lock.yaml", &dg);
	FUZZ_CHECK(rc == 0 ||
	    ((dg.class == DIAG_DATA || dg.class == DIAG_CONFIG) &&
		lock.nr == 0));
	fuzz_outcome(rc, &dg);
	if (rc != 0 || lock.nr == 0)
		return 0;
	strbuf_addstr(
	    &written, "lockfileVersion: \"9.0\"\npatchedDependencies:\n");
	for (size_t i = 0; i < lock.nr; i++) {
		check_patch(&lock, &lock.v[i]);
		write_patch(&written, &lock.v[i]);
	}
	FUZZ_CHECK(
	    pnpmlock_parse(&again, written.buf, written.len, "", &dg) == 0);
	FUZZ_CHECK(again.nr == lock.nr);
	for (size_t i = 0; i < lock.nr; i++) {
		const struct pnpmlock_patch *a = &lock.v[i];
		const struct pnpmlock_patch *b = &again.v[i];

		FUZZ_CHECK(strcmp(a->key, b->key) == 0);
		FUZZ_CHECK(strcmp(a->hash, b->hash) == 0);
		FUZZ_CHECK(a->path == NULL
			? b->path == NULL
			: b->path != NULL && strcmp(a->path, b->path) == 0);
		FUZZ_CHECK(!b->used);
	}
	return 0;
}
