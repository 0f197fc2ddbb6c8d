/* SPDX-License-Identifier: MIT */
/*
 * egress: the sidecar's own process: the proxy as a child, and the relay from
 * the session's egress socket to it.
 */
#ifndef DRYDOCK_EGRESS_H
#define DRYDOCK_EGRESS_H

#include <stdint.h>

struct diag;

struct egress_spec {
	const char *socket; /* path to listen at */
	uint16_t port; /* of the proxy, on the loopback */
	char *const *argv; /* the proxy, absolute path first */
	const char *addresses; /* a file of the proxy's configuration */
	const char *log; /* where the proxy logs requests, or NULL */
};

/*
 * Runs until the proxy ends; *ret_status is its own.  TERM is passed on.  When
 * the file at addresses is replaced, the proxy gets HUP and reads it again.
 */
int egress_run(
    const struct egress_spec *spec, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_EGRESS_H */
