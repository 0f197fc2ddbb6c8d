/* SPDX-License-Identifier: MIT */
/*
 * tarball: ustar headers, a pax one before them for a path that is too long.
 *
 * Not libarchive: what that brings along (an XML parser, Unicode's tables, a
 * C++ runtime) cost each start of drydock more than all its own work.
 */
#include "engine/tarball.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define BLOCK ((size_t)512)
/* A whole stream is a multiple of this. */
#define RECORD (20 * BLOCK)
/* deflateInit2() has this to say that the format is gzip's. */
#define GZIP_WINDOW (15 + 16)

/* POSIX.1-1988; numbers are octal, and end in a blank, a NUL or both. */
struct header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32], gname[32];
	char devmajor[8], devminor[8];
	char prefix[155];
	char rest[12];
};

struct tarball {
	struct strbuf *out; /* borrowed */
	struct strbuf tar;
	bool gzip;
};

struct tarball *
tarball_new(struct strbuf *out, bool gzip)
{
	struct tarball *t = xcalloc(1, sizeof(*t));

	t->out = out;
	t->gzip = gzip;
	strbuf_init(&t->tar);
	return t;
}

static void
pad(struct strbuf *tar, size_t to)
{
	static const char zeros[RECORD];

	strbuf_add(tar, zeros, (to - tar->len % to) % to);
}

static void
set_checksum(struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	(void)snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
}

static void
add_entry(struct tarball *t, const char *path, char type, mode_t mode,
    const void *data, size_t len)
{
	struct header h = {
		.uid = "000000 ",
		.gid = "000000 ",
		.mtime = "00000000000",
		.type = type,
		.magic = "ustar",
		.version = { '0', '0' },
		.devmajor = "000000 ",
		.devminor = "000000 ",
	};

	assert(len <= UINT32_MAX);
	memcpy(h.name, path, strnlen(path, sizeof(h.name)));
	(void)snprintf(h.mode, sizeof(h.mode), "%06o ", mode & 07777U);
	(void)snprintf(h.size, sizeof(h.size), "%011zo", len);
	h.size[sizeof(h.size) - 1] = ' ';
	h.mtime[sizeof(h.mtime) - 1] = ' ';
	set_checksum(&h);
	strbuf_add(&t->tar, &h, sizeof(h));
	strbuf_add(&t->tar, data, len);
	pad(&t->tar, BLOCK);
}

/* The record's length counts its own digits. */
static void
add_path(struct tarball *t, const char *path)
{
	const size_t rest = strlen(" path=\n") + strlen(path);
	cleanup_free char *record = NULL;
	size_t len = rest + 1;

	if (strlen(path) <= sizeof(((struct header *)NULL)->name))
		return;
	do {
		free(record);
		record = xasprintf("%zu path=%s\n", len, path);
		len++;
	} while (strlen(record) != len - 1);
	add_entry(t, "pax", 'x', 0644, record, strlen(record));
}

void
tarball_add_dir(struct tarball *t, const char *path, mode_t mode)
{
	add_path(t, path);
	add_entry(t, path, '5', mode, "", 0);
}

void
tarball_add_file(struct tarball *t, const char *path, mode_t mode,
    const void *data, size_t len)
{
	add_path(t, path);
	add_entry(t, path, '0', mode, data, len);
}

static int
compress_tar(struct tarball *t, struct diag *dg)
{
	z_stream z = { .next_in = (Bytef *)t->tar.buf };
	cleanup_free void *packed = NULL;
	uLong size;
	int rc;

	assert(t->tar.len <= UINT_MAX / 2);
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return diag_set(dg, DIAG_BUG, "zlib does not start");
	size = deflateBound(&z, t->tar.len);
	packed = xmalloc(size);
	z.avail_in = (uInt)t->tar.len;
	z.next_out = packed;
	z.avail_out = (uInt)size;
	rc = deflate(&z, Z_FINISH);
	strbuf_add(t->out, packed, z.total_out);
	(void)deflateEnd(&z);
	if (rc != Z_STREAM_END)
		return diag_set(dg, DIAG_BUG, "zlib does not end");
	return 0;
}

int
tarball_finish(struct tarball *t, struct diag *dg)
{
	int ret = 0;

	/* Two empty blocks end it. */
	for (int i = 0; i < 2; i++) {
		strbuf_addch(&t->tar, '\0');
		pad(&t->tar, BLOCK);
	}
	pad(&t->tar, RECORD);
	if (t->gzip)
		ret = compress_tar(t, dg);
	else
		strbuf_add(t->out, t->tar.buf, t->tar.len);
	strbuf_release(&t->tar);
	free(t);
	return ret;
}
