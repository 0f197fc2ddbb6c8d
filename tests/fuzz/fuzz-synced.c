/* SPDX-License-Identifier: MIT */
/*
 * What the last sync was made from: read, written and read again the same, or
 * taken for not there.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "sync/manifest.h"

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void
check_same(const struct manifest *a, const struct manifest *b)
{
	FUZZ_CHECK(strcmp(a->rules, b->rules) == 0);
	FUZZ_CHECK(same_time(a->scan.start, b->scan.start));
	FUZZ_CHECK(a->scan.nr == b->scan.nr);
	for (size_t i = 0; i < a->scan.nr; i++) {
		const struct scan_entry *x = &a->scan.v[i];
		const struct scan_entry *y = &b->scan.v[i];
		FUZZ_CHECK(x->path[0] != '\0');
		FUZZ_CHECK(strcmp(x->path, y->path) == 0);
		FUZZ_CHECK(x->kind == y->kind && x->why == y->why);
		FUZZ_CHECK(x->why < SCAN_NWHYS);
		FUZZ_CHECK(x->mode == y->mode && x->size == y->size);
		FUZZ_CHECK(x->ino == y->ino);
		FUZZ_CHECK(same_time(x->mtime, y->mtime));
		FUZZ_CHECK(same_time(x->ctime, y->ctime));
	}
}

static void
read_and_write(int fd, const uint8_t *data, size_t size)
{
	cleanup_manifest struct manifest first = MANIFEST_INIT;
	cleanup_manifest struct manifest second = MANIFEST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	struct stat st;
	bool there = false;

	FUZZ_CHECK(fs_replace_file(fd, "manifest", data, size, 0600, &dg) == 0);
	FUZZ_CHECK(manifest_read(fd, &first, &there, &dg) == 0);
	if (!there) {
		FUZZ_CHECK(first.scan.nr == 0);
		return;
	}
	FUZZ_CHECK(strlen(first.rules) == DIGEST_HEX_SIZE - 1);
	FUZZ_CHECK(fstat(fd, &st) == 0);
	FUZZ_CHECK(manifest_write(fd, first.rules, &st, &first.scan, &dg) == 0);
	FUZZ_CHECK(manifest_read(fd, &second, &there, &dg) == 0 && there);
	FUZZ_CHECK(manifest_is_of(&second, &st));
	check_same(&first, &second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path =
	    xasprintf("%s/fuzz-synced.XXXXXX", tmp != NULL ? tmp : "/tmp");

	FUZZ_CHECK(mkdtemp(path) != NULL);
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	read_and_write(fd, data, size);
	(void)unlinkat(fd, "manifest", 0);
	FUZZ_CHECK(rmdir(path) == 0);
	return 0;
}
