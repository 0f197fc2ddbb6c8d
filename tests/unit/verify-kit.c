/* SPDX-License-Identifier: MIT */
/* A plan for tests of verify. */
#include "verify-kit.h"

#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "check.h"
#include "plan/verify.h"

static const char model_text[] =
    "{\"services\":{\"agent\":{\"user\":\"1234:1235\",\"read_only\":true,"
    "\"network_mode\":\"none\",\"mem_limit\":\"1000000\","
    "\"pids_limit\":100,\"ipc\":\"private\",\"cpus\":1.5,\"restart\":\"no\","
    "\"tmpfs\":[\"/tmp:rw,exec,nosuid,nodev,mode=1777,size=1000000\"],"
    "\"environment\":{\"HOME\":\"/home/u\",\"N\":\"1\"},"
    "\"labels\":{\"io.drydock.role\":\"agent\"},"
    "\"logging\":{\"driver\":\"local\"},\"working_dir\":\"/home/u/p x\","
    "\"entrypoint\":[\"/holder\",\"hold\"],\"command\":[]}}}";

static const char *const image_env[] = { "PATH=/bin", "N=0", NULL };

void
verify_kit_expect(struct expectation *expect)
{
	struct json *model cleanup_json = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;

	CHECK_INT(
	    json_parse(model_text, strlen(model_text), "model", &model, &dg),
	    0);
	CHECK_INT(expectation_read(
		      model, "agent", image_env, "sha256:a", expect, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
}
