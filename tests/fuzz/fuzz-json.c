/* SPDX-License-Identifier: MIT */
/* JSON: a document that is written again is the same document. */
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "fuzz.h"

static void
write_node(const struct json *n, bool pretty, struct strbuf *out)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct jsonw *w = jsonw_new(pretty);
	jsonw_node(w, n);
	FUZZ_CHECK(jsonw_finish(w, out, &dg) == 0);
}

/* The order of keys counts, and so do a number's own digits. */
static void
check_same(const struct json *a, const struct json *b)
{
	fuzz_same_kind(a, b);
	if (json_number(a) != NULL)
		FUZZ_CHECK(strcmp(json_number(a), json_number(b)) == 0);
	FUZZ_CHECK(json_len(a) == json_len(b));
	for (size_t i = 0; i < json_len(a); i++) {
		if (json_is_array(a)) {
			check_same(json_at(a, i), json_at(b, i));
			continue;
		}
		const char *key = json_key_at(a, i);
		FUZZ_CHECK(strcmp(key, json_key_at(b, i)) == 0);
		/* No key stands twice, so a key finds its own value. */
		FUZZ_CHECK(json_get(a, key) == json_value_at(a, i));
		check_same(json_value_at(a, i), json_value_at(b, i));
	}
}

static void
check_round_trip(const struct json *root, bool pretty)
{
	cleanup_json struct json *again = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf once_more = STRBUF_INIT;
	write_node(root, pretty, &text);
	FUZZ_CHECK(json_parse(text.buf, text.len, "again", &again, &dg) == 0);
	check_same(root, again);
	write_node(again, pretty, &once_more);
	FUZZ_CHECK(strcmp(text.buf, once_more.buf) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = json_parse((const char *)data, size, "input", &root, &dg);
	FUZZ_CHECK((rc == 0) == (root != NULL));
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_DATA);
	fuzz_outcome(rc, &dg);
	if (rc == 0) {
		check_round_trip(root, false);
		check_round_trip(root, true);
	}
	return 0;
}
