/* SPDX-License-Identifier: MIT */
/*
 * seed: what a fresh session's home holds before anything runs in it.
 */
#ifndef DRYDOCK_SEED_H
#define DRYDOCK_SEED_H

struct agent;
struct diag;
struct paths;
struct settings;

/* Where the project's history is in the agent's container. */
#define SEED_HISTORY_TARGET "/var/lib/drydock/history"

struct seed_spec {
	const struct paths *paths; /* the state is opened */
	const struct settings *settings;
	const struct agent *agent;
	const char *project; /* its path: other projects' entries stay away */
};

/*
 * Fills the empty home (home_fd): the agent's synced snapshot, when there is
 * one, copied without a hard link and without what the settings leave out; the
 * user's git identity; the user's own files from home.d; and the agent's link
 * to the history, its parents 0700, in place of what was there.
 */
int seed_home(const struct seed_spec *spec, int home_fd, struct diag *dg);

#endif /* DRYDOCK_SEED_H */
