/* SPDX-License-Identifier: MIT */
/*
 * relay: forwards connections to other sockets: each one that a listening
 * socket accepts, or single ones that the caller hands over.
 *
 * A half-closed connection stays open in the other direction without a time
 * limit.  Each direction buffers at most one read.  Backpressure: a side that
 * does not read stops the other side.
 */
#ifndef DRYDOCK_RELAY_H
#define DRYDOCK_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/listen.h"
#include "base/loop.h"

struct relay_pair;
struct queue;

struct relay {
	struct loop *loop;
	struct listener listener;
	struct address target;
	bool passes_breaks; /* a broken connection breaks the other side */
	size_t npairs, max; /* open connections, and their limit */
	struct relay_pair *pairs;
	void (*freed)(void *arg); /* NULL, or called after a pair's end */
	void *arg;
};

/*
 * Listens at from.  Each connection is forwarded on a new connection to target.
 * If target is absent or refuses, the connection is reset.  RLIMIT_NOFILE is
 * raised to its hard limit.
 */
int relay_start(struct relay *relay, struct loop *loop,
    const struct address *from, const struct address *target, struct diag *dg);
void relay_release(struct relay *relay);

/*
 * Raises RLIMIT_NOFILE to its hard limit.  Returns the number of pairs, at most
 * max, that it suffices for: a pair needs two descriptors, and the rest of the
 * process needs some, too.
 */
size_t relay_raise_limit(size_t max);

/*
 * Prepares a relay without a listening socket, for at most max connections
 * that relay_connect() and relay_join() add.  Such a relay reports a broken
 * connection to the other side as broken, and not as its end.
 */
void relay_init(struct relay *relay, struct loop *loop, size_t max);

/* A connection to forward to an address that is connected to. */
struct relay_spec {
	int from_fd; /* non-blocking */
	const struct address *target;
	const struct address *second; /* when target refuses; or NULL */
	const void *greeting; /* sent to from_fd once connected; copied */
	size_t len; /* of greeting, at most RELAY_GREETING_MAX */
};
#define RELAY_GREETING_MAX 16

/*
 * Takes from_fd and forwards it.  from_fd is closed if nothing accepts the
 * connection.  Returns -1 if the relay is full, there is no memory, or the
 * targets refuse at once; from_fd is then the caller's.
 */
int relay_connect(struct relay *relay, const struct relay_spec *spec);

/* Two connections to forward between. */
struct relay_ends {
	int from_fd, to_fd; /* non-blocking */
	struct queue *to_from, *to_to; /* sent first; taken; or NULL */
	/*
	 * One HTTP exchange: body bytes of from_fd are passed on, and those
	 * that follow are discarded.  The answer gets the field "Connection:
	 * close", and its end of file ends the pair.
	 */
	bool is_exchange;
	uint64_t body;
};

/* Forwards, and takes descriptors and queues unless it returns -1. */
int relay_join(struct relay *relay, const struct relay_ends *ends);

/* Returns the status of a line that begins with "HTTP/1.x NNN", or 0. */
int relay_status(const char *line, size_t len);

/*
 * Closes a connection with a reset, where its socket family has one: the peer
 * gets an error instead of an end of file.
 */
void relay_close_reset(int fd);

#endif /* DRYDOCK_RELAY_H */
