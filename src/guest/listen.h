/* SPDX-License-Identifier: MIT */
/*
 * listen: sockets to listen on and to reach, always non-blocking.
 */
#ifndef DRYDOCK_LISTEN_H
#define DRYDOCK_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

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
	struct timer look; /* at a guarded path */
	struct address address; /* of a guarded path */
	struct stat file; /* the socket's, there */
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

/*
 * From now on looks at the unix path every LISTEN_LOOK_MS.  Where the path does
 * not lead to this socket any more, a new socket takes its place at once:
 * whatever stands there is removed, or, a directory that is not empty, renamed.
 * Connections that were accepted before stay.
 */
#define LISTEN_LOOK_MS 1000
void listener_guard(struct listener *l, const struct address *address);

/* Whether to accept at all; with no descriptors left it waits by itself. */
void listener_allow(struct listener *l, bool allowed);

#endif /* DRYDOCK_LISTEN_H */
