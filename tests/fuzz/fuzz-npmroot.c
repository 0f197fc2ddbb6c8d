/* SPDX-License-Identifier: MIT */
/* .npmrc: a setting that makes npm ignore the lock is always told. */
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "deps/npmroot.h"
#include "fuzz.h"

static bool
is_told(const struct strbuf *text)
{
	cleanup_strbuf struct strbuf why = STRBUF_INIT;

	npmroot_judge_settings(text->buf, text->len, &why);
	FUZZ_CHECK(why.len < 200);
	return why.len > 0;
}

/* A section hides what comes after it. */
static bool
may_have_section(const struct strbuf *text)
{
	return strlen(text->buf) != text->len || strchr(text->buf, '[') != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf before = STRBUF_INIT;

	strbuf_add(&text, data, size);
	/* Behind and in front of any text, and without the words. */
	strbuf_addstr(&before, "shrinkwrap=${X}\n");
	strbuf_add(&before, data, size);
	FUZZ_CHECK(is_told(&before));
	if (is_told(&text)) {
		static const char *const words[] = { "lock", "wrap", "run",
			"global", "location", "workspace", "prefix", "config" };
		bool has_word = false;
		bool has_other = false;

		for (size_t i = 0; i < size; i++)
			has_other = has_other || data[i] > '~' ||
			    data[i] < ' ' || data[i] == '\\' ||
			    data[i] == '$' || data[i] == '"';
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			has_word = has_word ||
			    memmem(data, size, words[i], strlen(words[i])) !=
				NULL;
		FUZZ_CHECK(has_word || has_other);
		return 0;
	}
	if (may_have_section(&text))
		return 0;
	strbuf_addstr(&text, "\npackage-lock = false\n");
	FUZZ_CHECK(is_told(&text));
	return 0;
}
