/* SPDX-License-Identifier: MIT */
/* A patch of yarn's: with LF and with CRLF it is read, or not, alike. */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "deps/yarnpatch.h"
#include "fuzz.h"

/* Returns 0 for a patch that is read. */
static int
compare(const struct strbuf *text)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	const struct yarnpatch_file files[] = { { text, false },
		{ text, true } };
	bool same = false;
	int rc = yarnpatch_compare(files, 2, "000000000000", &same, &dg);

	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA || dg.class == DIAG_CONFIG);
	FUZZ_CHECK(!same);
	fuzz_outcome(rc, &dg);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strbuf struct strbuf lf = STRBUF_INIT;
	cleanup_strbuf struct strbuf crlf = STRBUF_INIT;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			strbuf_addch(&crlf, '\r');
		if (data[i] == '\r')
			continue;
		strbuf_add(&lf, &data[i], 1);
		strbuf_add(&crlf, &data[i], 1);
	}
	FUZZ_CHECK(compare(&lf) == compare(&crlf));
	return 0;
}
