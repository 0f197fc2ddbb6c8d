/* SPDX-License-Identifier: MIT */
/* The record of images: what is read is whole, and adding to it loses none. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/xalloc.h"
#include "engine/built.h"
#include "engine/engine.h"
#include "fuzz.h"
#include "host/paths.h"

#define NEW_IMAGE                                 \
	"sha256:ffffffffffffffffffffffffffffffff" \
	"ffffffffffffffffffffffffffffffff"

static void
check_entry(const struct built *b)
{
	bool agent = strcmp(b->kind, "agent") == 0;

	FUZZ_CHECK(agent || strcmp(b->kind, "egress") == 0 ||
	    strcmp(b->kind, BUILT_BASE) == 0);
	/* It becomes an argument of the engine's client. */
	FUZZ_CHECK(strncmp(b->image, "sha256:", 7) == 0);
	FUZZ_CHECK(strlen(b->image) == 7 + 64);
	FUZZ_CHECK(strspn(b->image + 7, "0123456789abcdef") == 64);
	FUZZ_CHECK(*b->context != '\0' && *b->built_at != '\0');
	FUZZ_CHECK(*b->engine_id != '\0' && *b->engine_data_root != '\0');
	FUZZ_CHECK((b->user != NULL) == agent && (b->home != NULL) == agent);
	FUZZ_CHECK(b->uid != (uid_t)-1 && b->gid != (gid_t)-1);
	FUZZ_CHECK(b->seconds >= 0 && b->size >= 0);
}

static void
check_same(const struct built *a, const struct built *b)
{
	FUZZ_CHECK(strcmp(a->kind, b->kind) == 0);
	FUZZ_CHECK(strcmp(a->image, b->image) == 0);
	FUZZ_CHECK(strcmp(a->context, b->context) == 0);
	FUZZ_CHECK(strcmp(a->engine_id, b->engine_id) == 0);
	FUZZ_CHECK(strcmp(a->engine_data_root, b->engine_data_root) == 0);
	FUZZ_CHECK(a->uid == b->uid && a->gid == b->gid);
	FUZZ_CHECK(a->seconds == b->seconds && a->size == b->size);
	FUZZ_CHECK(a->user == NULL || strcmp(a->user, b->user) == 0);
	FUZZ_CHECK(a->home == NULL || strcmp(a->home, b->home) == 0);
}

/* An engine that no input names has no entry that this one would replace. */
static void
check_adding(const uint8_t *data, size_t size, const struct built_list *list)
{
	cleanup_built_list struct built_list again = BUILT_LIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_paths struct paths paths;
	char id[] = "of-the-fuzzer";
	char root[] = "/of-the-fuzzer";
	struct engine engine = { .id = id, .data_root = root };
	const struct built_facts no_facts = { .base = NULL };
	const struct built_key key = { .kind = "egress", .context = "c" };
	const char *tmp = getenv("TMPDIR");
	int added;
	int back;

	paths_init(&paths);
	paths.state_dir =
	    xasprintf("%s/fuzz-built.XXXXXX", tmp != NULL ? tmp : "/tmp");
	FUZZ_CHECK(mkdtemp(paths.state_dir) != NULL);
	FUZZ_CHECK(fs_open_dir(paths.state_dir, &paths.state_fd, &dg) == 0);
	FUZZ_CHECK(fs_replace_file(
		       paths.state_fd, BUILT_FILE, data, size, 0600, &dg) == 0);
	added = built_add(&paths, &engine, &key, &no_facts, NEW_IMAGE, &dg);
	back = added == 0 ? built_read(&paths, &again, &dg) : -1;
	(void)unlinkat(paths.state_fd, BUILT_FILE, 0);
	FUZZ_CHECK(rmdir(paths.state_dir) == 0);
	FUZZ_CHECK(added == 0 && back == 0);
	FUZZ_CHECK(built_find(&again, &engine, NEW_IMAGE) != NULL);
	FUZZ_CHECK(again.nr == list->nr + 1);
	for (size_t i = 0; i < list->nr; i++)
		check_same(&list->v[i], &again.v[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_built_list struct built_list list = BUILT_LIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc = built_parse((const char *)data, size, &list, &dg);

	if (rc == -1)
		FUZZ_CHECK(dg.class == DIAG_DATA && list.nr == 0);
	fuzz_outcome(rc, &dg);
	if (rc == -1)
		return 0;
	FUZZ_CHECK(list.nr <= 512);
	for (size_t i = 0; i < list.nr; i++)
		check_entry(&list.v[i]);
	if (list.nr < 512 && memmem(data, size, "of-the-fuzzer", 13) == NULL)
		check_adding(data, size, &list);
	return 0;
}
