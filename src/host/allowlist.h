/* SPDX-License-Identifier: MIT */
/*
 * allowlist: the hosts that a contained session may CONNECT to.
 *
 * One "NAME[:PORT] [private]" a line, # starts a comment.  A name is a whole
 * DNS name (RFC 1123: letters, digits, hyphens, dots; at most 253 characters,
 * labels at most 63; not all digits and dots; case folds, one trailing dot is
 * dropped) and matches itself alone.  No port means 443.  "private" lets it
 * resolve to a private address.  Addresses, wildcards and URLs are refused.
 */
#ifndef DRYDOCK_ALLOWLIST_H
#define DRYDOCK_ALLOWLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct paths;
struct strvec;

struct allow_entry {
	char *host; /* owned; lower case, no trailing dot */
	uint16_t port;
	bool private_ok;
};

struct allowlist {
	struct allow_entry
	    *v; /* owned; in order of first mention, no doubles */
	size_t nr;
	size_t alloc;
};

#define ALLOWLIST_INIT     \
	{                  \
		NULL, 0, 0 \
	}

/* Adds the lines of text; a bad one is DIAG_CONFIG "name:LINE: why". */
int allowlist_parse(struct allowlist *list, const char *name, const char *text,
    size_t len, struct diag *dg);

/*
 * The agent's and the toolchains' hosts plus the user's `allowlist` file (absent:
 * nothing; not readable, too large or not a file: an error).
 */
int allowlist_load(struct allowlist *list, const struct strvec *hosts,
    const struct paths *paths, struct diag *dg);
void allowlist_release(struct allowlist *list);

#define cleanup_allowlist __attribute__((cleanup(allowlist_release)))

#endif /* DRYDOCK_ALLOWLIST_H */
