/* SPDX-License-Identifier: MIT */
/*
 * allowlist: the hosts that a contained session may reach.
 *
 * Each line is "HOST[:PORT] [private]" or "@BUNDLE [private]"; # starts a
 * comment.  HOST is one of
 *
 *	NAME		that host only
 *	*.NAME		each name below NAME, but not NAME itself; NAME must
 *			have a dot
 *	ADDRESS		an IPv4 address, or an IPv6 address in brackets
 *
 * The default port is 443, and the proxy accepts only CONNECT.  With http://
 * before HOST it accepts only plain HTTP, and the default port is 80.
 * "private" permits addresses that are not global unicast.
 *
 * NAME is a whole DNS name (base/hostname.h).  Case is folded, and one trailing
 * dot is dropped.
 *
 * A bundle is a file of such lines in bundles/ of the installed data, for one
 * package manager or forge.  A line "@@npm" or "@@apt" in it stands for the
 * hosts that this host's configuration names (host/packagehosts.h); "private"
 * after a bundle is for these alone.
 */
#ifndef DRYDOCK_ALLOWLIST_H
#define DRYDOCK_ALLOWLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"

struct agent;
struct diag;
struct paths;
struct project;
struct strbuf;
struct toolchains;

enum allow_kind {
	ALLOW_NAME,
	ALLOW_BELOW, /* *.NAME */
	ALLOW_ADDRESS,
};

/* The sources of entries, in the order in which they are read. */
enum allow_source {
	ALLOW_AGENT = 1 << 0,
	ALLOW_TOOLCHAIN = 1 << 1,
	ALLOW_GLOBAL = 1 << 2, /* the user's allowlist */
	ALLOW_PROJECT = 1 << 3, /* the project's allowlist */
};

struct allow_entry {
	/*
	 * owned; lower case, without "*." and trailing dot; an address as
	 * inet_ntop(3) writes it, IPv6 in brackets
	 */
	char *host;
	enum allow_kind kind;
	uint16_t port;
	bool plain_http;
	bool private_ok;
	unsigned sources; /* of allow_source */
	/* owned; the file of a package manager that names it; NULL: a line */
	char *origin;
};

struct allowlist {
	struct allow_entry
	    *v; /* owned; in order of first mention, no duplicates */
	size_t nr;
	size_t alloc;
	/* why "@@" lines stand for no host, and what the user can do */
	struct strvec notes;
	bool npm; /* has the registries that npm is set to */
};

#define ALLOWLIST_INIT                         \
	{                                      \
		NULL, 0, 0, STRVEC_INIT, false \
	}

#define ALLOWLIST_NAME "allowlist" /* for project_file() */
#define ALLOWLIST_MAX ((size_t)64 << 10) /* bytes of one list */

/*
 * Adds the lines of text to list.  paths leads to the bundles; without it
 * (NULL) a bundle is an error.  A bad line is DIAG_CONFIG "name:LINE: why".
 */
int allowlist_parse(struct allowlist *list, enum allow_source source,
    const struct paths *paths, const char *name, const char *text, size_t len,
    struct diag *dg);

/* The sources of a session's list; agent, toolchains and project may be NULL */
struct allow_spec {
	const struct agent *agent;
	const struct toolchains *toolchains;
	const struct paths *paths;
	const struct project *project;
};

/*
 * Adds the hosts of the agent and of the toolchains, the user's `allowlist`
 * and the project's one.  An absent file adds nothing.  An unreadable file, one
 * that is too large and one that is not a regular file are errors.
 */
int allowlist_load(
    struct allowlist *list, const struct allow_spec *spec, struct diag *dg);

/*
 * The setting upstream_proxy: "", or http://HOST:PORT.  The first returns the
 * error in a value, or NULL.  The second reads a valid value into *ret_entry,
 * which the caller releases; it returns false for "".
 */
const char *upstream_check(const char *value);
bool upstream_read(const char *value, struct allow_entry *ret_entry);

/*
 * Parses the target of a request to the proxy ("host:port" for CONNECT, else
 * "http://host[:port]/...") into an entry for exactly that host.  The target is
 * hostile input.  Returns false if no line can allow it.
 */
bool allow_entry_of_request(
    struct allow_entry *ret_entry, const char *method, const char *target);

/* Returns the first entry that allows everything that e allows, or NULL. */
const struct allow_entry *allowlist_find(
    const struct allowlist *list, const struct allow_entry *e);

/* The same for a line without "private"; NULL also if it is not a host. */
const struct allow_entry *allowlist_find_line(
    const struct allowlist *list, const char *line);

/* Appends the entry as a line, without "private". */
void allow_entry_print(const struct allow_entry *e, struct strbuf *out);

void allow_entry_release(struct allow_entry *e);
void allowlist_release(struct allowlist *list);

#define cleanup_allow_entry __attribute__((cleanup(allow_entry_release)))
#define cleanup_allowlist __attribute__((cleanup(allowlist_release)))

#endif /* DRYDOCK_ALLOWLIST_H */
