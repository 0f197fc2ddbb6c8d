/* SPDX-License-Identifier: MIT */
/* Writes tar headers (POSIX ustar, and what GNU and pax add) and gzip. */
#include "tar-kit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"

#define BLOCK 512

enum {
	AT_MODE = 100,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_SUM = 148,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_OWNER = 265,
};

static void
put(unsigned char *header, size_t at, const char *text, size_t max)
{
	size_t len = strlen(text);

	memcpy(header + at, text, len < max ? len : max);
}

void
tar_add(struct strbuf *tar, const struct tar_entry *e)
{
	static const char zeros[BLOCK];
	unsigned char header[BLOCK] = { 0 };
	const char *data = e->data != NULL ? e->data : "";
	size_t len = e->len > 0 ? e->len : strlen(data);
	unsigned int sum = 0;
	char text[16];

	put(header, 0, e->name, 100);
	put(header, AT_MODE, e->mode != NULL ? e->mode : "0000644", 8);
	(void)snprintf(
	    text, sizeof(text), "%011zo", e->size > 0 ? e->size : len);
	put(header, AT_SIZE, text, 12);
	put(header, AT_MTIME, "00000000001", 12);
	header[AT_TYPE] = (unsigned char)e->type;
	if (e->link != NULL)
		put(header, AT_LINK, e->link, 100);
	if (e->owner != NULL)
		put(header, AT_OWNER, e->owner, 32);
	if (e->type == TAR_LONG_NAME || e->type == TAR_SPARSE)
		memcpy(header + AT_MAGIC, "ustar  ", 8);
	else
		memcpy(header + AT_MAGIC, "ustar\00000", 8);
	memset(header + AT_SUM, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += header[i];
	(void)snprintf(text, sizeof(text), "%06o", sum);
	memcpy(header + AT_SUM, text, 7);
	strbuf_add(tar, header, BLOCK);
	strbuf_add(tar, data, len);
	strbuf_add(tar, zeros, (BLOCK - len % BLOCK) % BLOCK);
}

void
tar_add_file(struct strbuf *tar, const char *name, const char *text)
{
	tar_add(tar,
	    &(struct tar_entry){
		.name = name, .type = TAR_FILE, .data = text });
}

void
tar_add_long(struct strbuf *tar, const char *name, const char *text)
{
	tar_add(tar,
	    &(struct tar_entry){ .name = "././@LongLink",
		.type = TAR_LONG_NAME,
		.data = name,
		.len = strlen(name) + 1 });
	tar_add_file(tar, name, text);
}

void
pax_add(struct strbuf *records, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3;
	size_t len = rest + 1;

	/* The length counts its own digits. */
	while ((size_t)snprintf(NULL, 0, "%zu", len) + rest != len)
		len++;
	strbuf_addf(records, "%zu %s=%s\n", len, key, value);
}

void
tar_add_pax(struct strbuf *tar, char type, const char *records)
{
	tar_add(tar,
	    &(struct tar_entry){
		.name = "pax", .type = type, .data = records });
}

void
tar_end(struct strbuf *tar)
{
	static const char zeros[2 * BLOCK];

	strbuf_add(tar, zeros, sizeof(zeros));
}

void
gzip_add(struct strbuf *out, const void *data, size_t len)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)data,
		.avail_in = (uInt)len };
	cleanup_free unsigned char *buf = NULL;
	size_t size;

	CHECK_INT(deflateInit2(
		      &z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
	    Z_OK);
	size = deflateBound(&z, len);
	buf = xmalloc(size);
	z.next_out = buf;
	z.avail_out = (uInt)size;
	CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
	strbuf_add(out, buf, z.total_out);
	(void)deflateEnd(&z);
}
