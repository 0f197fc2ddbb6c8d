/* SPDX-License-Identifier: MIT */
/*
 * Text for a terminal: what is shown is printable, tells apart what differs,
 * and is left alone where it was harmless.
 */
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "fuzz.h"

/* A reader of the escapes, which yields the text again. */
static void
unescape(const struct strbuf *text, struct strbuf *out)
{
	for (const char *p = text->buf; *p != '\0'; p++) {
		if (*p != '\\') {
			strbuf_addch(out, *p);
			continue;
		}
		p++;
		if (*p >= '0' && *p <= '3') {
			int byte = 0;
			for (int i = 0; i < 3; i++) {
				FUZZ_CHECK(p[i] >= '0' && p[i] <= '7');
				byte = byte * 8 + (p[i] - '0');
			}
			strbuf_addch(out, (char)byte);
			p += 2;
			continue;
		}
		static const char names[] = "nrt\\";
		const char *at = strchr(names, *p);
		FUZZ_CHECK(*p != '\0' && at != NULL);
		strbuf_addch(out, "\n\r\t\\"[at - names]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *text = (const char *)data;

	strbuf_add_escaped(&shown, text, size);
	FUZZ_CHECK(strlen(shown.buf) == shown.len);
	FUZZ_CHECK(fuzz_is_printable(shown.buf, shown.len));
	FUZZ_CHECK(utf8_valid(shown.buf, shown.len));
	unescape(&shown, &back);
	FUZZ_CHECK(back.len == size);
	FUZZ_CHECK(size == 0 || memcmp(back.buf, text, size) == 0);

	size_t prefix = utf8_valid_prefix(text, size);
	FUZZ_CHECK(prefix <= size && utf8_valid(text, prefix));
	FUZZ_CHECK(utf8_valid(text, size) == (prefix == size));

	/* A message that names it is one line as well. */
	fuzz_outcome(diag_set(&dg, DIAG_DATA, "%.*s.", (int)size, text), &dg);
	return 0;
}
