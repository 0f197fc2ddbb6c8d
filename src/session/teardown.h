/* SPDX-License-Identifier: MIT */
/*
 * teardown: the two ways in which a launcher ends its own session.
 */
#ifndef DRYDOCK_TEARDOWN_H
#define DRYDOCK_TEARDOWN_H

#include <stdbool.h>

struct diag;
struct engine;
struct paths;
struct record;
struct session;

/*
 * Before go, the lease held: removes the containers that there are (asked for
 * when may_have_containers), then the session.  What fails is a warning: the
 * next collection tries again.
 */
void teardown_launch(const struct paths *paths, const struct engine *engine,
    struct record *record, bool may_have_containers, struct session *session);

/*
 * After the command's end, the lease not held: wins it again, waits for the
 * agent's container to have ended (agent_pidfd, or -1, saves questions) and
 * removes its containers and the session when it has ended.  A session that
 * ends with its client, and runs by then, has its container killed, with a
 * warning; one that may be left never.  client_left: the client saw the end or
 * leaves, and did not lose the connection.  What fails, or a lease that somebody
 * else keeps, leaves the rest to the next collection, with a warning.  Returns
 * the status of the end, or -1.
 */
int teardown_ended(const struct paths *paths, const struct engine *engine,
    const struct record *record, bool client_left, int agent_pidfd);

#endif /* DRYDOCK_TEARDOWN_H */
