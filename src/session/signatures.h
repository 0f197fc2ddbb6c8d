/* SPDX-License-Identifier: MIT */
/*
 * signatures: reads the log of a session's ssh agent (session/sshagent.h).
 *
 * The details come from the agent and are hostile, but printable: the writer of
 * the log drops other characters.
 */
#ifndef DRYDOCK_SIGNATURES_H
#define DRYDOCK_SIGNATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct json;
struct jsonw;
struct strbuf;

/* One request to sign, or all equal requests of a log. */
struct signature {
	char *key; /* owned; fingerprint; like all strings here never NULL */
	char *purpose; /* owned; "login", "file", "other", or "" */
	char *detail; /* owned; user name or namespace, or "" */
	char *first, *last; /* owned; times */
	bool refused; /* not signed: the key is not listed */
	int64_t count;
};

struct signatures {
	struct signature *v; /* owned; in order of the first request */
	size_t nr;
	int64_t more; /* requests beyond the limit of signatures_add() */
};

#define SIGNATURES_INIT    \
	{                  \
		NULL, 0, 0 \
	}

/* Appends the log of the session in session_fd; an absent log is empty. */
int signatures_read_log(int session_fd, struct strbuf *out, struct diag *dg);

/*
 * Parses one line of the log.  Returns false for any other text, such as the
 * cut last line of a full log.
 */
bool signature_parse(
    const char *line, size_t len, struct signature *ret_signature);

/* Adds a signature (given).  Keeps at most max different ones. */
void signatures_add(
    struct signatures *s, size_t max, const struct signature *given);

/* Adds the lines of a log. */
void signatures_parse(struct signatures *s, size_t max, const char *text);

/* Appends "SHA256:... (login git)". */
void signature_describe(const struct signature *signature, struct strbuf *out);

/*
 * These are for the record of an ended session.  signatures_read() adds the
 * signatures that were made, grouped by key and purpose, at most
 * SIGNATURES_KEPT; an absent log has none.  signatures_write() and
 * signatures_restore() write and read the members "signatures" and
 * "signatures_more" of an object.  signatures_tell() prints a note for the user.
 */
enum {
	SIGNATURES_KEPT = 20
};
int signatures_read(struct signatures *s, int session_fd, struct diag *dg);
void signatures_write(const struct signatures *s, struct jsonw *w);
void signatures_restore(struct signatures *s, const struct json *object);
void signatures_tell(const struct signatures *s);

void signature_release(struct signature *signature);
void signatures_release(struct signatures *s);

#define cleanup_signatures __attribute__((cleanup(signatures_release)))

#endif /* DRYDOCK_SIGNATURES_H */
