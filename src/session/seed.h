/* SPDX-License-Identifier: MIT */
/*
 * seed: what a fresh session's home holds before anything runs in it.
 */
#ifndef DRYDOCK_SEED_H
#define DRYDOCK_SEED_H

struct agent;
struct diag;
struct paths;

/* Where the project's history is in the agent's container. */
#define SEED_HISTORY_TARGET "/var/lib/drydock/history"

/*
 * Copies the agent's synced snapshot, when there is one, into the empty home
 * (home_fd), and puts the agent's link to the history there, its parents
 * 0700.  What the snapshot has at the link's place goes away.
 */
int seed_home(const struct paths *paths, const struct agent *agent, int home_fd,
    struct diag *dg);

#endif /* DRYDOCK_SEED_H */
