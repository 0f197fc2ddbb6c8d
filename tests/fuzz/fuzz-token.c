/* SPDX-License-Identifier: MIT */
/* A token that somebody pastes: one line of it is kept, and none is shown. */
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "host/token.h"

/* Long enough that no message of ours holds it by chance. */
#define LONG_TOKEN 24

static void
check_kept(const struct strbuf *kept, const uint8_t *data, size_t size)
{
	FUZZ_CHECK(kept->len > 0 && kept->len <= TOKEN_MAX);
	FUZZ_CHECK(
	    kept->len <= size && memcmp(kept->buf, data, kept->len) == 0);
	for (size_t i = 0; i < kept->len; i++)
		FUZZ_CHECK(kept->buf[i] > ' ' && kept->buf[i] < 0x7f);
	/* What was cut off is a line's end. */
	for (size_t i = kept->len; i < size; i++)
		FUZZ_CHECK(data[i] == '\r' || data[i] == '\n');
	FUZZ_CHECK(size - kept->len <= 2);
}

/* Only blanks and one pair of quotes are taken out. */
static void
check_cleaned(const uint8_t *data, size_t size)
{
	static const char prefix[] = "sk-";
	cleanup_token struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	size_t at = 0;
	size_t taken = 0;

	strbuf_add(&text, data, size);
	if (token_clean(&text, prefix, &dg) == -1) {
		FUZZ_CHECK(dg.class == DIAG_USAGE);
		return;
	}
	FUZZ_CHECK(strncmp(text.buf, prefix, sizeof(prefix) - 1) == 0);
	FUZZ_CHECK(strstr(text.buf + 1, prefix) == NULL);
	for (size_t i = 0; i < size; i++) {
		if (at < text.len && text.buf[at] == (char)data[i])
			at++;
		else if (strchr(" \t\r\n", data[i]) == NULL)
			taken++;
	}
	FUZZ_CHECK(at == text.len && (taken == 0 || taken == 2));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_token struct strbuf text = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	check_cleaned(data, size);
	strbuf_add(&text, data, size);
	int rc = token_check(&text, &dg);
	if (rc == 0)
		check_kept(&text, data, size);
	else
		FUZZ_CHECK(dg.class == DIAG_USAGE);
	if (rc == -1 && size >= LONG_TOKEN)
		FUZZ_CHECK(memmem(dg.message, strlen(dg.message), data,
			       LONG_TOKEN) == NULL);
	fuzz_outcome(rc, &dg);
	return 0;
}
