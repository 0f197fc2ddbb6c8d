/* SPDX-License-Identifier: MIT */
/* What `docker info` prints: an engine with a whole identity, or refused. */
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "engine/answer.h"
#include "engine/engine.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	cleanup_json struct json *info = NULL;
	int rc = answer_parse((const char *)data, size, "info", &info, &dg) == 0
	    ? engine_read_info(&engine, info, &dg)
	    : -1;
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_ENGINE && engine.id == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	FUZZ_CHECK(engine.id[0] != '\0');
	FUZZ_CHECK(engine.data_root[0] == '/');
	FUZZ_CHECK(engine_meets_floor(ENGINE_FLOOR_DOCKER, engine.version));
	/* Whatever else it says, it did not say that it is one of these. */
	const struct json *options = json_get(info, "SecurityOptions");
	for (size_t i = 0; i < json_len(options); i++)
		FUZZ_CHECK(strcmp(json_string_or(json_at(options, i), ""),
			       "name=rootless") != 0);
	return 0;
}
