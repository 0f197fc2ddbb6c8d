/* SPDX-License-Identifier: MIT */
/*
 * A tarball of npm with hostile entries: nothing is written beside its
 * directory, and what is unpacked comes back from the tar that is packed of it.
 * The input is one for fuzz_tar().
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/npmpackage.h"
#include "deps/patchtree.h"
#include "fuzz.h"

#define MAX ((size_t)64 * 1024 * 1024)

/* Makes an empty directory. */
static int
make(int top, const char *name)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd = -1;

	FUZZ_CHECK(fs_make_dir(top, name, 0755, &fd, &dg) == 0);
	return fd;
}

/* Unpacks a tar, and reads the tree. */
static int
unpack(const struct strbuf *tar, int dir_fd, struct patchtree *ret_tree)
{
	cleanup_strbuf struct strbuf tarball = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	fuzz_gzip(tar, &tarball);
	rc = npmpackage_unpack(
	    tarball.buf, tarball.len, "a", "1.0.0", dir_fd, &dg);
	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA);
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return -1;
	FUZZ_CHECK(patchtree_read(dir_fd, ret_tree, &dg) == 0);
	FUZZ_CHECK(ret_tree->nr > 0);
	return 0;
}

/* Packs the tree, and appends the tar. */
static void
pack(int tree_fd, const struct patchtree *tree, int out_fd, struct strbuf *out)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct digest_stream *stream = digest_begin(DIGEST_SHA512);
	struct digest integrity;
	struct digest want;

	FUZZ_CHECK(npmpackage_pack(
		       tree_fd, tree, tree_fd, out_fd, &integrity, &dg) == 0);
	FUZZ_CHECK(fs_read_file(out_fd, NPMPACKAGE_FILE, MAX, out, &dg) == 0);
	digest_add(stream, out->buf, out->len);
	digest_end(stream, &want);
	FUZZ_CHECK(digest_equal(&integrity, &want));
}

static void
check(const char *text, int top)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_patchtree struct patchtree again = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf packed = STRBUF_INIT;
	cleanup_strbuf struct strbuf packed_again = STRBUF_INIT;
	cleanup_close int a = make(top, "a");
	cleanup_close int a_out = make(top, "a-out");
	cleanup_close int b = make(top, "b");
	cleanup_close int b_out = make(top, "b-out");
	struct digest first;
	struct digest second;

	fuzz_tar(text, &tar);
	if (unpack(&tar, a, &tree) != 0)
		return;
	pack(a, &tree, a_out, &packed);
	FUZZ_CHECK(unpack(&packed, b, &again) == 0);
	patchtree_digest(&tree, &first);
	patchtree_digest(&again, &second);
	FUZZ_CHECK(digest_equal(&first, &second));
	/* The modes came back as well. */
	pack(b, &again, b_out, &packed_again);
	FUZZ_CHECK(packed.len == packed_again.len);
	FUZZ_CHECK(memcmp(packed.buf, packed_again.buf, packed.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path =
	    xasprintf("%s/fuzz-npmpackage.XXXXXX", tmp != NULL ? tmp : "/tmp");
	cleanup_free char *text = fuzz_text(data, size);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	FUZZ_CHECK(mkdtemp(path) != NULL);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	check(text, fd);
	FUZZ_CHECK(fs_list_names(fd, "the directory", &names, &dg) == 0);
	FUZZ_CHECK(names.nr == 4);
	for (size_t i = 0; i < names.nr; i++)
		FUZZ_CHECK(fs_remove_tree(fd, names.v[i], &dg) == 0);
	FUZZ_CHECK(rmdir(path) == 0);
	return 0;
}
