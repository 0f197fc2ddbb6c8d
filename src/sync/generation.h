/* SPDX-License-Identifier: MIT */
/*
 * generation: a complete snapshot of an agent's configuration.
 *
 * The current snapshot is agents/AGENT/snapshot.  A new one is made beside it
 * and replaces it by one rename.  A snapshot in place is never written to.  A
 * reader holds a shared lock on the directory that it opened.  An old snapshot
 * is removed only under an exclusive lock.
 */
#ifndef DRYDOCK_GENERATION_H
#define DRYDOCK_GENERATION_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct paths;
struct scan;
struct settings;

#define GENERATION_NAME_SIZE 13 /* "gen-", 8 of [a-z0-9], NUL */

/*
 * Opens the snapshot of an agent and takes a shared lock: the snapshot is not
 * removed until the descriptor is closed.  *ret_fd is -1 if there is no
 * snapshot.
 */
int generation_open(
    const struct paths *paths, const char *agent, int *ret_fd, struct diag *dg);

/*
 * Like generation_open(), without the shared lock.  For the holder of the
 * writers' lock.
 */
int generation_open_unlocked(int agent_fd, int *ret_fd, struct diag *dg);

/*
 * Makes an empty generation beside the snapshot.  It is locked (shared) until
 * *ret_fd is closed.
 */
int generation_make(int agent_fd, char ret_name[GENERATION_NAME_SIZE],
    int *ret_fd, struct diag *dg);

struct generation_spec {
	const struct paths *paths;
	const struct settings *settings;
	int old_fd; /* snapshot with the unchanged files, or -1 */
	int kept_fd; /* last snapshot, for invalid documents; or -1 */
	int fd; /* the empty generation */
};

/*
 * Fills the generation from a scan.  A file whose entry is `same` is a hard
 * link to the file in old_fd.  A document that cannot be filtered is replaced
 * by the copy in kept_fd; its entry becomes SCAN_BAD with the reason in its
 * detail.
 *
 * A file that turns out to be unreadable is marked in the scan.  A file that
 * has disappeared is left out.  Its entry then differs from the host, so that
 * the next sync detects the change.
 */
int generation_fill(
    const struct generation_spec *spec, struct scan *scan, struct diag *dg);

/*
 * Retries unchanged files that an earlier sync could not read.  If a file is
 * readable now, clears `same` and calls report with "changed" (NULL: no
 * report).  Returns the number of such files.
 */
size_t generation_retry(struct scan *scan,
    void (*report)(void *arg, const char *what, const char *path), void *arg);

/*
 * Flushes the generation to disk and puts it in the place of the snapshot.  The
 * previous snapshot gets the name of the generation.
 */
int generation_swap(int agent_fd, const char *name, struct diag *dg);

/*
 * Removes the old snapshots that have no reader.  The caller holds the writers'
 * lock.  A snapshot that cannot be removed now is left to the next call, and
 * does not prevent the removal of others; the first failure is reported.
 */
int generation_clean(int agent_fd, struct diag *dg);

/* Returns true if there is an old snapshot beside the snapshot. */
bool generation_has_old(int agent_fd);

#endif /* DRYDOCK_GENERATION_H */
