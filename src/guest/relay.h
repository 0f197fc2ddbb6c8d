/* SPDX-License-Identifier: MIT */
/*
 * relay: forwards each connection on one socket to another socket.
 *
 * A half-closed connection stays open in the other direction without a time
 * limit.  Each direction buffers at most one read.  Backpressure: a side that
 * does not read stops the other side.
 */
#ifndef DRYDOCK_RELAY_H
#define DRYDOCK_RELAY_H

#include <stddef.h>

#include "guest/listen.h"
#include "guest/loop.h"

struct relay_pair;

struct relay {
	struct loop *loop;
	struct listener listener;
	struct address target;
	size_t npairs, max; /* open connections, and their limit */
	struct relay_pair *pairs;
};

/*
 * Listens at from.  Each connection is forwarded on a new connection to target.
 * If target is absent or refuses, the connection is reset.  RLIMIT_NOFILE is
 * raised to its hard limit.
 */
int relay_start(struct relay *relay, struct loop *loop,
    const struct address *from, const struct address *target, struct diag *dg);
void relay_release(struct relay *relay);

#endif /* DRYDOCK_RELAY_H */
