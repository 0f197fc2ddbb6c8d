/* SPDX-License-Identifier: MIT */
/*
 * relay: every connection to one socket is carried to another, in one loop.
 *
 * A half-closed stream stays open the other way for as long as it likes.  Each
 * direction holds at most one read's worth; a side that does not read stops
 * the other.
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
	size_t npairs, max; /* connections that are, that may be */
	struct relay_pair *pairs;
};

/*
 * Listens at from and carries to target, which is connected to anew for each
 * connection: where it is absent or refuses, the connection is reset.  The limit
 * of open files is raised to what is allowed.
 */
int relay_start(struct relay *relay, struct loop *loop,
    const struct address *from, const struct address *target, struct diag *dg);
void relay_release(struct relay *relay);

#endif /* DRYDOCK_RELAY_H */
