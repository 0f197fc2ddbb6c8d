/* SPDX-License-Identifier: MIT */
/* Digests against the examples of FIPS 180-4. */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/strbuf.h"

static void
known_answers(void)
{
	static const struct {
		const char *text;
		const char *hex;
	} rows[] = {
		{ "",
		    "e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855" },
		{ "abc",
		    "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039"
		    "a33ce45964ff2167f6ecedd419db06c1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char hex[DIGEST_HEX_SIZE];

		digest_bytes(rows[i].text, strlen(rows[i].text), hex);
		CHECK_STR(hex, rows[i].hex);
	}
}

#define ABC_512                            \
	"ddaf35a193617abacc417349ae204131" \
	"12e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd" \
	"454d4423643ce80e2a9ac94fa54ca49f"
#define ABC_512_BASE64                                 \
	"3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05oh" \
	"kpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="

static void
streams_files_and_texts_agree(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	struct digest_stream *s = digest_begin(DIGEST_SHA512);
	struct digest stream;
	struct digest file;
	struct digest text;
	int fd = -1;

	digest_add(s, "a", 1);
	digest_add(s, "", 0);
	digest_add(s, "bc", 2);
	digest_end(s, &stream);
	digest_add_hex(&hex, &stream);
	CHECK_STR(hex.buf, ABC_512);
	CHECK(digest_parse_hex(DIGEST_SHA512, ABC_512, 128, &text));
	CHECK(digest_equal(&stream, &text));
	CHECK(digest_parse_base64(DIGEST_SHA512, ABC_512_BASE64, 88, &text));
	CHECK(digest_equal(&stream, &text));
	digest_of(DIGEST_SHA512, "abc", 3, &text);
	CHECK(digest_equal(&stream, &text));

	CHECK_INT(fs_memfd("abc", "abcd", 4, &fd, &dg), 0);
	CHECK_INT(digest_file(fd, 3, DIGEST_SHA512, &file), 0);
	CHECK(digest_equal(&stream, &file));
	CHECK_INT(digest_file(fd, 5, DIGEST_SHA512, &file), -1);
	CHECK_INT(errno, ENODATA);
	CHECK_INT(digest_file(fd, 3, DIGEST_SHA256, &file), 0);
	CHECK(!digest_equal(&stream, &file));
	(void)close(fd);
}

static void
no_other_spelling_is_read(void)
{
	static const char *const rows[] = {
		/* too short, a blank, upper case, no digit */
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001 ad",
		"BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"xa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		/* base64: no padding, bits behind the end, a blank, url's set */
		"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
		"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=",
		"ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAF 0=",
		"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
		"",
	};
	static const char right[] =
	    "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
	struct digest d;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i]);

		CHECK(!digest_parse_hex(DIGEST_SHA256, rows[i], len, &d));
		CHECK(!digest_parse_base64(DIGEST_SHA256, rows[i], len, &d));
	}
	CHECK(digest_parse_base64(DIGEST_SHA256, right, strlen(right), &d));
}

static const struct check_test tests[] = {
	{ "the standard's examples come out", known_answers },
	{ "streams, files and texts agree", streams_files_and_texts_agree },
	{ "no other spelling is read", no_other_spelling_is_read },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
