/* SPDX-License-Identifier: MIT */
/*
 * tunnel: stdin and stdout, connected to a host through the session's proxy.
 *
 * This is ssh's ProxyCommand in a contained session.
 */
#ifndef DRYDOCK_TUNNEL_H
#define DRYDOCK_TUNNEL_H

#include <stdint.h>

struct diag;

/*
 * Sends CONNECT to the proxy on proxy_port of the loopback, then copies stdin to
 * the connection, and the connection to stdout until its end.  The end of stdin
 * closes one direction.  A refusal is DIAG_POLICY with the reason phrase of the
 * proxy's answer.
 */
int tunnel_run(
    const char *host, const char *port, uint16_t proxy_port, struct diag *dg);

#endif /* DRYDOCK_TUNNEL_H */
