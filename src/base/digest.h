/* SPDX-License-Identifier: MIT */
/*
 * digest: SHA-256 and SHA-512 (FIPS 180-4), of bytes, of streams and of files.
 */
#ifndef DRYDOCK_DIGEST_H
#define DRYDOCK_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct digest_stream;
struct strbuf;

#define DIGEST_HEX_SIZE 65 /* of SHA-256, with the terminator */
#define DIGEST_MAX 64 /* bytes of the longest digest */

enum digest_kind {
	DIGEST_NONE,
	DIGEST_SHA256,
	DIGEST_SHA512,
};

struct digest {
	enum digest_kind kind;
	unsigned char bytes[DIGEST_MAX]; /* digest_size(kind) are used */
};

/* SHA-256 as 64 lower-case hex digits. */
void digest_bytes(const void *data, size_t len, char ret_hex[DIGEST_HEX_SIZE]);

/* A stream of bytes.  digest_end() frees it (given). */
struct digest_stream *digest_begin(enum digest_kind kind);
void digest_add(struct digest_stream *s, const void *data, size_t len);
void digest_end(struct digest_stream *s, struct digest *ret_digest);
/* The same for bytes that are all there. */
void digest_of(enum digest_kind kind, const void *data, size_t len,
    struct digest *ret_digest);

/*
 * The digest of a file's first size bytes; the file's offset is neither used
 * nor changed.  Returns -1 with errno; ENODATA if the file is shorter.
 */
int digest_file(
    int fd, off_t size, enum digest_kind kind, struct digest *ret_digest);

size_t digest_size(enum digest_kind kind); /* in bytes */
bool digest_equal(const struct digest *a, const struct digest *b);

/*
 * Reads exactly len characters, without blanks: lower-case hex digits, or
 * base64 with its padding (RFC 4648).  Returns false for any other text.
 */
bool digest_parse_hex(enum digest_kind kind, const char *text, size_t len,
    struct digest *ret_digest);
bool digest_parse_base64(enum digest_kind kind, const char *text, size_t len,
    struct digest *ret_digest);

void digest_add_hex(struct strbuf *out, const struct digest *d);
void digest_add_base64(struct strbuf *out, const struct digest *d);

#endif /* DRYDOCK_DIGEST_H */
