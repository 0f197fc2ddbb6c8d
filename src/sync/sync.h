/* SPDX-License-Identifier: MIT */
/*
 * sync: the host's configuration of an agent becomes its snapshot.
 *
 * Whole or not at all: what fails leaves the last snapshot, and no mark that
 * it is fresh.  Of the host's own files nothing is ever written.
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

/* For how long whoever asked for a sync waits for another one. */
#define SYNC_WAIT_MS (10 * 60 * 1000)

struct sync_request {
	struct paths *paths; /* the state is opened */
	const struct settings *settings;
	const struct agent *agent;
	bool force; /* all of it anew, also when nothing changed */
	bool quiet; /* not a word about a wait for another sync */
	int wait_ms; /* for that */
};

struct sync_outcome {
	bool done; /* a new snapshot stands; else the last one is fresh */
	struct manifest manifest; /* what it is made from, what was skipped */
};

#define SYNC_OUTCOME_INIT        \
	{                        \
		0, MANIFEST_INIT \
	}

/*
 * Brings the snapshot up to date.  A sync that began after the call counts as
 * its own.  A host document that is wrong is skipped, a limit is DIAG_CONFIG, a
 * sync that does not end DIAG_BUSY.
 */
int sync_run(const struct sync_request *request, struct sync_outcome *ret,
    struct diag *dg);

/*
 * Tells what differs from the last sync and writes nothing: *ret_drift is the
 * number of differences, for each of which report is called with what and a
 * path below the home; "never" and the agent's name when there was no sync,
 * "rules" when it went by other rules.
 */
int sync_check(const struct sync_request *request, size_t *ret_drift,
    void (*report)(void *arg, const char *what, const char *path), void *arg,
    struct diag *dg);

/*
 * For a launch: syncs when that is due.  A failure is a warning; so is what
 * was skipped by a sync that was due, and at each launch what is not trusted.
 */
void sync_before_launch(const struct sync_request *request);

enum sync_tell {
	SYNC_TELL_ALL,
	SYNC_TELL_FAILURES, /* not readable, wrong, or not trusted */
	SYNC_TELL_DISTRUST /* an agent or another user may have put it there */
};

/*
 * Warns of entries that did not go along; returns how many of them are
 * failures.
 */
size_t sync_warn_skipped(
    const struct sync_outcome *outcome, enum sync_tell tell);

void sync_outcome_release(struct sync_outcome *outcome);

#define cleanup_sync_outcome __attribute__((cleanup(sync_outcome_release)))

#endif /* DRYDOCK_SYNC_H */
