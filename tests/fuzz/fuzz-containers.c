/* SPDX-License-Identifier: MIT */
/* What the engine answers of a container: whole and typed, or refused. */
#include <string.h>

#include "base/diag.h"
#include "base/json.h"
#include "engine/answer.h"
#include "engine/container.h"
#include "fuzz.h"

static void
check_container(const struct container *c)
{
	static const char hex[] = "0123456789abcdef";
	FUZZ_CHECK(strlen(c->id) == 64 && strspn(c->id, hex) == 64);
	FUZZ_CHECK(strncmp(c->image_id, "sha256:", 7) == 0);
	FUZZ_CHECK(strspn(c->image_id + 7, hex) == 64);
	FUZZ_CHECK(strlen(c->image_id) == 7 + 64);
	FUZZ_CHECK(c->pid >= 0);
	FUZZ_CHECK(c->state <= CONTAINER_DEAD);
	const char *const strings[] = { c->name, c->session, c->state_id,
		c->role, c->finished_at, c->started_at, c->error,
		c->working_dir, c->user, c->network_mode, c->inspect };
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		FUZZ_CHECK(strings[i] != NULL);
}

static void
check_same(const struct container *a, const struct container *b)
{
	FUZZ_CHECK(strcmp(a->id, b->id) == 0);
	FUZZ_CHECK(strcmp(a->session, b->session) == 0);
	FUZZ_CHECK(strcmp(a->state_id, b->state_id) == 0);
	FUZZ_CHECK(a->state == b->state && a->pid == b->pid);
	FUZZ_CHECK(a->exit_code == b->exit_code);
	FUZZ_CHECK(strcmp(a->inspect, b->inspect) == 0);
	FUZZ_CHECK(a->env.nr == b->env.nr && a->labels.nr == b->labels.nr);
	FUZZ_CHECK(a->entrypoint.nr == b->entrypoint.nr);
}

static int
parse(const char *text, size_t len, struct container *c, struct diag *dg)
{
	cleanup_json struct json *root = NULL;

	return answer_parse(text, len, "container", &root, dg) == 0
	    ? container_read(root, c, dg)
	    : -1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_container struct container c = { .id = NULL };
	cleanup_container struct container again = { .id = NULL };
	cleanup_diag struct diag dg = DIAG_INIT;

	int rc = parse((const char *)data, size, &c, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_ENGINE);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	check_container(&c);

	/* What was kept as text makes the same container. */
	FUZZ_CHECK(parse(c.inspect, strlen(c.inspect), &again, &dg) == 0);
	check_same(&c, &again);
	return 0;
}
