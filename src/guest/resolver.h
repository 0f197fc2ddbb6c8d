/* SPDX-License-Identifier: MIT */
/*
 * resolver: the name servers of the sidecar, which the engine chooses.  The
 * sidecar writes them into a file for the host.
 */
#ifndef DRYDOCK_RESOLVER_H
#define DRYDOCK_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/* In the directory of the proxy's log: an address a line, at most three. */
#define RESOLVER_FILE "resolvers"
#define RESOLVER_MAX ((size_t)256) /* bytes of it */

/*
 * Appends the name servers of the text of a resolv.conf, as libc reads it: the
 * first three, and none that is not an address.
 */
void resolver_parse(const char *text, size_t len, struct strbuf *out);

/*
 * Returns true if one of the name servers can answer.  A loopback address is
 * that of the sidecar's own network namespace, in which nothing listens.
 */
bool resolver_usable(const char *servers);

/*
 * Reads the file conf, and replaces RESOLVER_FILE in dir.  Returns true if one
 * of the name servers can answer.
 */
bool resolver_write(const char *conf, const char *dir);

#endif /* DRYDOCK_RESOLVER_H */
