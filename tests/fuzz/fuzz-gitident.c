/* SPDX-License-Identifier: MIT */
/* git's identity: what a session gets is that and nothing else of the file. */
#include <string.h>

#include "base/diag.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "host/gitident.h"

static void
check_string(const char *a, const char *b)
{
	FUZZ_CHECK((a == NULL) == (b == NULL));
	FUZZ_CHECK(a == NULL || strcmp(a, b) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gitident ident cleanup_gitident = GITIDENT_INIT;
	struct gitident again cleanup_gitident = GITIDENT_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;
	struct strbuf text cleanup_strbuf = STRBUF_INIT;

	int rc =
	    gitident_parse(&ident, "config", (const char *)data, size, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_CONFIG && ident.name == NULL &&
		    ident.email == NULL);
	fuzz_outcome(rc, &dg);
	gitident_write(&ident, &text);
	FUZZ_CHECK(
	    (text.len > 0) == (ident.name != NULL || ident.email != NULL));
	size_t lines = 0;
	for (size_t i = 0; i < text.len; i++)
		lines += text.buf[i] == '\n';
	/* Two sections more, of two lines each. */
	FUZZ_CHECK(text.len == 0 ||
	    lines ==
		5U + (ident.name != NULL ? 1U : 0U) +
		    (ident.email != NULL ? 1U : 0U));
	FUZZ_CHECK(
	    gitident_parse(&again, "again", text.buf, text.len, &dg) == 0);
	check_string(ident.name, again.name);
	check_string(ident.email, again.email);
	return 0;
}
