/* SPDX-License-Identifier: MIT */
/* endpoint: finds the socket of the engine that the caller selected. */
#ifndef DRYDOCK_ENDPOINT_H
#define DRYDOCK_ENDPOINT_H

#include <sys/types.h>

struct diag;

struct endpoint {
	char *socket; /* owned; real path of a unix socket */
	char *origin; /* owned; the source: a setting, a variable, a context */
	gid_t gid; /* the socket's group */
};

#define ENDPOINT_INIT                 \
	{                             \
		NULL, NULL, (gid_t)-1 \
	}

/*
 * Finds the socket.  The first source that is set wins: setting (a path or a
 * unix:// URL; "" is unset), DOCKER_HOST, DOCKER_CONTEXT, the current context
 * in DOCKER_CONFIG or home/.docker, and /var/run/docker.sock.
 *
 * DIAG_CONFIG: a context is missing or does not parse, a value has no URL
 * scheme, or a path is relative.  DIAG_ENGINE: the URL scheme is not unix (tcp,
 * ssh, ...; the message names the scheme), or the socket is missing,
 * unreachable or not a socket.
 */
int endpoint_find(const char *setting, const char *home,
    const char *const *environ_, struct endpoint *ret_endpoint,
    struct diag *dg);
void endpoint_release(struct endpoint *endpoint);

#define cleanup_endpoint __attribute__((cleanup(endpoint_release)))

#endif /* DRYDOCK_ENDPOINT_H */
