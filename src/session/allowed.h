/* SPDX-License-Identifier: MIT */
/* allowed: the effective allowlist of a project's sessions, and its change. */
#ifndef DRYDOCK_ALLOWED_H
#define DRYDOCK_ALLOWED_H

struct allowlist;
struct diag;
struct paths;

/*
 * Loads what the next session of agent on the project (a path, which may be
 * gone) may reach, by the files alone: neither the environment nor options
 * count.
 */
int allowed_load(const struct paths *paths, const char *project,
    const char *agent, struct allowlist *list, struct diag *dg);

/*
 * Gives each contained session of the project (its real path; NULL: of all) the
 * effective list.  Running proxies read it; a stopped session's proxy reads a
 * newer one when it starts.  Each session is changed under its lease.  One that
 * cannot be changed keeps its list and is a warning; *ret_failed counts these.
 */
int allowed_apply(const struct paths *paths, const char *project,
    int *ret_failed, struct diag *dg);

#endif /* DRYDOCK_ALLOWED_H */
