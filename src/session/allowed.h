/* SPDX-License-Identifier: MIT */
/* allowed: the effective allowlist of a project's sessions, and its change. */
#ifndef DRYDOCK_ALLOWED_H
#define DRYDOCK_ALLOWED_H

struct allowlist;
struct diag;
struct paths;
struct record;
struct settings;

/*
 * Loads the hosts that the next session of the agent on a project may reach.
 * The project's directory, dir, may no longer exist: then the other lists count.
 * Any other failure to open it is an error.  Only files count, and neither the
 * environment nor options.  With the record of a session (else NULL), loads
 * the hosts that this session may reach: its recorded settings count, too, and
 * a project that no longer exists is a failure.
 */
int allowed_load(const struct paths *paths, const char *dir,
    const char *agent_name, const struct record *record, struct allowlist *list,
    struct diag *dg);

/*
 * Records the settings that decide the list and come from an option or the
 * environment, because no file has them when the list changes.
 */
void allowed_record(const struct settings *settings, struct record *record);

/* Applies the recorded settings; they beat all others. */
int allowed_restore(
    struct settings *settings, const struct record *record, struct diag *dg);

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
