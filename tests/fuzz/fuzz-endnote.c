/* SPDX-License-Identifier: MIT */
/*
 * The holder's note of an end, which an agent can write: a status, or none.
 * The parser is private to its file.
 */
#include "session/endnote.c"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;

	/* fs_read_file() gives no more. */
	if (size > NOTE_MAX)
		return 0;
	strbuf_add(&text, data, size);
	int status = parse(&text);
	FUZZ_CHECK(status >= 0 && status <= 255);
	if (status == 0)
		return 0;
	FUZZ_CHECK(strlen(text.buf) == size && size <= sizeof("255"));
	FUZZ_CHECK(strspn(text.buf, "0123456789") == size - 1);
	FUZZ_CHECK(text.buf[size - 1] == '\n');
	FUZZ_CHECK(strtol(text.buf, NULL, 10) == status);
	return 0;
}
