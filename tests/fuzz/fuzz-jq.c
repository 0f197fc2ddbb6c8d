/* SPDX-License-Identifier: MIT */
/*
 * JSON, once more: what drydock's reader accepts is the same document to
 * libjq, which judges it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/jqprog.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "fuzz.h"

/* libjq has doubles for numbers, and prints what is too large as the largest. */
static void
check_number(const char *ours, const char *theirs)
{
	double a = strtod(ours, NULL);
	double b = strtod(theirs, NULL);
	if (isinf(a))
		FUZZ_CHECK(fabs(b) > 1.7976931348623e+308);
	else
		FUZZ_CHECK(fabs(a - b) <= fabs(a) * 1e-15 + 1e-307);
}

/* libjq has an order of its own for keys. */
static void
check_same(const struct json *a, const struct json *b)
{
	fuzz_same_kind(a, b);
	if (json_number(a) != NULL)
		check_number(json_number(a), json_number(b));
	FUZZ_CHECK(json_len(a) == json_len(b));
	for (size_t i = 0; i < json_len(a); i++) {
		if (json_is_array(a))
			check_same(json_at(a, i), json_at(b, i));
		else
			check_same(json_value_at(a, i),
			    json_get(b, json_key_at(a, i)));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jqprog *identity;
	cleanup_json struct json *ours = NULL;
	cleanup_json struct json *theirs = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (identity == NULL)
		FUZZ_CHECK(
		    jqprog_compile("identity", ".", &identity, &dg) == 0);
	if (json_parse((const char *)data, size, "input", &ours, &dg) == -1)
		return 0;
	FUZZ_CHECK(
	    jqprog_run(identity, (const char *)data, size, &text, &dg) == 0);
	FUZZ_CHECK(json_parse(text.buf, text.len, "jq", &theirs, &dg) == 0);
	check_same(ours, theirs);
	return 0;
}
