/* SPDX-License-Identifier: MIT */
/*
 * egress: the sidecar's process: runs the proxy as a child, and relays the
 * session's egress socket to it.
 */
#ifndef DRYDOCK_EGRESS_H
#define DRYDOCK_EGRESS_H

#include <stdint.h>

struct diag;

struct egress_spec {
	const char *socket; /* path to listen on */
	uint16_t port; /* the proxy's, on the loopback */
	char *const *argv; /* the proxy; argv[0] is an absolute path */
	const char *addresses; /* a file of the proxy's configuration */
	const char *log; /* the proxy's access log, or NULL */
	int lease_ms; /* wait this long for the session's lease; 0: forever */
};

/*
 * Runs until the proxy exits; *ret_status is the proxy's status.  TERM, INT and
 * HUP are passed on to the proxy.  When the file at addresses is replaced, the
 * proxy gets HUP and rereads its configuration.
 *
 * If the file "boot-id" beside it has another id than the host's boot, the
 * proxy is not started, and *ret_status is 0: the engine's restart policy does
 * not try again.  The same if lease_ms is set and the lease is not taken in that
 * time, or is lost: see guest/lease.h.
 */
int egress_run(
    const struct egress_spec *spec, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_EGRESS_H */
