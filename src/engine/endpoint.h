/* SPDX-License-Identifier: MIT */
/*
 * endpoint: which engine's socket the caller means.
 */
#ifndef DRYDOCK_ENDPOINT_H
#define DRYDOCK_ENDPOINT_H

#include <sys/types.h>

struct diag;

struct endpoint {
	char *socket; /* owned; real path of a unix socket */
	char *origin; /* owned; who named it */
	gid_t gid; /* the socket's group */
};

#define ENDPOINT_INIT                 \
	{                             \
		NULL, NULL, (gid_t)-1 \
	}

/*
 * In this order: setting (a path or a unix:// URL; "" is unset), DOCKER_HOST,
 * DOCKER_CONTEXT, the current context of DOCKER_CONFIG or home/.docker, and
 * /var/run/docker.sock.  A context that is not there or does not parse, and a
 * relative path, are DIAG_CONFIG; tcp, ssh and other machines' engines are
 * DIAG_ENGINE by name, as is a socket that is not there or no socket.
 */
int endpoint_find(const char *setting, const char *home,
    const char *const *environ_, struct endpoint *ret_endpoint,
    struct diag *dg);
void endpoint_release(struct endpoint *endpoint);

#define cleanup_endpoint __attribute__((cleanup(endpoint_release)))

#endif /* DRYDOCK_ENDPOINT_H */
