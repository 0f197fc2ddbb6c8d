/* SPDX-License-Identifier: MIT */
/* Writes zips by hand, so that a test can have them wrong. */
#include "zip-kit.h"

#include <stdint.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/strbuf.h"
#include "check.h"

static void
add16(struct strbuf *out, size_t value)
{
	strbuf_addch(out, (char)(value & 0xff));
	strbuf_addch(out, (char)(value >> 8 & 0xff));
}

static void
add32(struct strbuf *out, size_t value)
{
	add16(out, value & 0xffff);
	add16(out, value >> 16);
}

static void
pack(struct strbuf *out, const struct zip_file *f)
{
	unsigned char packed[4096];
	z_stream z = { .next_in = NULL };

	if (!f->deflated) {
		strbuf_addstr(out, f->text);
		return;
	}
	CHECK_INT(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, 0), Z_OK);
	z.next_in = (const unsigned char *)f->text;
	z.avail_in = (uInt)strlen(f->text);
	z.next_out = packed;
	z.avail_out = sizeof(packed);
	CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
	strbuf_add(out, packed, sizeof(packed) - z.avail_out);
	(void)deflateEnd(&z);
}

/* What both headers of a file share: flags to the length of the name. */
static void
add_fields(struct strbuf *out, const struct zip_file *f, size_t packed)
{
	const unsigned char *text = (const unsigned char *)f->text;

	add16(out, 0);
	add16(out, f->deflated ? 8 : 0);
	add32(out, 0);
	add32(out, crc32(crc32(0, NULL, 0), text, (uInt)strlen(f->text)));
	add32(out, packed);
	add32(out, strlen(f->text));
	add16(out, strlen(f->name));
	add16(out, 0);
}

void
zip_make(struct strbuf *out, const struct zip_file *files, size_t n,
    const char *front, const char *comment)
{
	cleanup_strbuf struct strbuf directory = STRBUF_INIT;
	size_t at;

	strbuf_addstr(out, front);
	for (size_t i = 0; i < n; i++) {
		cleanup_strbuf struct strbuf body = STRBUF_INIT;
		const struct zip_file *f = &files[i];

		pack(&body, f);
		add32(&directory, 0x02014b50);
		add32(&directory, 20);
		add_fields(&directory, f, body.len);
		add16(&directory, 0);
		add32(&directory, 0);
		add32(&directory, 0);
		add32(&directory, out->len - strlen(front));
		strbuf_addstr(&directory, f->name);
		add32(out, 0x04034b50);
		add16(out, 20);
		add_fields(out, f, body.len);
		strbuf_addstr(
		    out, f->local_name != NULL ? f->local_name : f->name);
		strbuf_add(out, body.buf, body.len);
	}
	at = out->len - strlen(front);
	strbuf_add(out, directory.buf, directory.len);
	add32(out, 0x06054b50);
	add32(out, 0);
	add16(out, n);
	add16(out, n);
	add32(out, directory.len);
	add32(out, at);
	add16(out, strlen(comment));
	strbuf_addstr(out, comment);
}

void
zip_h1(const struct zip_file *files, size_t n, struct digest *ret_h1)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	char hex[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < n; i++) {
		digest_bytes(files[i].text, strlen(files[i].text), hex);
		strbuf_addf(&list, "%s  %s\n", hex, files[i].name);
	}
	digest_bytes(list.buf, list.len, hex);
	CHECK(
	    digest_parse_hex(DIGEST_SHA256, hex, DIGEST_HEX_SIZE - 1, ret_h1));
}
