/* SPDX-License-Identifier: MIT */
/*
 * The messages of the ssh agent protocol, from both sides: what passes is read
 * the same way by a second, naive reader, and names a chosen key.  The first
 * byte says which side the rest is from.
 */
#include <string.h>

#include "base/strbuf.h"
#include "base/strvec.h"
#include "host/sshproto.h"

#include "fuzz.h"

static size_t
number(const unsigned char *p)
{
	return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 |
	    p[3];
}

/* The n fields of strings that start at *at end within len. */
static bool
skip_strings(const unsigned char *p, size_t len, size_t *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (len - *at < 4 || number(p + *at) > len - *at - 4)
			return false;
		*at += 4 + number(p + *at);
	}
	return true;
}

static bool
is_chosen(const unsigned char *string, const struct strvec *keys)
{
	char fingerprint[SSHPROTO_FINGERPRINT_SIZE];

	sshproto_fingerprint(string + 4, number(string), fingerprint);
	FUZZ_CHECK(sshproto_is_fingerprint(fingerprint));
	return strvec_has(keys, fingerprint);
}

static void
check_request(const unsigned char *p, size_t len, const struct strvec *keys)
{
	struct sshproto_sign sign;
	size_t at = 1;

	switch (sshproto_read_request(p, len, keys, &sign)) {
	case SSHPROTO_LIST:
		FUZZ_CHECK(len == 1 && p[0] == 11);
		break;
	case SSHPROTO_SIGN:
		FUZZ_CHECK(p[0] == 13);
		FUZZ_CHECK(skip_strings(p, len, &at, 2));
		FUZZ_CHECK(at + 4 == len);
		FUZZ_CHECK((number(p + at) & ~(size_t)6) == 0);
		FUZZ_CHECK(is_chosen(p + 1, keys));
		FUZZ_CHECK(fuzz_is_printable(
		    sign.purpose.detail, strlen(sign.purpose.detail)));
		break;
	case SSHPROTO_REFUSED:
		FUZZ_CHECK(sign.fingerprint[0] == '\0' ||
		    sshproto_is_fingerprint(sign.fingerprint));
		break;
	}
}

/* A filtered list is a list, of chosen keys alone, and filters to itself. */
static void
check_list(const unsigned char *p, size_t len, const struct strvec *keys)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf again = STRBUF_INIT;
	const unsigned char *got;
	size_t at = 5;
	size_t n = 0;

	if (!sshproto_filter_list(p, len, keys, &out)) {
		FUZZ_CHECK(out.len == 0);
		return;
	}
	FUZZ_CHECK(skip_strings(p, len, &at, 2 * number(p + 1)));
	FUZZ_CHECK(at == len);
	got = (const unsigned char *)out.buf;
	FUZZ_CHECK(sshproto_length(got) == out.len - 4);
	got += 4;
	FUZZ_CHECK(out.len - 4 <= len && got[0] == 12);
	for (at = 5; at < out.len - 4; n++) {
		FUZZ_CHECK(is_chosen(got + at, keys));
		FUZZ_CHECK(skip_strings(got, out.len - 4, &at, 2));
	}
	FUZZ_CHECK(n == number(got + 1));
	FUZZ_CHECK(sshproto_filter_list(got, out.len - 4, keys, &again));
	FUZZ_CHECK(
	    again.len == out.len && memcmp(again.buf, out.buf, out.len) == 0);
}

static void
check_signature(const unsigned char *p, size_t len)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t at = 1;

	if (!sshproto_pass_signature(p, len, &out)) {
		FUZZ_CHECK(out.len == 0);
		return;
	}
	FUZZ_CHECK(p[0] == 14 && skip_strings(p, len, &at, 1) && at == len);
	FUZZ_CHECK(out.len == len + 4 && memcmp(out.buf + 4, p, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	char fingerprint[SSHPROTO_FINGERPRINT_SIZE];

	if (size == 0)
		return 0;
	/* Short keys that an input can have. */
	sshproto_fingerprint("key", 3, fingerprint);
	strvec_push(&keys, fingerprint);
	sshproto_fingerprint("", 0, fingerprint);
	strvec_push(&keys, fingerprint);
	if (data[0] == 'r')
		check_request(data + 1, size - 1, &keys);
	else if (data[0] == 'l')
		check_list(data + 1, size - 1, &keys);
	else
		check_signature(data + 1, size - 1);
	return 0;
}
