/* SPDX-License-Identifier: MIT */
/*
 * allowlist: the hosts that a contained session may CONNECT to.
 *
 * Each line is "NAME[:PORT] [private]"; # starts a comment.  NAME is a whole
 * DNS name (RFC 1123): letters, digits, hyphens and dots; at most 253
 * characters; labels of at most 63; not only digits and dots.  Case is folded,
 * and one trailing dot is dropped.  NAME matches exactly that host.  The
 * default port is 443.  "private" permits the name to resolve to a private
 * address.  Addresses, wildcards and URLs are errors.
 */
#ifndef DRYDOCK_ALLOWLIST_H
#define DRYDOCK_ALLOWLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent;
struct diag;
struct paths;
struct toolchains;

struct allow_entry {
	char *host; /* owned; lower case, no trailing dot */
	uint16_t port;
	bool private_ok;
};

struct allowlist {
	struct allow_entry
	    *v; /* owned; in order of first mention, no duplicates */
	size_t nr;
	size_t alloc;
};

#define ALLOWLIST_INIT     \
	{                  \
		NULL, 0, 0 \
	}

/*
 * Adds the lines of text to list.  A bad line is DIAG_CONFIG "name:LINE: why".
 */
int allowlist_parse(struct allowlist *list, const char *name, const char *text,
    size_t len, struct diag *dg);

/*
 * Adds the hosts of the agent and the toolchains, then the user's `allowlist`
 * file.  An absent file adds nothing.  An unreadable file, one that
 * is too large and one that is not a regular file are errors.
 */
int allowlist_load(struct allowlist *list, const struct agent *agent,
    const struct toolchains *toolchains, const struct paths *paths,
    struct diag *dg);
void allowlist_release(struct allowlist *list);

#define cleanup_allowlist __attribute__((cleanup(allowlist_release)))

#endif /* DRYDOCK_ALLOWLIST_H */
