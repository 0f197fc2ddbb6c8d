/* SPDX-License-Identifier: MIT */
/*
 * Members added to a document: all bytes of the document stay, each default is
 * there, and a second pass changes nothing.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "fuzz.h"

static const char defaults_text[] =
    "{\"a\":{\"b\":[1.50,null]},\"c\\n\":true,\"\":\"\\u00e9\"}";

static size_t
count(const struct json *object, const struct json_key *key)
{
	const struct json_key *keys = json_keys(object);
	size_t n = 0;

	for (size_t i = 0; i < json_len(object); i++)
		if (keys[i].len == key->len &&
		    memcmp(keys[i].text, key->text, key->len) == 0)
			n++;
	return n;
}

/* out is text with something inserted at one place. */
static void
check_bytes(const char *text, size_t len, const struct strbuf *out)
{
	size_t front = 0;
	size_t back = 0;

	FUZZ_CHECK(out->len >= len);
	while (front < len && text[front] == out->buf[front])
		front++;
	while (back < len - front &&
	    text[len - 1 - back] == out->buf[out->len - 1 - back])
		back++;
	FUZZ_CHECK(front + back == len);
}

/* Each member is there as often as before; a default at least once. */
static void
check_members(const struct json *before, const struct json *after,
    const struct json *defaults)
{
	size_t added = 0;

	for (size_t i = 0; i < json_len(defaults); i++) {
		const struct json_key *key = &json_keys(defaults)[i];
		size_t n = count(before, key);

		FUZZ_CHECK(count(after, key) == (n > 0 ? n : 1));
		added += n == 0;
	}
	FUZZ_CHECK(json_len(after) == json_len(before) + added);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	cleanup_json struct json *defaults = NULL;
	cleanup_json struct json *before = NULL;
	cleanup_json struct json *after = NULL;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	FUZZ_CHECK(json_parse(defaults_text, sizeof(defaults_text) - 1, "d",
		       &defaults, &dg) == 0);
	rc = json_add_missing(text, size, "the document", defaults, &out, &dg);
	fuzz_outcome(rc, &dg);
	if (rc != 0) {
		FUZZ_CHECK(out.len == 0);
		return 0;
	}
	FUZZ_CHECK(json_parse_loose(out.buf, out.len, "out", &after, &dg) == 0);
	if (size == 0)
		FUZZ_CHECK(json_len(after) == json_len(defaults));
	else {
		FUZZ_CHECK(
		    json_parse_loose(text, size, "in", &before, &dg) == 0);
		check_bytes(text, size, &out);
		check_members(before, after, defaults);
	}
	FUZZ_CHECK(json_add_missing(
		       out.buf, out.len, "out", defaults, &again, &dg) == 0);
	FUZZ_CHECK(
	    again.len == out.len && memcmp(again.buf, out.buf, out.len) == 0);
	return 0;
}
