/* SPDX-License-Identifier: MIT */
/* A session's record: what was read, written and read again is the same. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "session/record.h"

static void
check_string(const char *a, const char *b)
{
	FUZZ_CHECK((a == NULL) == (b == NULL));
	FUZZ_CHECK(a == NULL || strcmp(a, b) == 0);
}

static void
check_same(const struct record *a, const struct record *b)
{
	check_string(a->id, b->id);
	check_string(a->project, b->project);
	check_string(a->agent, b->agent);
	check_string(a->mode, b->mode);
	check_string(a->mode_reason, b->mode_reason);
	check_string(a->kind, b->kind);
	check_string(a->engine_id, b->engine_id);
	check_string(a->engine_data_root, b->engine_data_root);
	check_string(a->engine_socket, b->engine_socket);
	check_string(a->history, b->history);
	check_string(a->plan_digest, b->plan_digest);
	check_string(a->created_at, b->created_at);
	check_string(a->launched_at, b->launched_at);
	check_string(a->starting_at, b->starting_at);
	check_string(a->stopping_at, b->stopping_at);
	check_string(a->ended_at, b->ended_at);
	FUZZ_CHECK(a->ncontainers == b->ncontainers);
	for (size_t i = 0; i < a->ncontainers; i++) {
		check_string(a->containers[i].role, b->containers[i].role);
		check_string(a->containers[i].image, b->containers[i].image);
		check_string(a->containers[i].id, b->containers[i].id);
	}
	FUZZ_CHECK(a->ends_with_client == b->ends_with_client);
}

/* Absent, or a whole id. */
static void
check_id(const char *id)
{
	FUZZ_CHECK(id == NULL ||
	    (strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64));
}

static void
check_required(const struct record *r)
{
	FUZZ_CHECK(r->id != NULL && r->project != NULL && r->agent != NULL);
	FUZZ_CHECK(r->mode != NULL && r->mode_reason != NULL);
	FUZZ_CHECK(r->kind != NULL && r->created_at != NULL);
	/* Nothing is deleted without all three. */
	FUZZ_CHECK(r->engine_id != NULL && r->engine_data_root != NULL &&
	    r->engine_socket != NULL);
	for (size_t i = 0; i < r->ncontainers; i++) {
		const struct record_container *c = &r->containers[i];

		/* No role twice. */
		FUZZ_CHECK(c->role != NULL && record_find(r, c->role) == c);
		check_id(c->id);
	}
}

static void
check_round_trip(const struct record *record)
{
	cleanup_record struct record again = RECORD_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path =
	    xasprintf("%s/fuzz-record.XXXXXX", tmp != NULL ? tmp : "/tmp");

	FUZZ_CHECK(mkdtemp(path) != NULL);
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int written = record_write(fd, record, &dg);
	int back = written == 0 ? record_read(fd, &again, &dg) : -1;
	(void)unlinkat(fd, "session.json", 0);
	FUZZ_CHECK(rmdir(path) == 0);
	FUZZ_CHECK(written == 0 && back == 0);
	check_same(record, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_record struct record record = RECORD_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	int rc = record_parse((const char *)data, size, true, &record, &dg);
	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_DATA && record.id == NULL);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	check_required(&record);
	check_round_trip(&record);
	return 0;
}
