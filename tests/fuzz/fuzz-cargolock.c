/* SPDX-License-Identifier: MIT */
/*
 * Cargo.lock: names are parts of file names, and the entries alone, under a
 * version, are the same lock.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/cargolock.h"
#include "fuzz.h"

static void
check_package(const struct cargolock_package *p, const char *text, size_t from,
    size_t len)
{
	cleanup_strbuf struct strbuf file = STRBUF_INIT;

	strbuf_addf(&file, "%s-%s", p->name, p->version);
	FUZZ_CHECK(strpbrk(file.buf, "/\\\"\n") == NULL && file.len < 300);
	FUZZ_CHECK(file.buf[0] != '.' && *p->version != '\0');
	FUZZ_CHECK(p->start >= from && p->start < p->end && p->end <= len);
	FUZZ_CHECK(strncmp(text + p->start, "[[package]]", 11) == 0 ||
	    strchr(" \t", text[p->start]) != NULL);
	FUZZ_CHECK(p->checksum.kind == DIGEST_NONE || p->source != NULL);
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
check_same(const struct cargolock *a, const struct cargolock *b)
{
	FUZZ_CHECK(a->version == b->version && a->nr == b->nr);
	for (size_t i = 0; i < a->nr; i++) {
		const struct cargolock_package *x = &a->v[i];
		const struct cargolock_package *y = &b->v[i];

		FUZZ_CHECK(same(x->name, y->name));
		FUZZ_CHECK(same(x->version, y->version));
		FUZZ_CHECK(same(x->source, y->source));
		FUZZ_CHECK(x->checksum.kind == y->checksum.kind);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_cargolock struct cargolock lock = CARGOLOCK_INIT;
	cleanup_cargolock struct cargolock again = CARGOLOCK_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf entries = STRBUF_INIT;
	size_t end = 0;
	int rc;

	strbuf_add(&text, data, size);
	rc = cargolock_parse(&lock, text.buf, text.len, "Cargo.lock", &dg);
	FUZZ_CHECK(rc == 0 || (dg.class == DIAG_DATA && lock.nr == 0));
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return 0;
	strbuf_addf(&entries, "version = %d\n", lock.version);
	for (size_t i = 0; i < lock.nr; i++) {
		const struct cargolock_package *p = &lock.v[i];

		check_package(p, text.buf, end, text.len);
		end = p->end;
		strbuf_add(&entries, text.buf + p->start, end - p->start);
		strbuf_addch(&entries, '\n');
	}
	FUZZ_CHECK(
	    cargolock_parse(&again, entries.buf, entries.len, "", &dg) == 0);
	check_same(&lock, &again);
	return 0;
}
