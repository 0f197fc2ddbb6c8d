/* SPDX-License-Identifier: MIT */
/*
 * Two manifests of a package of npm, split at a NUL: a text equals itself, the
 * order of its keys and free keys are free, and another key is seen.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "deps/npmpackage.h"
#include "fuzz.h"

static enum diag_class
compare(const struct strbuf *a, const struct strbuf *b)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	enum diag_class class;
	int rc = npmpackage_compare(
	    a->buf, a->len, b->buf, b->len, "foo 1.0.0", &dg);

	class = dg.class;
	FUZZ_CHECK(rc == 0 || class == DIAG_DATA || class == DIAG_CONFIG);
	fuzz_outcome(rc, &dg);
	return class;
}

/* Appends the document with its members in the other order, and one more. */
static void
add_turned(struct strbuf *out, const struct json *root, const char *text,
    const char *more)
{
	const struct json_key *keys = json_keys(root);

	strbuf_addf(out, "{%s", more);
	for (size_t i = json_len(root); i > 0; i--) {
		const struct json *value = json_value_at(root, i - 1);

		if (out->buf[out->len - 1] != '{')
			strbuf_addch(out, ',');
		/* From the key's quote to the value's end. */
		strbuf_add(out, text + keys[i - 1].start,
		    json_end(value) - keys[i - 1].start);
	}
	strbuf_addch(out, '}');
}

static void
check_turned(const struct strbuf *text, const struct json *root,
    const char *more, enum diag_class want)
{
	cleanup_strbuf struct strbuf turned = STRBUF_INIT;

	add_turned(&turned, root, text->buf, more);
	FUZZ_CHECK(compare(text, &turned) == want);
	FUZZ_CHECK(compare(&turned, text) == want);
}

static void
check_sound(const struct strbuf *text)
{
	cleanup_json struct json *root = NULL;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (json_parse(text->buf, text->len, "text", &root, &dg) != 0 ||
	    !json_is_object(root))
		return;
	check_turned(text, root, "", DIAG_NONE);
	if (json_get(root, "exports") == NULL)
		check_turned(text, root, "\"exports\":{}", DIAG_NONE);
	if (json_get(root, "zz") == NULL)
		check_turned(text, root, "\"zz\":1", DIAG_CONFIG);
	if (json_get(root, "scripts") == NULL) {
		check_turned(
		    text, root, "\"scripts\":{\"test\":\"\"}", DIAG_NONE);
		check_turned(
		    text, root, "\"scripts\":{\"install\":\"\"}", DIAG_CONFIG);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	size_t len = nul == NULL ? size : (size_t)(nul - data);
	cleanup_strbuf struct strbuf a = STRBUF_INIT;
	cleanup_strbuf struct strbuf b = STRBUF_INIT;

	strbuf_add(&a, data, len);
	if (nul != NULL)
		strbuf_add(&b, nul + 1, size - len - 1);
	FUZZ_CHECK(compare(&a, &a) == DIAG_NONE);
	FUZZ_CHECK(compare(&a, &b) == compare(&b, &a));
	check_sound(&a);
	return 0;
}
