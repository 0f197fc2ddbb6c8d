/* SPDX-License-Identifier: MIT */
/*
 * Compose's merged model, as it is read into a plan: what is compared later is
 * typed, or the plan is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "engine/engine.h"
#include "fuzz.h"
#include "host/project.h"
#include "plan/model.h"
#include "plan/plan.h"
#include "plan/role.h"

static void
check_mount(const struct plan_mount *m)
{
	FUZZ_CHECK(m->source != NULL && m->target != NULL && m->fd == -1);
	FUZZ_CHECK(m->role != NULL);
	/* drydock makes and gives away nothing but its own. */
	FUZZ_CHECK(!mount_is_made(m) || strncmp(m->source, "/s/", 3) == 0 ||
	    strcmp(m->source, "/h") == 0);
}

static void
check_service(const struct plan_service *s)
{
	FUZZ_CHECK(s->ngroups <= PROC_MAX_GROUPS);
	FUZZ_CHECK(s->user != NULL && s->log_driver != NULL &&
	    s->restart != NULL && s->image != NULL);
	for (size_t i = 0; i < s->nmounts; i++)
		check_mount(&s->mounts[i]);
	for (size_t i = 0; i < s->env.nr; i++)
		FUZZ_CHECK(strchr(s->env.v[i], '=') != NULL);
	if (s->unreadable_key != NULL)
		return;
	FUZZ_CHECK(s->net <= PLAN_NET_HOST);
	FUZZ_CHECK(s->limits.memory == -1 || s->limits.memory > 0);
	FUZZ_CHECK(s->limits.pids == -1 || s->limits.pids > 0);
	FUZZ_CHECK(s->limits.cpu_milli >= -1);
	FUZZ_CHECK(strchr(s->user, ':') != NULL);
	for (size_t i = 0; i < s->ntmpfs; i++)
		FUZZ_CHECK(s->tmpfs[i].target[0] == '/' &&
		    (s->tmpfs[i].size == -1 || s->tmpfs[i].size > 0));
}

static void
check_model(const char *text, size_t len)
{
	static char socket[] = "/e";
	static char path[] = "/p";
	struct engine engine = { .socket = socket };
	struct project project = { .path = path };
	const struct plan_request request = {
		.engine = &engine,
		.project = &project,
		.session_dir = "/s",
		.history_dir = "/h",
	};
	cleanup_plan struct plan plan = PLAN_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool clear = true;

	if (model_read(&request, text, len, "model", &plan, &dg) == -1) {
		FUZZ_CHECK(dg.class == DIAG_DATA);
		return;
	}
	for (size_t i = 0; i < plan.nservices; i++) {
		check_service(&plan.services[i]);
		clear = clear && plan.services[i].unreadable_key == NULL;
	}
	FUZZ_CHECK((model_check_readable(&plan, &dg) == 0) == clear);
}

/* A dollar never comes or goes alone. */
static void
check_dollars(const char *text, size_t len)
{
	cleanup_strbuf struct strbuf single = STRBUF_INIT;
	cleanup_strbuf struct strbuf twice = STRBUF_INIT;
	cleanup_strbuf struct strbuf back = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	int rc = dollars_unescape(text, len, &single, &dg);
	fuzz_outcome(rc, &dg);
	if (rc == 0) {
		dollars_escape(single.buf, single.len, &twice);
		FUZZ_CHECK(twice.len == len);
		FUZZ_CHECK(len == 0 || memcmp(twice.buf, text, len) == 0);
	}
	strbuf_reset(&twice);
	dollars_escape(text, len, &twice);
	FUZZ_CHECK(dollars_unescape(twice.buf, twice.len, &back, &dg) == 0);
	FUZZ_CHECK(back.len == len);
	FUZZ_CHECK(len == 0 || memcmp(back.buf, text, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_dollars((const char *)data, size);
	check_model((const char *)data, size);
	return 0;
}
