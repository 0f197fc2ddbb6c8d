/* SPDX-License-Identifier: MIT */
/*
 * ports: serves ports of a session on the host's 127.0.0.1.
 *
 * The companion keeps the list of ports in a file of the session's directory,
 * so that the next companion of the session serves the same ports.
 *
 * Each client connection has one connection to the holder, which connects to
 * the port on the session's loopback.  The container gets no network.  Memory
 * is bounded: the number of connections is, and each buffers at most one read.
 */
#ifndef DRYDOCK_PORTS_H
#define DRYDOCK_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

struct diag;
struct host_port;
struct handshake;
struct jsonw;
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

/* Writes the list as an array, as list and port print it. */
void portlist_add_json(
    const struct portlist *list, bool companion, struct jsonw *w);

/* Returns the entry of an inner port, or NULL. */
struct port *portlist_find(struct portlist *list, uint16_t inner);

/* Removes an entry that portlist_find() returned. */
void portlist_drop(struct portlist *list, struct port *port);

struct ports {
	struct loop *loop;
	int session_fd; /* borrowed */
	struct portlist list;
	struct host_port
	    *host_ports[PORTLIST_MAX]; /* owned; the same order as list */
	struct handshake
	    *handshakes; /* owned; connections that wait for the holder */
	size_t nhandshakes;
	struct timer retry; /* for host ports that were taken */
};

/* Serves the ports of the session's list. */
void ports_open(struct ports *ports, struct loop *loop, int session_fd);
void ports_release(struct ports *ports);

/*
 * Requests of companion_ask(): "port add PORT:HOSTPORT" is answered with "ok
 * HOSTPORT", and "port remove PORT" with "ok 0".  A failure is "no ERRNO".
 * Returns false if line is none of them.
 */
bool ports_request(
    struct ports *ports, const char *line, struct strbuf *answer);

#endif /* DRYDOCK_PORTS_H */
