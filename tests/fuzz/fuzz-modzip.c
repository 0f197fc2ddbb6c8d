/* SPDX-License-Identifier: MIT */
/*
 * A module's zip: whatever it holds, the reader stays in its buffers, and what
 * it accepts is a zip from its first byte to its last.
 */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "deps/modzip.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	struct digest h1 = { .kind = DIGEST_NONE };
	struct digest longer;
	int rc;

	FUZZ_CHECK(fs_memfd("zip", data, size, &fd, &dg) == 0);
	rc = modzip_h1(fd, (off_t)size, &h1, &dg);
	FUZZ_CHECK(rc == 0 || h1.kind == DIGEST_NONE);
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return 0;
	FUZZ_CHECK(h1.kind == DIGEST_SHA256);
	FUZZ_CHECK(memcmp(data + size - 22, "PK\5\6", 4) == 0);
	FUZZ_CHECK(modzip_h1(fd, (off_t)size - 1, &longer, &dg) != 0);
	diag_clear(&dg);
	FUZZ_CHECK(modzip_h1(fd, (off_t)size + 1, &longer, &dg) != 0);
	return 0;
}
