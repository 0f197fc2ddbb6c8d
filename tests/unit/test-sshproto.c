/* SPDX-License-Identifier: MIT */
/* The ssh agent protocol: what passes, and that nothing else does. */
#include "host/sshproto.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"

#include "check.h"

#define KEY "\0\0\0\003key"
#define OTHER "\0\0\0\005other"
#define FLAGS "\0\0\0\0"

struct bytes {
	const char *text;
	size_t len;
};

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static const unsigned char *
at(const struct bytes *b)
{
	return (const unsigned char *)b->text;
}

static void
use_key(struct strvec *keys)
{
	char fingerprint[SSHPROTO_FINGERPRINT_SIZE];

	sshproto_fingerprint("key", 3, fingerprint);
	strvec_push(keys, fingerprint);
}

/* printf key | sha256sum | xxd -r -p | base64 */
static void
fingerprints_are_those_of_ssh(void)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{ "SHA256:LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM", true },
		{ "SHA256:LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmto", false },
		{ "SHA256:LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoMA",
		    false },
		{ "SHA256:LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmto=", false },
		{ "LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM", false },
		{ "MD5:00:11", false },
		{ "", false },
	};
	char got[SSHPROTO_FINGERPRINT_SIZE];

	sshproto_fingerprint("key", 3, got);
	CHECK_STR(got, rows[0].text);
	CHECK_INT((long long)strlen(got), SSHPROTO_FINGERPRINT_SIZE - 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(sshproto_is_fingerprint(rows[i].text), rows[i].valid);
}

static void
requests_are_classified(void)
{
	static const struct {
		struct bytes message;
		enum sshproto_request want;
		const char *what, *detail;
	} rows[] = {
		{ BYTES("\013"), SSHPROTO_LIST, "other", "" },
		{ BYTES("\013\0"), SSHPROTO_REFUSED, "other", "" },
		{ BYTES(""), SSHPROTO_REFUSED, "other", "" },
		{ BYTES("\015" KEY "\0\0\0\004data" FLAGS), SSHPROTO_SIGN,
		    "other", "" },
		{ BYTES("\015" KEY "\0\0\0\004data\0\0\0\006"), SSHPROTO_SIGN,
		    "other", "" },
		{ BYTES("\015" KEY "\0\0\0\004data\0\0\0\001"),
		    SSHPROTO_REFUSED, "other", "" },
		{ BYTES("\015" KEY "\0\0\0\004data" FLAGS "x"),
		    SSHPROTO_REFUSED, "other", "" },
		{ BYTES("\015" KEY "\0\0\0\004data\0\0\0"), SSHPROTO_REFUSED,
		    "other", "" },
		{ BYTES("\015" KEY "\0\0\0\005data"), SSHPROTO_REFUSED, "other",
		    "" },
		{ BYTES("\015" KEY "\377\377\377\377data" FLAGS),
		    SSHPROTO_REFUSED, "other", "" },
		{ BYTES("\015" OTHER "\0\0\0\004data" FLAGS), SSHPROTO_REFUSED,
		    "other", "" },
		{ BYTES("\015\0\0\0\0\0\0\0\004data" FLAGS), SSHPROTO_REFUSED,
		    "other", "" },
		{ BYTES("\015" KEY "\0\0\0\015SSHSIG\0\0\0\003git" FLAGS),
		    SSHPROTO_SIGN, "file", "git" },
		{ BYTES("\015" KEY "\0\0\0\015SSHSIG\0\0\0\003g\nt" FLAGS),
		    SSHPROTO_SIGN, "file", "" },
		{ BYTES("\015" KEY "\0\0\0\041\0\0\0\003sid\062"
			"\0\0\0\003git\0\0\0\016ssh-connection" FLAGS),
		    SSHPROTO_SIGN, "login", "git" },
		{ BYTES("\015" KEY "\0\0\0\041\0\0\0\003sid\062"
			"\0\0\0\003git\0\0\0\016ssh-connectioN" FLAGS),
		    SSHPROTO_SIGN, "other", "" },
	};
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_strvec struct strvec none = STRVEC_INIT;
	struct sshproto_sign sign;

	use_key(&keys);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct bytes *m = &rows[i].message;

		if (!CHECK_INT(
			sshproto_read_request(at(m), m->len, &keys, &sign),
			rows[i].want))
			CHECK_INT((long long)i, -1);
		CHECK_STR(sign.purpose.what, rows[i].what);
		CHECK_STR(sign.purpose.detail, rows[i].detail);
		/* Without a key nothing can be signed. */
		CHECK(sshproto_read_request(at(m), m->len, &none, &sign) !=
		    SSHPROTO_SIGN);
	}
}

/* Every other type is refused, with any content. */
static void
other_types_are_refused(void)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	struct sshproto_sign sign;
	unsigned char message[] = "\0" KEY "\0\0\0\004data" FLAGS;

	use_key(&keys);
	for (int type = 0; type < 256; type++) {
		message[0] = (unsigned char)type;
		CHECK_INT(sshproto_read_request(
			      message, sizeof(message) - 1, &keys, &sign),
		    type == 13 ? SSHPROTO_SIGN : SSHPROTO_REFUSED);
	}
}

static void
lists_keep_the_chosen_keys(void)
{
	static const struct {
		struct bytes answer;
		struct bytes want; /* text NULL: refused */
	} rows[] = {
		{ BYTES("\014\0\0\0\002" OTHER "\0\0\0\001o" KEY "\0\0\0\001k"),
		    BYTES("\0\0\0\021\014\0\0\0\001" KEY "\0\0\0\001k") },
		{ BYTES("\014\0\0\0\001" OTHER "\0\0\0\0"),
		    BYTES("\0\0\0\005\014\0\0\0\0") },
		{ BYTES("\014\0\0\0\0"), BYTES("\0\0\0\005\014\0\0\0\0") },
		{ BYTES("\005"), { NULL, 0 } },
		{ BYTES("\014\0\0\0\002" KEY "\0\0\0\001k"), { NULL, 0 } },
		{ BYTES("\014\0\0\0\001" KEY "\0\0\0\001kx"), { NULL, 0 } },
		{ BYTES("\014\377\377\377\377" KEY "\0\0\0\001k"),
		    { NULL, 0 } },
		{ BYTES("\014\0\0\0"), { NULL, 0 } },
		{ BYTES(""), { NULL, 0 } },
	};
	cleanup_strvec struct strvec keys = STRVEC_INIT;

	use_key(&keys);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		const struct bytes *a = &rows[i].answer;
		const struct bytes *want = &rows[i].want;

		CHECK_INT(sshproto_filter_list(at(a), a->len, &keys, &out),
		    want->text != NULL);
		CHECK_INT((long long)out.len, (long long)want->len);
		CHECK(out.len == want->len &&
		    (want->len == 0 ||
			memcmp(out.buf, want->text, want->len) == 0));
	}
}

static void
signatures_pass_whole(void)
{
	static const struct {
		struct bytes answer;
		bool passes;
	} rows[] = {
		{ BYTES("\016\0\0\0\003sig"), true },
		{ BYTES("\016\0\0\0\003sigx"), false },
		{ BYTES("\016\0\0\0\004sig"), false },
		{ BYTES("\005"), false },
		{ BYTES(""), false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		const struct bytes *a = &rows[i].answer;

		CHECK_INT(sshproto_pass_signature(at(a), a->len, &out),
		    rows[i].passes);
		CHECK_INT((long long)out.len,
		    rows[i].passes ? (long long)a->len + 4 : 0);
	}
}

static const struct check_test tests[] = {
	{ "fingerprints are those of ssh", fingerprints_are_those_of_ssh },
	{ "requests are classified", requests_are_classified },
	{ "other types are refused", other_types_are_refused },
	{ "lists keep the chosen keys", lists_keep_the_chosen_keys },
	{ "signatures pass whole", signatures_pass_whole },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
