/* SPDX-License-Identifier: MIT */
/*
 * ports: serves ports of a session on the host's 127.0.0.1.
 *
 * Each client connection has one connection to the holder, which connects to
 * the port on the session's loopback.  The container gets no network.  Memory
 * is bounded: the number of connections is, and each buffers at most one read.
 */
#ifndef DRYDOCK_PORTS_H
#define DRYDOCK_PORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "session/portlist.h"

struct diag;
struct host_port;
struct handshake;
struct strbuf;

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
 * Requests of control.h: "port add PORT:HOSTPORT" is answered with "ok
 * HOSTPORT", and "port remove PORT" with "ok 0".  A failure is "no ERRNO".
 * Returns false if line is none of them.
 */
bool ports_request(
    struct ports *ports, const char *line, struct strbuf *answer);

#endif /* DRYDOCK_PORTS_H */
