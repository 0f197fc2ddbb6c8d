/* SPDX-License-Identifier: MIT */
/*
 * Compose's merged model, as verify and prepare read it: what is expected is
 * typed, or the plan is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "fuzz.h"
#include "host/paths.h"
#include "plan/model.h"
#include "plan/plan.h"
#include "plan/verify.h"

static const char *const image_env[] = { "PATH=/bin", NULL };

static void
check_expectation(const struct json *model)
{
	struct expectation e cleanup_expectation = EXPECTATION_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;

	int rc =
	    expectation_read(model, "agent", image_env, "sha256:0", &e, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_POLICY && e.user == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return;
	FUZZ_CHECK(e.net <= EXPECT_NET_HOST);
	FUZZ_CHECK(e.ngroups <= PROC_MAX_GROUPS);
	FUZZ_CHECK(e.limits.memory == -1 || e.limits.memory > 0);
	FUZZ_CHECK(e.limits.pids == -1 || e.limits.pids > 0);
	FUZZ_CHECK(e.limits.cpu_milli >= -1);
	FUZZ_CHECK(e.user != NULL && strchr(e.user, ':') != NULL);
	FUZZ_CHECK(e.log_driver != NULL && e.restart != NULL);
	for (size_t i = 0; i < e.ntmpfs; i++)
		FUZZ_CHECK(e.tmpfs[i].target[0] == '/' &&
		    (e.tmpfs[i].size == -1 || e.tmpfs[i].size > 0));
	for (size_t i = 0; i < e.env.nr; i++)
		FUZZ_CHECK(strchr(e.env.v[i], '=') != NULL);
}

static void
check_binds(const struct json *model)
{
	const struct paths paths = { .uid = 1000, .gid = 1000 };
	struct plan plan = { .seccomp = STRBUF_INIT };

	model_binds(model, &paths, &plan);
	for (size_t i = 0; i < plan.nbinds; i++) {
		const struct bind *b = &plan.binds[i];
		FUZZ_CHECK(b->service != NULL && b->source != NULL &&
		    b->target != NULL);
		FUZZ_CHECK((b->mode & ~(mode_t)0777) == 0);
		FUZZ_CHECK(b->fd == -1);
	}
	plan_release(&plan);
}

/* A dollar never comes or goes alone. */
static void
check_dollars(const char *text, size_t len)
{
	struct strbuf single cleanup_strbuf = STRBUF_INIT;
	struct strbuf twice cleanup_strbuf = STRBUF_INIT;
	struct strbuf back cleanup_strbuf = STRBUF_INIT;
	struct diag dg cleanup_diag = DIAG_INIT;

	int rc = model_undouble(text, len, &single, &dg);
	fuzz_outcome(rc, &dg);
	if (rc == 0) {
		model_double(single.buf, single.len, &twice);
		FUZZ_CHECK(twice.len == len);
		FUZZ_CHECK(len == 0 || memcmp(twice.buf, text, len) == 0);
	}
	strbuf_reset(&twice);
	model_double(text, len, &twice);
	FUZZ_CHECK(model_undouble(twice.buf, twice.len, &back, &dg) == 0);
	FUZZ_CHECK(back.len == len);
	FUZZ_CHECK(len == 0 || memcmp(back.buf, text, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *model cleanup_json = NULL;
	struct diag dg cleanup_diag = DIAG_INIT;

	check_dollars((const char *)data, size);
	if (json_parse((const char *)data, size, "model", &model, &dg) == -1)
		return 0;
	check_expectation(model);
	check_binds(model);
	return 0;
}
