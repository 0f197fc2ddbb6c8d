/* SPDX-License-Identifier: MIT */
/*
 * sync: copies the host's configuration of an agent into its snapshot.
 *
 * A sync is atomic: after a failure the previous snapshot is in place and is
 * not marked as fresh.  A sync never writes to the host's own files.
 */
#ifndef DRYDOCK_SYNC_H
#define DRYDOCK_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "sync/manifest.h"

struct agent;
struct diag;
struct paths;
struct settings;

/* How long a sync requested by the user waits for another sync. */
#define SYNC_WAIT_MS (10 * 60 * 1000)

struct sync_request {
	struct paths *paths; /* with an open state directory */
	const struct settings *settings;
	const struct agent *agent;
	bool force; /* rebuild everything even if nothing changed */
	bool quiet; /* no note about waiting for another sync */
	int wait_ms; /* limit of that wait */
};

struct sync_outcome {
	bool done; /* true: a new snapshot; false: the last one is fresh */
	struct manifest manifest; /* inputs, and what was skipped */
};

#define SYNC_OUTCOME_INIT        \
	{                        \
		0, MANIFEST_INIT \
	}

/*
 * Updates the snapshot.  If another sync began after this call and has
 * finished, its result is used.  A malformed host document is skipped.
 * Exceeding a limit is DIAG_CONFIG.  Another sync that does not finish in time
 * is DIAG_BUSY.
 */
int sync_run(const struct sync_request *request, struct sync_outcome *ret,
    struct diag *dg);

/*
 * Compares the host with the last sync, and writes nothing.  *ret_drift is the
 * number of differences.  report is called for each one with "new", "changed"
 * or "gone" and a path below the home.  If there was no sync, it is called with
 * "never" and the agent's name; if the last sync had other rules, with "rules"
 * and the agent's name.
 */
int sync_check(const struct sync_request *request, size_t *ret_drift,
    void (*report)(void *arg, const char *what, const char *path), void *arg,
    struct diag *dg);

/*
 * For a launch: runs a sync if one is needed.  A failure is a warning.  Files
 * that the sync skipped are warnings too.  Files that are not trusted are
 * warnings at each launch.
 */
void sync_before_launch(const struct sync_request *request);

enum sync_tell {
	SYNC_TELL_ALL,
	SYNC_TELL_FAILURES, /* unreadable, malformed or untrusted */
	SYNC_TELL_DISTRUST /* may come from an agent or another user */
};

/* Warns about skipped entries.  Returns how many of them are failures. */
size_t sync_warn_skipped(
    const struct sync_outcome *outcome, enum sync_tell tell);

void sync_outcome_release(struct sync_outcome *outcome);

#define cleanup_sync_outcome __attribute__((cleanup(sync_outcome_release)))

#endif /* DRYDOCK_SYNC_H */
