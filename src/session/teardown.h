/* SPDX-License-Identifier: MIT */
/*
 * teardown: how a launcher removes its own session, before go and after the
 * end.
 */
#ifndef DRYDOCK_TEARDOWN_H
#define DRYDOCK_TEARDOWN_H

#include <stdbool.h>

struct diag;
struct engine;
struct paths;
struct record;
struct start;

/*
 * Before go, with the lease held: removes the session's containers, then the
 * session.  Asks the engine for containers only if there may be some.  Does
 * nothing if no session was claimed, or if Compose keeps the lease.  A failure
 * is a warning: the next collection tries again.
 */
void teardown_launch(struct start *l);

/*
 * After the command's end, without the lease: takes the lease, waits for the
 * exit of the agent's container, and removes the containers and the session if
 * it has ended.  agent_pidfd is borrowed, or -1; it saves requests to the
 * engine.  If a session that ends with its client still runs after the wait,
 * its container is killed, with a warning.  A session that can be detached is
 * never killed.
 *
 * client_left: the client saw the end or leaves; false: it lost the connection.
 *
 * A failure, or a lease that another process keeps, is a warning: the next
 * collection removes the rest.  Returns the command's exit status, or -1.
 */
int teardown_ended(const struct paths *paths, const struct engine *engine,
    const struct record *record, bool client_left, int agent_pidfd);

#endif /* DRYDOCK_TEARDOWN_H */
