/* SPDX-License-Identifier: MIT */
/*
 * route: how the proxy of a contained session gets out: its name servers, and
 * its upstream proxy.
 */
#ifndef DRYDOCK_ROUTE_H
#define DRYDOCK_ROUTE_H

#include <stdbool.h>

struct allowlist;
struct diag;
struct session;
struct settings;
struct strvec;

/*
 * Notes the upstream proxy of the settings, or that the environment has one
 * which sessions do not use.
 */
void route_note(const struct settings *settings, const char *const *environ_);

/*
 * Appends the name servers that the session's proxy has.  *ret_known is false
 * if it has not told them: it does not run yet, or is of an older version.
 */
int route_servers(const struct session *session, struct strvec *servers,
    bool *ret_known, struct diag *dg);

/*
 * Fails with DIAG_ENGINE if the proxy, which is ready, has no usable name
 * server, but must resolve names: those of the list, or the upstream proxy's.
 */
int route_check(const struct session *session, const struct allowlist *list,
    const struct settings *settings, struct diag *dg);

#endif /* DRYDOCK_ROUTE_H */
