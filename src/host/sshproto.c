/* SPDX-License-Identifier: MIT */
/* sshproto: reads and writes messages of the ssh agent protocol. */
#include "host/sshproto.h"

#include <string.h>

#include "base/digest.h"
#include "base/strbuf.h"
#include "base/strvec.h"

enum {
	FAILURE = 5,
	REQUEST_IDENTITIES = 11,
	IDENTITIES_ANSWER = 12,
	SIGN_REQUEST = 13,
	SIGN_RESPONSE = 14,
	USERAUTH_REQUEST = 50,
	/* SSH_AGENT_RSA_SHA2_256 and SSH_AGENT_RSA_SHA2_512 */
	SIGN_FLAGS = 2 | 4,
};

static const char sha256[] = "SHA256:";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* The unread part of a message. */
struct reader {
	const unsigned char *at;
	size_t left;
};

struct field {
	const unsigned char *at;
	size_t len;
};

uint32_t
sshproto_length(const unsigned char p[static 4])
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static bool
take_byte(struct reader *r, unsigned char *ret)
{
	if (r->left < 1)
		return false;
	*ret = *r->at++;
	r->left--;
	return true;
}

static bool
take_u32(struct reader *r, uint32_t *ret)
{
	if (r->left < 4)
		return false;
	*ret = sshproto_length(r->at);
	r->at += 4;
	r->left -= 4;
	return true;
}

static bool
take_string(struct reader *r, struct field *ret)
{
	uint32_t len;

	if (!take_u32(r, &len) || len > r->left)
		return false;
	*ret = (struct field){ r->at, len };
	r->at += len;
	r->left -= len;
	return true;
}

static void
put_u32(struct strbuf *out, size_t value)
{
	const unsigned char bytes[] = { (unsigned char)(value >> 24),
		(unsigned char)(value >> 16), (unsigned char)(value >> 8),
		(unsigned char)value };

	strbuf_add(out, bytes, sizeof(bytes));
}

static void
put_string(struct strbuf *out, const struct field *field)
{
	put_u32(out, field->len);
	strbuf_add(out, field->at, field->len);
}

static void
put_byte(struct strbuf *out, unsigned char type)
{
	strbuf_add(out, &type, 1);
}

void
sshproto_fingerprint(
    const void *key, size_t len, char ret[static SSHPROTO_FINGERPRINT_SIZE])
{
	char hex[DIGEST_HEX_SIZE];
	char *to = ret + sizeof(sha256) - 1;
	unsigned int bits = 0;
	unsigned int nbits = 0;

	digest_bytes(key, len, hex);
	memcpy(ret, sha256, sizeof(sha256) - 1);
	for (const char *c = hex; *c != '\0'; c++) {
		bits = bits << 4 |
		    (unsigned int)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
		nbits += 4;
		if (nbits >= 6) {
			nbits -= 6;
			*to++ = base64[bits >> nbits & 63];
		}
	}
	*to++ = base64[bits << (6 - nbits) & 63];
	*to = '\0';
}

size_t
sshproto_read_public(
    const char *text, char ret[static SSHPROTO_FINGERPRINT_SIZE])
{
	static const char type[] = "abcdefghijklmnopqrstuvwxyz0123456789-@.";
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	size_t head = strspn(text, type);
	const char *data = text + head + 1;
	unsigned int bits = 0;
	unsigned int nbits = 0;
	size_t len;

	if (head == 0 || text[head] != ' ')
		return 0;
	len = strspn(data, base64);
	for (size_t i = 0; i < len; i++) {
		bits = bits << 6 |
		    (unsigned int)(strchr(base64, data[i]) - base64);
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			strbuf_addch(&key, (char)(bits >> nbits & 255));
		}
	}
	len += strspn(data + len, "=");
	if (len == 0 || strchr(" \r\n", data[len]) == NULL)
		return 0;
	sshproto_fingerprint(key.buf, key.len, ret);
	return head + 1 + len;
}

bool
sshproto_is_fingerprint(const char *text)
{
	size_t head = sizeof(sha256) - 1;

	return strncmp(text, sha256, head) == 0 &&
	    strlen(text) == SSHPROTO_FINGERPRINT_SIZE - 1 &&
	    text[head + strspn(text + head, base64)] == '\0';
}

static void
set_detail(struct sshproto_purpose *purpose, const struct field *field)
{
	if (field->len >= sizeof(purpose->detail))
		return;
	for (size_t i = 0; i < field->len; i++)
		if (field->at[i] <= ' ' || field->at[i] > '~')
			return;
	memcpy(purpose->detail, field->at, field->len);
	purpose->detail[field->len] = '\0';
}

static bool
field_is(const struct field *field, const char *text)
{
	return field->len == strlen(text) &&
	    memcmp(field->at, text, field->len) == 0;
}

/* ssh-keygen's signatures: PROTOCOL.sshsig of OpenSSH. */
static bool
read_sshsig(const struct field *data, struct field *ret_namespace)
{
	static const char magic[] = "SSHSIG";
	struct reader r = { data->at, data->len };

	if (r.left < sizeof(magic) - 1 ||
	    memcmp(r.at, magic, sizeof(magic) - 1) != 0)
		return false;
	r.at += sizeof(magic) - 1;
	r.left -= sizeof(magic) - 1;
	return take_string(&r, ret_namespace);
}

/* A login: RFC 4252, section 7. */
static bool
read_login(const struct field *data, struct field *ret_user)
{
	struct reader r = { data->at, data->len };
	struct field session;
	struct field service;
	unsigned char type;

	return take_string(&r, &session) && take_byte(&r, &type) &&
	    type == USERAUTH_REQUEST && take_string(&r, ret_user) &&
	    take_string(&r, &service) && field_is(&service, "ssh-connection");
}

static void
read_purpose(const struct field *data, struct sshproto_purpose *ret)
{
	struct field detail;

	*ret = (struct sshproto_purpose){ .what = "other" };
	if (read_sshsig(data, &detail))
		ret->what = "file";
	else if (read_login(data, &detail))
		ret->what = "login";
	else
		return;
	set_detail(ret, &detail);
}

enum sshproto_request
sshproto_read_request(const unsigned char *p, size_t len,
    const struct strvec *keys, struct sshproto_sign *ret_sign)
{
	struct reader r = { p, len };
	struct field key;
	struct field data;
	unsigned char type;
	uint32_t flags;

	*ret_sign = (struct sshproto_sign){ .purpose = { .what = "other" } };
	if (!take_byte(&r, &type))
		return SSHPROTO_REFUSED;
	if (type == REQUEST_IDENTITIES)
		return r.left == 0 ? SSHPROTO_LIST : SSHPROTO_REFUSED;
	if (type != SIGN_REQUEST || !take_string(&r, &key))
		return SSHPROTO_REFUSED;
	sshproto_fingerprint(key.at, key.len, ret_sign->fingerprint);
	if (!take_string(&r, &data) || !take_u32(&r, &flags) || r.left != 0 ||
	    (flags & ~(uint32_t)SIGN_FLAGS) != 0 ||
	    !strvec_has(keys, ret_sign->fingerprint))
		return SSHPROTO_REFUSED;
	read_purpose(&data, &ret_sign->purpose);
	return SSHPROTO_SIGN;
}

/* Counts the listed keys; appends them to out unless that is NULL. */
static bool
walk_list(struct reader r, uint32_t n, const struct strvec *keys,
    uint32_t *ret_kept, struct strbuf *out)
{
	*ret_kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		char fingerprint[SSHPROTO_FINGERPRINT_SIZE];
		struct field key;
		struct field comment;

		if (!take_string(&r, &key) || !take_string(&r, &comment))
			return false;
		sshproto_fingerprint(key.at, key.len, fingerprint);
		if (!strvec_has(keys, fingerprint))
			continue;
		(*ret_kept)++;
		if (out != NULL) {
			put_string(out, &key);
			put_string(out, &comment);
		}
	}
	return r.left == 0;
}

bool
sshproto_filter_list(const unsigned char *p, size_t len,
    const struct strvec *keys, struct strbuf *out)
{
	struct reader r = { p, len };
	cleanup_strbuf struct strbuf body = STRBUF_INIT;
	unsigned char type;
	uint32_t n;
	uint32_t kept;

	if (!take_byte(&r, &type) || type != IDENTITIES_ANSWER ||
	    !take_u32(&r, &n) || !walk_list(r, n, keys, &kept, NULL))
		return false;
	put_byte(&body, IDENTITIES_ANSWER);
	put_u32(&body, kept);
	(void)walk_list(r, n, keys, &kept, &body);
	put_string(out,
	    &(const struct field){ (const unsigned char *)body.buf, body.len });
	return true;
}

bool
sshproto_pass_signature(const unsigned char *p, size_t len, struct strbuf *out)
{
	struct reader r = { p, len };
	struct field signature;
	unsigned char type;

	if (!take_byte(&r, &type) || type != SIGN_RESPONSE ||
	    !take_string(&r, &signature) || r.left != 0)
		return false;
	put_string(out, &(const struct field){ p, len });
	return true;
}

void
sshproto_add_failure(struct strbuf *out)
{
	put_u32(out, 1);
	put_byte(out, FAILURE);
}
