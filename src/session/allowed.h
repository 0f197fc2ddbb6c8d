/* SPDX-License-Identifier: MIT */
/* allowed: the effective allowlist of a project's sessions, and its change. */
#ifndef DRYDOCK_ALLOWED_H
#define DRYDOCK_ALLOWED_H

struct allowlist;
struct diag;
struct paths;

/*
 * Loads the hosts that the next session of agent on the project may reach.
 * project is a path, which may no longer exist.  Only files count, and neither
 * the environment nor options.
 */
int allowed_load(const struct paths *paths, const char *project,
    const char *agent, struct allowlist *list, struct diag *dg);

/*
 * Gives each contained session of the project (its real path; NULL: of all) the
 * effective list.  Running proxies read it; a stopped session gets the current
 * list when it starts.  Each session is changed under its lease.  A session
 * that cannot be changed keeps its list: a warning names it, and *ret_failed
 * counts it.
 */
int allowed_apply(const struct paths *paths, const char *project,
    int *ret_failed, struct diag *dg);

#endif /* DRYDOCK_ALLOWED_H */
