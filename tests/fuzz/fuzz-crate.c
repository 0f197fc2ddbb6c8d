/* SPDX-License-Identifier: MIT */
/*
 * A crate with hostile entries: nothing is written beside its directory, and
 * what is unpacked is a tree that a copy can be made of.  The input has a line
 * for each entry, "TYPE NAME|LINK|DATA"; '^' in DATA is a line end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

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

#define BLOCK 512 /* bytes; of a tar (POSIX ustar) */

static const char zeros[2 * BLOCK];

static size_t
shorter(size_t len, size_t max)
{
	return len < max ? len : max;
}

/* Appends the entry of a line. */
static void
add_entry(struct strbuf *tar, const char *line)
{
	unsigned char header[BLOCK] = { 0 };
	const char *name = line[1] != '\0' ? line + 2 : line + 1;
	size_t name_len = strcspn(name, "|");
	const char *link = name[name_len] != '\0' ? name + name_len + 1 : "";
	size_t link_len = strcspn(link, "|");
	const char *data = link[link_len] != '\0' ? link + link_len + 1 : "";
	size_t len = strlen(data);
	unsigned int sum = 0;

	memcpy(header, name, shorter(name_len, 100));
	memcpy(header + 100, "0000644", 8);
	(void)snprintf((char *)header + 124, 12, "%011o", (unsigned int)len);
	memcpy(header + 136, "00000000001", 12);
	memset(header + 148, ' ', 8);
	header[156] = (unsigned char)line[0];
	memcpy(header + 157, link, shorter(link_len, 100));
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += header[i];
	(void)snprintf((char *)header + 148, 8, "%06o", sum);
	strbuf_add(tar, header, BLOCK);
	for (size_t i = 0; i < len; i++)
		strbuf_addch(tar, data[i] == '^' ? '\n' : data[i]);
	strbuf_add(tar, zeros, (BLOCK - len % BLOCK) % BLOCK);
}

static void
make_crate(const char *text, struct strbuf *out)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	cleanup_free unsigned char *packed = NULL;
	z_stream z = { .next_in = NULL };
	size_t max;

	strvec_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.nr; i++)
		if (lines.v[i][0] != '\0')
			add_entry(&tar, lines.v[i]);
	strbuf_add(&tar, zeros, sizeof(zeros));
	FUZZ_CHECK(deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8,
		       Z_DEFAULT_STRATEGY) == Z_OK);
	max = deflateBound(&z, tar.len);
	packed = xmalloc(max);
	z.next_in = (unsigned char *)tar.buf;
	z.avail_in = (uInt)tar.len;
	z.next_out = packed;
	z.avail_out = (uInt)max;
	FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	strbuf_add(out, packed, z.total_out);
	FUZZ_CHECK(deflateEnd(&z) == Z_OK);
}

static void
unpack(const char *text, int dir_fd)
{
	cleanup_patchtree struct patchtree tree = PATCHTREE_INIT;
	cleanup_strbuf struct strbuf crate = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	int rc;

	make_crate(text, &crate);
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
