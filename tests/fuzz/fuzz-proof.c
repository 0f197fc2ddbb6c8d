/* SPDX-License-Identifier: MIT */
/*
 * The probes' report: it counts for promises that the probes test and for no
 * other, nothing in it improves a verdict, and its words are escaped.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "session/prove.h"

/* A line of the promise and the verdict with five fields. */
static bool
line_is(const char *line, size_t len, enum promise_id id, enum verdict verdict)
{
	cleanup_free char *head = xasprintf("%s\t", promises[id].name);
	cleanup_free char *tail = xasprintf("\t%s", verdict_name(verdict));
	size_t tabs = 0;

	for (size_t i = 0; i < len; i++)
		tabs += line[i] == '\t';
	return tabs == PROVE_FIELDS - 1 && len >= strlen(tail) &&
	    strncmp(line, head, strlen(head)) == 0 &&
	    memcmp(line + len - strlen(tail), tail, strlen(tail)) == 0;
}

static size_t
count_lines(const char *text, enum promise_id id, enum verdict verdict)
{
	size_t n = 0;

	for (const char *end; (end = strchr(text, '\n')) != NULL;
	     text = end + 1)
		n += line_is(text, (size_t)(end - text), id, verdict);
	return n;
}

/* *ret_nr grows by the number of the promise's lines. */
static enum verdict
naive_verdict(const char *text, enum promise_id id, size_t *ret_nr)
{
	size_t held;
	size_t broken;
	size_t unknown;

	if (!promise_is_inside(id))
		return VERDICT_UNKNOWN;
	held = count_lines(text, id, VERDICT_HELD);
	broken = count_lines(text, id, VERDICT_BROKEN);
	unknown = count_lines(text, id, VERDICT_UNKNOWN);
	*ret_nr += held + broken + unknown;
	if (broken > 0)
		return VERDICT_BROKEN;
	return unknown > 0 || held == 0 ? VERDICT_UNKNOWN : VERDICT_HELD;
}

static void
check_attempt(const struct attempt *a)
{
	const char *const words[] = { a->call, a->target, a->answer };

	FUZZ_CHECK(a->promise < PROMISES && promise_is_inside(a->promise));
	FUZZ_CHECK(a->verdict <= VERDICT_BROKEN);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		FUZZ_CHECK(fuzz_is_printable(words[i], strlen(words[i])));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_proof struct proof proof = PROOF_INIT;
	cleanup_free char *text = fuzz_text(data, size);
	size_t nr = 0;

	proof_read(&proof, (const char *)data, size);
	for (size_t i = 0; i < proof.nr; i++)
		check_attempt(&proof.v[i]);
	for (unsigned i = 0; i < PROMISES; i++)
		FUZZ_CHECK(proof_verdict(&proof, (enum promise_id)i) ==
		    naive_verdict(text, (enum promise_id)i, &nr));
	FUZZ_CHECK(proof.nr == nr);
	return 0;
}
