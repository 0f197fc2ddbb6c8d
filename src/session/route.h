/* SPDX-License-Identifier: MIT */
/*
 * route: how the proxy of a contained session gets out: its name servers.
 */
#ifndef DRYDOCK_ROUTE_H
#define DRYDOCK_ROUTE_H

#include <stdbool.h>

struct allowlist;
struct diag;
struct session;
struct strvec;

/*
 * Appends the name servers that the session's proxy has.  *ret_known is false
 * if it has not told them: it does not run yet, or is of an older version.
 */
int route_servers(const struct session *session, struct strvec *servers,
    bool *ret_known, struct diag *dg);

/*
 * Fails with DIAG_ENGINE if the proxy, which is ready, has no usable name
 * server, but must resolve names of the list.
 */
int route_check(const struct session *session, const struct allowlist *list,
    struct diag *dg);

#endif /* DRYDOCK_ROUTE_H */
