/* SPDX-License-Identifier: MIT */
/* SHA-256 against the examples of FIPS 180-4. */
#include "check.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"

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

static const struct check_test tests[] = {
	{ "the standard's examples come out", known_answers },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
