/* SPDX-License-Identifier: MIT */
/*
 * listen: sockets to listen on and to reach, always non-blocking.
 */
#ifndef DRYDOCK_LISTEN_H
#define DRYDOCK_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "guest/loop.h"

struct diag;

/* Where the other end is: a unix path, or a port of the loopback. */
struct address {
	struct sockaddr_storage sa;
	socklen_t len;
	mode_t mode; /* of the socket that is made at a path; 0600 */
};

int address_unix(struct address *ret, const char *path, struct diag *dg);
void address_loopback(struct address *ret, uint16_t port);

/* A listening socket whose connections go to one function. */
struct listener {
	struct loop *loop; /* NULL: not open */
	struct watch watch; /* fd owned */
	struct timer pause; /* accepting goes on after it */
	bool allowed;
	void (*accepted)(void *arg, int fd);
	void *arg;
};

/*
 * Binds and listens.  What stands at a unix path is unlinked first, whoever
 * put it there.  accepted is given each connection, non-blocking.
 */
int listener_open(struct listener *l, struct loop *loop,
    const struct address *address, void (*accepted)(void *arg, int fd),
    void *arg, struct diag *dg);
void listener_release(struct listener *l);

/* Whether to accept at all; with no descriptors left it waits by itself. */
void listener_allow(struct listener *l, bool allowed);

#endif /* DRYDOCK_LISTEN_H */
