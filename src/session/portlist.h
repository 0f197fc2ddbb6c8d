/* SPDX-License-Identifier: MIT */
/*
 * portlist: the ports of a session that are reachable on the host.
 *
 * The companion keeps the list in a file of the session's directory, so that
 * the next companion of the session serves the same ports.
 */
#ifndef DRYDOCK_PORTLIST_H
#define DRYDOCK_PORTLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct strbuf;

#define PORTLIST_MAX 32
#define PORT_ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */

struct port {
	uint16_t inner; /* on the session's loopback */
	uint16_t outer; /* on the host's 127.0.0.1 */
	int error; /* errno of the host's port, or 0: it is served */
};

struct portlist {
	struct port v[PORTLIST_MAX];
	size_t nr;
};

/*
 * Parses "PORT" or "PORT:HOSTPORT".  HOSTPORT is PORT by default; 0 lets the
 * kernel choose.  Anything else is DIAG_USAGE.
 */
int port_parse(const char *text, struct port *ret, struct diag *dg);

/* Appends "3000 at 127.0.0.1:8080", and the reason if it is not served. */
void port_describe(const struct port *port, bool companion, struct strbuf *out);

/* Reads the list; an absent file is an empty list. */
int portlist_read(int session_fd, struct portlist *ret, struct diag *dg);
int portlist_write(
    int session_fd, const struct portlist *list, struct diag *dg);

/* Returns the entry of an inner port, or NULL. */
struct port *portlist_find(struct portlist *list, uint16_t inner);

/* Removes an entry that portlist_find() returned. */
void portlist_drop(struct portlist *list, struct port *port);

#endif /* DRYDOCK_PORTLIST_H */
