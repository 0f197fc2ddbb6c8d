/* SPDX-License-Identifier: MIT */
/*
 * Digests by nettle, which uses the processor's instructions for SHA.  libarchive
 * links nettle as well.
 */
#include "base/digest.h"

#include <assert.h>
#include <errno.h>
#include <nettle/base16.h>
#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define READ_SIZE ((size_t)65536)

struct digest_stream {
	enum digest_kind kind;
	union {
		struct sha256_ctx sha256;
		struct sha512_ctx sha512;
	} ctx;
};

size_t
digest_size(enum digest_kind kind)
{
	if (kind == DIGEST_SHA256)
		return SHA256_DIGEST_SIZE;
	return kind == DIGEST_SHA512 ? SHA512_DIGEST_SIZE : 0;
}

struct digest_stream *
digest_begin(enum digest_kind kind)
{
	struct digest_stream *s = xcalloc(1, sizeof(*s));

	assert(kind != DIGEST_NONE);
	s->kind = kind;
	if (kind == DIGEST_SHA256)
		sha256_init(&s->ctx.sha256);
	else
		sha512_init(&s->ctx.sha512);
	return s;
}

void
digest_add(struct digest_stream *s, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (s->kind == DIGEST_SHA256)
		sha256_update(&s->ctx.sha256, len, data);
	else
		sha512_update(&s->ctx.sha512, len, data);
}

void
digest_end(struct digest_stream *s, struct digest *ret_digest)
{
	memset(ret_digest, 0, sizeof(*ret_digest));
	ret_digest->kind = s->kind;
	if (s->kind == DIGEST_SHA256)
		sha256_digest(
		    &s->ctx.sha256, SHA256_DIGEST_SIZE, ret_digest->bytes);
	else
		sha512_digest(
		    &s->ctx.sha512, SHA512_DIGEST_SIZE, ret_digest->bytes);
	free(s);
}

void
digest_of(enum digest_kind kind, const void *data, size_t len,
    struct digest *ret_digest)
{
	struct digest_stream *s = digest_begin(kind);

	digest_add(s, data, len);
	digest_end(s, ret_digest);
}

void
digest_bytes(const void *data, size_t len, char ret_hex[DIGEST_HEX_SIZE])
{
	struct sha256_ctx ctx;
	uint8_t bytes[SHA256_DIGEST_SIZE];

	sha256_init(&ctx);
	if (len > 0)
		sha256_update(&ctx, len, data);
	sha256_digest(&ctx, sizeof(bytes), bytes);
	base16_encode_update(ret_hex, sizeof(bytes), bytes);
	ret_hex[DIGEST_HEX_SIZE - 1] = '\0';
}

int
digest_file(
    int fd, off_t size, enum digest_kind kind, struct digest *ret_digest)
{
	cleanup_free char *buf = xmalloc(READ_SIZE);
	struct digest_stream *s = digest_begin(kind);
	struct digest found;
	int errnum = 0;

	for (off_t at = 0; at < size && errnum == 0;) {
		off_t left = size - at;
		ssize_t n = pread(fd, buf,
		    left < (off_t)READ_SIZE ? (size_t)left : READ_SIZE, at);

		if (n > 0) {
			digest_add(s, buf, (size_t)n);
			at += n;
		} else if (n == 0) {
			errnum = ENODATA;
		} else if (errno != EINTR) {
			errnum = errno;
		}
	}
	digest_end(s, &found);
	if (errnum != 0) {
		errno = errnum;
		return -1;
	}
	*ret_digest = found;
	return 0;
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
	return a->kind == b->kind && a->kind != DIGEST_NONE &&
	    memcmp(a->bytes, b->bytes, digest_size(a->kind)) == 0;
}

bool
digest_parse_hex(enum digest_kind kind, const char *text, size_t len,
    struct digest *ret_digest)
{
	struct base16_decode_ctx ctx;
	struct digest d = { .kind = kind };
	size_t size = sizeof(d.bytes);

	/* nettle also accepts blanks and upper case. */
	if (len != 2 * digest_size(kind))
		return false;
	for (size_t i = 0; i < len; i++)
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a set */
		if (memchr("0123456789abcdef", text[i], 16) == NULL)
			return false;
	base16_decode_init(&ctx);
	if (!base16_decode_update(&ctx, &size, d.bytes, len, text) ||
	    !base16_decode_final(&ctx))
		return false;
	*ret_digest = d;
	return true;
}

bool
digest_parse_base64(enum digest_kind kind, const char *text, size_t len,
    struct digest *ret_digest)
{
	struct base64_decode_ctx ctx;
	struct digest d = { .kind = kind };
	/* nettle may write a byte more than it decodes. */
	uint8_t bytes[DIGEST_MAX + 3];
	size_t size = sizeof(bytes);

	/* nettle also accepts blanks. */
	if (len != BASE64_ENCODE_RAW_LENGTH(digest_size(kind)))
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ')
			return false;
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &size, bytes, len, text) ||
	    !base64_decode_final(&ctx) || size != digest_size(kind))
		return false;
	memcpy(d.bytes, bytes, size);
	*ret_digest = d;
	return true;
}

void
digest_add_hex(struct strbuf *out, const struct digest *d)
{
	char hex[2 * DIGEST_MAX];
	size_t size = digest_size(d->kind);

	base16_encode_update(hex, size, d->bytes);
	strbuf_add(out, hex, 2 * size);
}

void
digest_add_base64(struct strbuf *out, const struct digest *d)
{
	char text[BASE64_ENCODE_RAW_LENGTH(DIGEST_MAX)];
	size_t size = digest_size(d->kind);

	base64_encode_raw(text, size, d->bytes);
	strbuf_add(out, text, BASE64_ENCODE_RAW_LENGTH(size));
}
