/* SPDX-License-Identifier: MIT */
/*
 * proxy: the session's way out: CONNECT, and plain HTTP, to what the list has.
 *
 * Each connection has one request.  Its name and port are judged first; only
 * then is the name resolved; each of its addresses is judged; and the proxy
 * connects to the judged addresses, not to the name.  A tunnel has no time
 * limit, also when it is half-closed.  A connection that exhausts a resource is
 * dropped.
 */
#ifndef DRYDOCK_PROXY_H
#define DRYDOCK_PROXY_H

#include <stddef.h>

#include "base/listen.h"
#include "base/loop.h"
#include "guest/lookup.h"
#include "guest/relay.h"

struct conn;
struct proxylist;
struct proxylog;

struct proxy {
	struct loop *loop;
	const struct proxylist *list; /* borrowed; may change between calls */
	struct proxylog *log; /* borrowed */
	struct listener listener;
	struct relay relay;
	struct lookups lookups;
	bool cannot_resolve; /* there is no name server */
	struct conn *conns; /* not yet, or not any more, in relay */
	size_t nconns;
	size_t max; /* conns and pairs; more wait in the backlog */
};

/*
 * Listens at from.  RLIMIT_NOFILE is raised to its hard limit.  list and log
 * must outlive the proxy.
 */
int proxy_start(struct proxy *proxy, struct loop *loop,
    const struct address *from, const struct proxylist *list,
    struct proxylog *log, struct diag *dg);
void proxy_release(struct proxy *proxy);

#endif /* DRYDOCK_PROXY_H */
