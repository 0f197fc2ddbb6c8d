/* SPDX-License-Identifier: MIT */
/* listen: listening sockets and addresses to connect to; never blocking. */
#ifndef DRYDOCK_LISTEN_H
#define DRYDOCK_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/loop.h"

struct diag;

/* An address: a unix path, or a port on the loopback. */
struct address {
	struct sockaddr_storage sa;
	socklen_t len;
	mode_t mode; /* of the socket created at a path; 0600 */
};

int address_unix(struct address *ret, const char *path, struct diag *dg);
void address_loopback(struct address *ret, uint16_t port);
void address_loopback6(struct address *ret, uint16_t port);

/* A listening socket that passes its connections to one function. */
struct listener {
	struct loop *loop; /* NULL: not open */
	struct watch watch; /* fd owned */
	struct timer pause; /* accepting resumes when it fires */
	struct timer look; /* time of the next check of a guarded path */
	struct address address; /* of a guarded path */
	struct stat file; /* the socket file at that path */
	bool allowed;
	void (*accepted)(void *arg, int fd);
	void *arg;
};

/*
 * Binds and listens.  An existing file at a unix path is unlinked first.
 * accepted gets each connection (given), non-blocking.
 */
int listener_open(struct listener *l, struct loop *loop,
    const struct address *address, void (*accepted)(void *arg, int fd),
    void *arg, struct diag *dg);
void listener_release(struct listener *l);

/*
 * Guards the unix path: checks it every LISTEN_LOOK_MS.  If the path does not
 * lead to this socket any more, a new socket replaces it at once.  The file
 * found there is removed; a directory that is not empty is renamed.  Accepted
 * connections stay open.
 */
#define LISTEN_LOOK_MS 1000
void listener_guard(struct listener *l, const struct address *address);

/*
 * Turns accepting on or off.  If no descriptor is left, accepting pauses by
 * itself.
 */
void listener_allow(struct listener *l, bool allowed);

#endif /* DRYDOCK_LISTEN_H */
