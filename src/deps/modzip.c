/* SPDX-License-Identifier: MIT */
/* Reads a zip (APPNOTE.TXT 4.3) from its end, and hashes what it unpacks to. */
#include "deps/modzip.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define END_SIZE ((size_t)22)
#define CENTRAL_SIZE ((size_t)46)
#define LOCAL_SIZE ((size_t)30)
#define MAX_DIRECTORY ((size_t)16 * 1024 * 1024)
#define CHUNK ((size_t)65536)

enum {
	METHOD_STORED = 0,
	METHOD_DEFLATED = 8,
	FLAG_ENCRYPTED = 1,
	ZIP64_COUNT = 0xffff,
};

#define ZIP64_SIZE UINT32_C(0xffffffff)
#define END_MAGIC UINT32_C(0x06054b50)
#define CENTRAL_MAGIC UINT32_C(0x02014b50)
#define LOCAL_MAGIC UINT32_C(0x04034b50)

struct entry {
	const unsigned char *name; /* borrowed from the directory */
	size_t name_len;
	unsigned int method;
	uint32_t crc;
	uint32_t packed;
	uint32_t size;
	uint32_t at; /* of the local header */
};

struct modzip {
	int fd;
	uint32_t directory_at;
	struct entry *entries; /* owned */
	size_t nr;
	unsigned char *in; /* owned; CHUNK bytes */
	unsigned char *out; /* owned; CHUNK bytes */
	struct diag *dg;
};

static unsigned int
u16(const unsigned char *p)
{
	return (unsigned int)p[0] | (unsigned int)p[1] << 8;
}

static uint32_t
u32(const unsigned char *p)
{
	return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

static int
refuse(const struct modzip *z, const char *why)
{
	return diag_set(z->dg, DIAG_DATA, "not a module's zip: %s", why);
}

static int
read_at(const struct modzip *z, void *data, size_t len, off_t at)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = pread(z->fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set_errno(
			    z->dg, DIAG_IO, errno, "read a zip");
		if (n == 0)
			return refuse(z, "it is truncated");
		p += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

/* Returns the bytes of the directory record at p, or 0 if it is malformed. */
static size_t
read_entry(const struct modzip *z, const unsigned char *p, size_t left,
    struct entry *e)
{
	size_t len;

	if (left < CENTRAL_SIZE || u32(p) != CENTRAL_MAGIC)
		return 0;
	e->name = p + CENTRAL_SIZE;
	e->name_len = u16(p + 28);
	e->method = u16(p + 10);
	e->crc = u32(p + 16);
	e->packed = u32(p + 20);
	e->size = u32(p + 24);
	e->at = u32(p + 42);
	len = CENTRAL_SIZE + e->name_len + u16(p + 30) + u16(p + 32);
	if (len > left || e->name_len == 0 || e->name[e->name_len - 1] == '/' ||
	    memchr(e->name, '\n', e->name_len) != NULL)
		return 0;
	if ((u16(p + 8) & FLAG_ENCRYPTED) != 0 ||
	    (e->method != METHOD_STORED && e->method != METHOD_DEFLATED) ||
	    (e->method == METHOD_STORED && e->packed != e->size))
		return 0;
	if (e->packed == ZIP64_SIZE || e->size == ZIP64_SIZE ||
	    e->at >= z->directory_at)
		return 0;
	return len;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int rc = memcmp(x->name, y->name, len);

	if (rc != 0)
		return rc;
	return (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* Fills z->entries from the directory's len bytes, sorted by name. */
static int
read_entries(struct modzip *z, const unsigned char *p, size_t len, size_t nr)
{
	int64_t unpacked = 0;

	z->entries = xcalloc(nr + 1, sizeof(*z->entries));
	for (z->nr = 0; z->nr < nr; z->nr++) {
		struct entry *e = &z->entries[z->nr];
		size_t n = read_entry(z, p, len, e);

		if (n == 0)
			return refuse(z, "an entry that Go does not write");
		p += n;
		len -= n;
		unpacked += e->size;
	}
	if (len != 0)
		return refuse(z, "its directory has another size");
	if (unpacked > MODZIP_MAX_UNPACKED)
		return refuse(z, "it unpacks to more than 512 MiB");
	qsort(z->entries, z->nr, sizeof(*z->entries), compare);
	for (size_t i = 1; i < z->nr; i++)
		if (compare(&z->entries[i - 1], &z->entries[i]) == 0)
			return refuse(z, "a name occurs twice");
	return 0;
}

/*
 * Inflates or copies the packed bytes at at, and gives the result to s.  *ret_crc
 * gets its CRC.
 */
static int
unpack(struct modzip *z, const struct entry *e, off_t at,
    struct digest_stream *s, uLong *ret_crc)
{
	z_stream stream = { .next_in = NULL };
	uint32_t left = e->packed;
	uint32_t wanted = e->size;
	int rc = Z_OK;

	*ret_crc = crc32(0, NULL, 0);
	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return refuse(z, "no memory");
	while (rc == Z_OK) {
		size_t n = 0;

		if (stream.avail_in == 0 && left > 0) {
			n = left < CHUNK ? left : CHUNK;
			if (read_at(z, z->in, n, at) != 0)
				break;
			at += (off_t)n;
			left -= (uint32_t)n;
			stream.next_in = z->in;
			stream.avail_in = (uInt)n;
		}
		stream.next_out = z->out;
		stream.avail_out = CHUNK;
		rc = inflate(&stream, Z_NO_FLUSH);
		n = CHUNK - stream.avail_out;
		if (n > wanted)
			rc = Z_DATA_ERROR;
		if (rc != Z_OK && rc != Z_STREAM_END)
			break;
		wanted -= (uint32_t)n;
		digest_add(s, z->out, n);
		*ret_crc = crc32(*ret_crc, z->out, (uInt)n);
	}
	(void)inflateEnd(&stream);
	if (z->dg->class != DIAG_NONE)
		return -1;
	return rc == Z_STREAM_END && wanted == 0
	    ? 0
	    : refuse(z, "a file that cannot be unpacked");
}

static int
copy_stored(struct modzip *z, const struct entry *e, off_t at,
    struct digest_stream *s, uLong *ret_crc)
{
	*ret_crc = crc32(0, NULL, 0);
	for (uint32_t left = e->size; left > 0;) {
		size_t n = left < CHUNK ? left : CHUNK;

		if (read_at(z, z->in, n, at) != 0)
			return -1;
		digest_add(s, z->in, n);
		*ret_crc = crc32(*ret_crc, z->in, (uInt)n);
		at += (off_t)n;
		left -= (uint32_t)n;
	}
	return 0;
}

static void
add_line(struct digest_stream *list, const struct digest *d, const void *name,
    size_t name_len)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	digest_add_hex(&line, d);
	strbuf_addstr(&line, "  ");
	strbuf_add(&line, name, name_len);
	strbuf_addch(&line, '\n');
	digest_add(list, line.buf, line.len);
}

static int
hash_entry(struct modzip *z, const struct entry *e, struct digest_stream *list)
{
	unsigned char local[LOCAL_SIZE];
	struct digest_stream *s;
	struct digest d;
	uLong crc;
	off_t at;
	int rc;

	if (read_at(z, local, sizeof(local), e->at) != 0)
		return -1;
	at = (off_t)e->at + (off_t)LOCAL_SIZE + (off_t)u16(local + 26) +
	    (off_t)u16(local + 28);
	if (u32(local) != LOCAL_MAGIC || at + e->packed > z->directory_at)
		return refuse(z, "a file is not where the directory says");
	s = digest_begin(DIGEST_SHA256);
	rc = e->method == METHOD_STORED ? copy_stored(z, e, at, s, &crc)
					: unpack(z, e, at, s, &crc);
	digest_end(s, &d);
	if (rc != 0)
		return -1;
	if (crc != e->crc)
		return refuse(z, "a file has another CRC");
	add_line(list, &d, e->name, e->name_len);
	return 0;
}

/*
 * Go looks for a ZIP64 directory also if the directory has 0xffff bytes
 * (archive/zip, readDirectoryEnd()).
 */
static int
read_zip(struct modzip *z, off_t size, unsigned char **ret_directory)
{
	unsigned char end[END_SIZE];
	size_t len;

	if (size < (off_t)END_SIZE || size > MODZIP_MAX_SIZE)
		return refuse(z, "it is empty or larger than 512 MiB");
	if (read_at(z, end, END_SIZE, size - (off_t)END_SIZE) != 0)
		return -1;
	len = u32(end + 12);
	z->directory_at = u32(end + 16);
	if (u32(end) != END_MAGIC || u16(end + 20) != 0 || u32(end + 4) != 0 ||
	    u16(end + 8) != u16(end + 10) || u16(end + 8) == ZIP64_COUNT ||
	    len == ZIP64_COUNT ||
	    (off_t)z->directory_at + (off_t)len != size - (off_t)END_SIZE)
		return refuse(z, "no directory at its end");
	if (len > MAX_DIRECTORY)
		return refuse(z, "a directory of more than 16 MiB");
	*ret_directory = xmalloc(len + 1);
	if (read_at(z, *ret_directory, len, z->directory_at) != 0)
		return -1;
	return read_entries(z, *ret_directory, len, u16(end + 8));
}

int
modzip_h1(int fd, off_t size, struct digest *ret_h1, struct diag *dg)
{
	struct modzip z = { .fd = fd, .dg = dg };
	struct digest_stream *list = digest_begin(DIGEST_SHA256);
	cleanup_free unsigned char *directory = NULL;
	int rc = read_zip(&z, size, &directory);
	struct digest found;

	z.in = xmalloc(CHUNK);
	z.out = xmalloc(CHUNK);
	for (size_t i = 0; i < z.nr && rc == 0; i++)
		rc = hash_entry(&z, &z.entries[i], list);
	digest_end(list, &found);
	if (rc == 0)
		*ret_h1 = found;
	free(z.entries);
	free(z.in);
	free(z.out);
	return rc;
}

int
modzip_mod_h1(int fd, off_t size, struct digest *ret_h1, struct diag *dg)
{
	static const char name[] = "go.mod";
	struct digest_stream *list;
	struct digest d;

	if (digest_file(fd, size, DIGEST_SHA256, &d) != 0)
		return diag_set_errno(dg, DIAG_IO, errno, "read a go.mod");
	list = digest_begin(DIGEST_SHA256);
	add_line(list, &d, name, strlen(name));
	digest_end(list, ret_h1);
	return 0;
}
