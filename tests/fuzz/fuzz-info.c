/* SPDX-License-Identifier: MIT */
/* What `docker info` prints: an engine with a whole identity, or refused. */
#include <string.h>

#include "base/diag.h"
#include "engine/engine.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct engine engine cleanup_engine = ENGINE_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;

	int rc = engine_read_info(&engine, (const char *)data, size, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_ENGINE && engine.id == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	FUZZ_CHECK(engine.id[0] != '\0');
	FUZZ_CHECK(engine.data_root[0] == '/');
	FUZZ_CHECK(engine_meets_floor(ENGINE_FLOOR_DOCKER, engine.version));
	/* Whatever else it says, it did not say that it is one of these. */
	const char *text = (const char *)data;
	FUZZ_CHECK(memmem(text, size, "\"name=rootless\"", 15) == NULL);
	return 0;
}
