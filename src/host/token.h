/* SPDX-License-Identifier: MIT */
/*
 * token: an agent's long-lived token, kept in the state directory as
 * tokens/AGENT, 0600.
 *
 * It is one line of printable ASCII without blanks, of at most TOKEN_MAX
 * characters.  No message ever shows it.
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

/* Cuts the line's end off; DIAG_USAGE when it is no token. */
int token_check(struct strbuf *text, struct diag *dg);

/*
 * Makes one token of what somebody typed or pasted: joins the lines that a
 * terminal wrapped it into, without the blanks around them, and takes one pair
 * of quotes off.  prefix is what the agent's tokens start with; NULL: anything.
 * DIAG_USAGE when it does not start so, holds two tokens, or is no token.
 */
int token_clean(struct strbuf *text, const char *prefix, struct diag *dg);

/* Replaces the kept one; text has passed token_check(). */
int token_write(const struct paths *paths, const char *agent,
    const struct strbuf *text, struct diag *dg);

/*
 * Appends the kept one to out; nothing when there is none.  One that others
 * can read, or that is no token, is DIAG_DATA.
 */
int token_read(const struct paths *paths, const char *agent, struct strbuf *out,
    struct diag *dg);

/* *ret_there tells whether there was one. */
int token_remove(const struct paths *paths, const char *agent, bool *ret_there,
    struct diag *dg);

/* When it was kept; *ret_there is false when there is none. */
int token_status(const struct paths *paths, const char *agent, bool *ret_there,
    time_t *ret_since, struct diag *dg);

/* Overwrites what a strbuf holds before it is released. */
void token_wipe(struct strbuf *text);

#define cleanup_token __attribute__((cleanup(token_wipe)))

#endif /* DRYDOCK_TOKEN_H */
