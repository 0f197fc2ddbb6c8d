/* SPDX-License-Identifier: MIT */
/*
 * sshproto: the messages of the ssh agent protocol (draft-miller-ssh-agent)
 * that a session may exchange with the user's agent.
 *
 * A message is a big-endian u32 length, and that many bytes: a type, and the
 * type's fields (RFC 4251, section 5).  Both peers are read strictly: every
 * length is checked, and a message ends where its last field does.  This module
 * does no I/O.
 */
#ifndef DRYDOCK_SSHPROTO_H
#define DRYDOCK_SSHPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf;
struct strvec;

#define SSHPROTO_MAX ((size_t)256 * 1024) /* bytes after the length */
#define SSHPROTO_FINGERPRINT_SIZE 51 /* "SHA256:", 43 characters, a NUL */

enum sshproto_request {
	SSHPROTO_REFUSED, /* any other request, or a malformed one */
	SSHPROTO_LIST,
	SSHPROTO_SIGN,
};

/* The purpose of a signature, as far as the signed data shows it. */
struct sshproto_purpose {
	const char *what; /* "login", "file" or "other"; static */
	char detail[65]; /* the user name or the namespace, printable, or "" */
};

struct sshproto_sign {
	char fingerprint[SSHPROTO_FINGERPRINT_SIZE]; /* of the key */
	struct sshproto_purpose purpose;
};

/* Returns the length of the message whose first four bytes are at p. */
uint32_t sshproto_length(const unsigned char p[static 4]);

/*
 * Classifies a request without its length.  A request to sign with a key that
 * is not in keys (fingerprints) is refused; *ret_sign is set for SSHPROTO_SIGN
 * and has the fingerprint, if one could be read, for a refused request to sign.
 */
enum sshproto_request sshproto_read_request(const unsigned char *p, size_t len,
    const struct strvec *keys, struct sshproto_sign *ret_sign);

/*
 * Appends the answer (with its length) to a list request: of the agent's answer
 * at p, without its length, the keys that are in keys.  Returns false if the
 * answer is malformed; out is then unchanged.
 */
bool sshproto_filter_list(const unsigned char *p, size_t len,
    const struct strvec *keys, struct strbuf *out);

/*
 * The same for a signature.  Returns false also when the agent refused to sign.
 */
bool sshproto_pass_signature(
    const unsigned char *p, size_t len, struct strbuf *out);

/* Appends the answer to every refused request. */
void sshproto_add_failure(struct strbuf *out);

/* Writes "SHA256:...", as ssh-add -l prints it, of a public key. */
void sshproto_fingerprint(
    const void *key, size_t len, char ret[static SSHPROTO_FINGERPRINT_SIZE]);

/*
 * Reads a public key as "TYPE BASE64", with or without a comment, and writes
 * its fingerprint.  Returns the length of both words, or 0 if text is none.
 */
size_t sshproto_read_public(
    const char *text, char ret[static SSHPROTO_FINGERPRINT_SIZE]);

/* Returns true if text has the form of a fingerprint. */
bool sshproto_is_fingerprint(const char *text);

#endif /* DRYDOCK_SSHPROTO_H */
