/* SPDX-License-Identifier: MIT */
/*
 * A crate with hostile entries: nothing is written beside its directory, and
 * what is unpacked is a tree that a copy can be made of.  The input is one for
 * fuzz_tar().
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-walk.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "deps/crate.h"
#include "deps/patchtree.h"
#include "fuzz.h"

static void
unpack(const char *text, int dir_fd)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf crate = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	fuzz_tar(text, &tar);
	fuzz_gzip(&tar, &crate);
	rc = crate_unpack(crate.buf, crate.len, "a", "1", dir_fd, &dg);
	FUZZ_CHECK(rc == 0 || dg.class == DIAG_DATA);
	fuzz_outcome(rc, &dg);
	if (rc != 0)
		return;
	FUZZ_CHECK(patchtree_read(dir_fd, &tree, &dg) == 0);
	FUZZ_CHECK(tree.nr > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path =
	    xasprintf("%s/fuzz-crate.XXXXXX", tmp != NULL ? tmp : "/tmp");
	cleanup_free char *text = fuzz_text(data, size);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	cleanup_close int dir_fd = -1;

	FUZZ_CHECK(mkdtemp(path) != NULL);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(fs_make_dir(fd, "x", 0755, &dir_fd, &dg) == 0);
	unpack(text, dir_fd);
	FUZZ_CHECK(fs_list_names(fd, "the directory", &names, &dg) == 0);
	FUZZ_CHECK(names.nr == 1);
	FUZZ_CHECK(fs_remove_tree(fd, "x", &dg) == 0);
	FUZZ_CHECK(rmdir(path) == 0);
	return 0;
}
