/* SPDX-License-Identifier: MIT */
/*
 * The filter of the host's own JSON: what is to go is gone, all else is as it
 * was, and a second pass changes nothing.
 */
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "fuzz.h"
#include "sync/jsonfilter.h"

/* Members that are called "a", and elements that are "x". */
static struct jsonfilter *
make_filter(void)
{
	cleanup_strvec struct strvec drop = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct jsonfilter *filter = NULL;

	strvec_push(&drop, ".. | objects | .a");
	strvec_push(&drop, ".. | arrays | .[] | select(. == \"x\")");
	FUZZ_CHECK(jsonfilter_new(&drop, "/home/u", NULL, &filter, &dg) == 0);
	return filter;
}

static bool
goes(const struct json *parent, size_t i)
{
	if (json_is_object(parent))
		return strcmp(json_key_at(parent, i), "a") == 0;
	return strcmp(json_string_or(json_at(parent, i), ""), "x") == 0;
}

/* b is a without what goes. */
static void
check_filtered(const struct json *a, const struct json *b)
{
	fuzz_same_kind(a, b);
	if (json_number(a) != NULL)
		FUZZ_CHECK(strcmp(json_number(a), json_number(b)) == 0);
	size_t k = 0;
	for (size_t i = 0; i < json_len(a); i++) {
		if (goes(a, i))
			continue;
		FUZZ_CHECK(k < json_len(b));
		if (json_is_array(a)) {
			check_filtered(json_at(a, i), json_at(b, k++));
			continue;
		}
		FUZZ_CHECK(strcmp(json_key_at(a, i), json_key_at(b, k)) == 0);
		check_filtered(json_value_at(a, i), json_value_at(b, k++));
	}
	FUZZ_CHECK(k == json_len(b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jsonfilter *filter;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_strbuf struct strbuf once = STRBUF_INIT;
	cleanup_strbuf struct strbuf twice = STRBUF_INIT;
	cleanup_json struct json *before = NULL;
	cleanup_json struct json *after = NULL;
	const char *text = (const char *)data;

	if (filter == NULL)
		filter = make_filter();
	int rc = jsonfilter_run(filter, text, size, "doc", &once, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_DATA && once.len == 0);
	fuzz_outcome(rc, &dg);
	int parsed = json_parse(text, size, "doc", &before, &ignored);
	if (rc == -1) {
		/* Nothing is refused here that is a document elsewhere. */
		FUZZ_CHECK(parsed == -1);
		return 0;
	}
	FUZZ_CHECK(jsonfilter_run(
		       filter, once.buf, once.len, "again", &twice, &dg) == 0);
	FUZZ_CHECK(twice.len == once.len);
	FUZZ_CHECK(memcmp(twice.buf, once.buf, once.len) == 0);
	/* The tree's reader is stricter: it has no NUL and less depth. */
	if (parsed == -1)
		return 0;
	FUZZ_CHECK(json_parse(once.buf, once.len, "after", &after, &dg) == 0);
	check_filtered(before, after);
	return 0;
}
