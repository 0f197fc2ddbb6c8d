/* SPDX-License-Identifier: MIT */
/*
 * token: an agent's long-lived token, stored in tokens/AGENT (0600) of the
 * state directory.
 *
 * A token is one line of printable ASCII without blanks, of at most TOKEN_MAX
 * characters.  No message contains it.
 */
#ifndef DRYDOCK_TOKEN_H
#define DRYDOCK_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct diag;
struct paths;
struct strbuf;

#define TOKEN_MAX 8192

/*
 * Validates text and removes its line end.  DIAG_USAGE when text is not a
 * token.
 */
int token_check(struct strbuf *text, struct diag *dg);

/*
 * Cleans a token that a user typed or pasted.  Lines that a terminal wrapped
 * are joined, blanks around each line are removed, and so is one pair of
 * quotes.  prefix is the required start of the token (NULL: none).  DIAG_USAGE
 * when the prefix is missing, occurs twice (two tokens), or text is not a
 * token.
 */
int token_clean(struct strbuf *text, const char *prefix, struct diag *dg);

/* Replaces the stored token; text has passed token_check(). */
int token_write(const struct paths *paths, const char *agent,
    const struct strbuf *text, struct diag *dg);

/*
 * Appends the stored token to out, or nothing when there is none.  A file that
 * others can read, and one without a valid token, is DIAG_DATA.
 */
int token_read(const struct paths *paths, const char *agent, struct strbuf *out,
    struct diag *dg);

/* Removes the stored token.  *ret_there is false when there was none. */
int token_remove(const struct paths *paths, const char *agent, bool *ret_there,
    struct diag *dg);

/*
 * *ret_since is the time at which the token was stored.  *ret_there is false
 * when there is none.
 */
int token_status(const struct paths *paths, const char *agent, bool *ret_there,
    time_t *ret_since, struct diag *dg);

/* Overwrites the content of text and releases it. */
void token_wipe(struct strbuf *text);

#define cleanup_token __attribute__((cleanup(token_wipe)))

#endif /* DRYDOCK_TOKEN_H */
