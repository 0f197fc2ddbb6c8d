/* SPDX-License-Identifier: MIT */
/* A container's log: all of what its frames hold, or refused. */
#include "base/diag.h"
#include "base/strbuf.h"
#include "engine/container.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	int rc = container_read_log((const char *)data, size, &out, &err, &dg);
	if (rc == -1)
		FUZZ_CHECK(
		    dg.class == DIAG_ENGINE && out.len == 0 && err.len == 0);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	/* What is no text is heads, of 8 bytes each. */
	FUZZ_CHECK(out.len + err.len <= size);
	FUZZ_CHECK((size - out.len - err.len) % 8 == 0);
	FUZZ_CHECK(size == 0 || size - out.len - err.len >= 8);
	return 0;
}
