/* SPDX-License-Identifier: MIT */
/*
 * generation: a whole snapshot of an agent's configuration.
 *
 * agents/AGENT/snapshot is the one that counts.  A new one grows beside it and
 * takes its place by one rename; nobody ever writes to one that stands there.
 * A reader holds a shared lock on the directory that it opened, and whoever
 * removes an old one takes the lock alone first.
 */
#ifndef DRYDOCK_GENERATION_H
#define DRYDOCK_GENERATION_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct paths;
struct scan;
struct settings;

#define GENERATION_NAME_SIZE 13 /* "gen-" and 8 of [a-z0-9], terminated */

/*
 * Opens the snapshot of an agent and holds it: it stays whole until the
 * descriptor is closed.  *ret_fd is -1 when there is none.
 */
int generation_open(
    const struct paths *paths, const char *agent, int *ret_fd, struct diag *dg);

/* Opens it without a lock, for who holds that of all writers. */
int generation_open_unlocked(int agent_fd, int *ret_fd, struct diag *dg);

/* Makes an empty one beside the snapshot, and holds it while it is open. */
int generation_make(int agent_fd, char ret_name[GENERATION_NAME_SIZE],
    int *ret_fd, struct diag *dg);

struct generation_spec {
	const struct paths *paths;
	const struct settings *settings;
	int old_fd; /* the snapshot that unchanged files are in, or -1 */
	int kept_fd; /* the last snapshot, for bad documents, or -1 */
	int fd; /* the empty one */
};

/*
 * Fills it from a scan.  An entry that is `same` is shared with the old one.  A
 * document that cannot be filtered is SCAN_BAD then, with the reason in its
 * detail, and the copy in kept_fd takes its place.
 * What turns out not to be readable is marked in the scan, what has gone since
 * is left out: the scan no longer fits then, and the next look will tell.
 */
int generation_fill(
    const struct generation_spec *spec, struct scan *scan, struct diag *dg);

/*
 * Tries again what an earlier sync could not read and nobody changed since:
 * what can be read now is no longer `same`, and is told as "changed" to report
 * (NULL: nobody).  Returns how many there are.
 */
size_t generation_retry(struct scan *scan,
    void (*report)(void *arg, const char *what, const char *path), void *arg);

/*
 * Puts name in the snapshot's place, all of it on disk before; the one that was
 * there has that name afterwards.
 */
int generation_swap(int agent_fd, const char *name, struct diag *dg);

/*
 * Removes what stands beside the snapshot and nobody reads; the caller is the
 * only writer.  What cannot be removed now is left to the next call; that of
 * one does not keep the others.
 */
int generation_clean(int agent_fd, struct diag *dg);

/* Whether something stands beside the snapshot. */
bool generation_has_old(int agent_fd);

#endif /* DRYDOCK_GENERATION_H */
