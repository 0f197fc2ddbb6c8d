/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/allowlist.h"

/*
 * A compiled program of libjq, which two targets keep, has a stack whose only
 * pointer is to its end: LeakSanitizer takes it for lost.
 */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libjq.so\n";
}

void
fuzz_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* RFC 3629, written once more so that the program's own is not its judge. */
static size_t
decode(const unsigned char *s, size_t len, uint32_t *ret_cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1
	    : s[0] >> 5 == 6   ? 2
	    : s[0] >> 4 == 14  ? 3
	    : s[0] >> 3 == 30  ? 4
			       : 0;
	if (n == 0 || n > len)
		return 0;
	uint32_t cp = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		cp = cp << 6 | (s[i] & 0x3fU);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return 0;
	*ret_cp = cp;
	return n;
}

bool
fuzz_is_printable(const char *s, size_t len)
{
	while (len > 0) {
		uint32_t cp = 0;
		size_t n = decode((const unsigned char *)s, len, &cp);
		if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		    cp == 0x2028 || cp == 0x2029 ||
		    (cp >= 0x202a && cp <= 0x202e) ||
		    (cp >= 0x2066 && cp <= 0x2069) || cp == 0x200e ||
		    cp == 0x200f)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

void
fuzz_outcome(int rc, struct diag *dg)
{
	FUZZ_CHECK(rc == 0 || rc == -1);
	if (rc == 0) {
		FUZZ_CHECK(dg->class == DIAG_NONE && dg->message == NULL);
		return;
	}
	FUZZ_CHECK(dg->class > DIAG_NONE && dg->class < DIAG_NCLASSES);
	FUZZ_CHECK(dg->class != DIAG_BUG);
	FUZZ_CHECK(dg->message != NULL && *dg->message != '\0');
	FUZZ_CHECK(fuzz_is_printable(dg->message, strlen(dg->message)));
	diag_clear(dg);
}

void
fuzz_same_kind(const struct json *a, const struct json *b)
{
	FUZZ_CHECK(json_is_null(a) == json_is_null(b));
	FUZZ_CHECK(json_is_bool(a) == json_is_bool(b));
	FUZZ_CHECK(json_bool(a, false) == json_bool(b, false));
	FUZZ_CHECK(json_is_array(a) == json_is_array(b));
	FUZZ_CHECK(json_is_object(a) == json_is_object(b));
	FUZZ_CHECK(json_is_string(a) == json_is_string(b));
	if (json_is_string(a))
		FUZZ_CHECK(strcmp(json_string(a), json_string(b)) == 0);
	FUZZ_CHECK((json_number(a) == NULL) == (json_number(b) == NULL));
}

void
fuzz_allowlist_lines(const struct strvec *hosts)
{
	for (size_t i = 0; i < hosts->nr; i++) {
		cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
		cleanup_diag struct diag dg = DIAG_INIT;
		const char *line = hosts->v[i];

		FUZZ_CHECK(allowlist_parse(&list, ALLOW_AGENT, NULL, "hosts",
			       line, strlen(line), &dg) == 0);
		FUZZ_CHECK(list.nr <= 1);
	}
}

char *
fuzz_text(const uint8_t *data, size_t size)
{
	/* memchr() of NULL and 0 is undefined. */
	return size == 0 ? xstrdup("") : xstrndup((const char *)data, size);
}

unsigned int
fuzz_take(struct fuzz_input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

/* The generator is that of ISO C's example of rand(). */
size_t
fuzz_next_chunk(struct fuzz_chunks *chunks, size_t left)
{
	chunks->state = chunks->state * 1103515245U + 12345U;
	size_t n = (chunks->state >> 16) % 17 + 1;
	/* Now and then a large one. */
	if (n == 17)
		n = (chunks->state >> 8) % 70000 + 1;
	return n < left ? n : left;
}

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

void
fuzz_tar(const char *text, struct strbuf *out)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	strvec_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.nr; i++)
		if (lines.v[i][0] != '\0')
			add_entry(out, lines.v[i]);
	strbuf_add(out, zeros, sizeof(zeros));
}

void
fuzz_gzip(const struct strbuf *bytes, struct strbuf *out)
{
	cleanup_free unsigned char *packed = NULL;
	z_stream z = { .next_in = NULL };
	size_t max;

	FUZZ_CHECK(deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 16 + MAX_WBITS, 8,
		       Z_DEFAULT_STRATEGY) == Z_OK);
	max = deflateBound(&z, bytes->len);
	packed = xmalloc(max);
	z.next_in = (unsigned char *)bytes->buf;
	z.avail_in = (uInt)bytes->len;
	z.next_out = packed;
	z.avail_out = (uInt)max;
	FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	strbuf_add(out, packed, z.total_out);
	FUZZ_CHECK(deflateEnd(&z) == Z_OK);
}
