/* SPDX-License-Identifier: MIT */
/* A quoted word is one word to a shell, and the same one. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "fuzz.h"

/*
 * POSIX XCU 2.2, as far as it goes without expansion: quotes, a backslash, and
 * characters that mean nothing to a shell.  Anything else is a failure.
 */
static void
unquote(const char *p, struct strbuf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+:,./-";
	FUZZ_CHECK(*p != '\0');
	while (*p != '\0') {
		if (*p == '\'') {
			size_t len = strcspn(p + 1, "'");
			FUZZ_CHECK(p[1 + len] == '\'');
			strbuf_add(out, p + 1, len);
			p += len + 2;
		} else if (*p == '\\') {
			FUZZ_CHECK(p[1] != '\0' && p[1] != '\n');
			strbuf_addch(out, p[1]);
			p += 2;
		} else {
			FUZZ_CHECK(strchr(plain, *p) != NULL);
			strbuf_addch(out, *p++);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *word = fuzz_text(data, size);
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;

	strbuf_add_shell_quoted(&line, word);
	unquote(line.buf, &back);
	FUZZ_CHECK(strcmp(back.buf, word) == 0);
	return 0;
}
