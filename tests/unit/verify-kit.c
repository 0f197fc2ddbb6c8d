/* SPDX-License-Identifier: MIT */
/* A plan for tests of verify. */
#include "verify-kit.h"

#include <string.h>

#include "base/diag.h"
#include "check.h"
#include "engine/engine.h"
#include "host/project.h"
#include "plan/model.h"
#include "plan/plan.h"

static const char model_text[] =
    "{\"services\":{\"agent\":{\"image\":\"sha256:a\",\"user\":\"1234:1235\",\"read_only\":true,"
    "\"network_mode\":\"none\",\"mem_limit\":\"1000000\","
    "\"pids_limit\":100,\"ipc\":\"private\",\"cpus\":1.5,\"restart\":\"no\","
    "\"tmpfs\":[\"/tmp:rw,exec,nosuid,nodev,mode=1777,size=1000000\"],"
    "\"environment\":{\"HOME\":\"/home/u\",\"N\":\"1\"},"
    "\"labels\":{\"io.drydock.role\":\"agent\"},"
    "\"logging\":{\"driver\":\"local\"},\"working_dir\":\"/home/u/p x\","
    "\"volumes\":[{\"source\":\"/s/home\",\"target\":\"/home/u\"},"
    "{\"source\":\"/s/p\",\"target\":\"/home/u/p x\"},"
    "{\"source\":\"/s/c\",\"target\":\"/etc/conf\",\"read_only\":true}],"
    "\"entrypoint\":[\"/holder\",\"hold\"],\"command\":[]}}}";

const char *const verify_kit_image_env[] = { "PATH=/bin", "N=0", NULL };

const struct plan_service *
verify_kit_agent(const char *model, struct plan *ret_plan)
{
	static char nothing[] = "/-";
	struct engine engine = { .socket = nothing };
	struct project project = { .path = nothing };
	const struct plan_request request = {
		.engine = &engine,
		.project = &project,
		.session_dir = nothing,
		.history_dir = nothing,
	};
	cleanup_diag struct diag dg = DIAG_INIT;

	if (model == NULL)
		model = model_text;
	CHECK_INT(
	    model_read(&request, model, strlen(model), "model", ret_plan, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	return plan_find(ret_plan, "agent");
}
