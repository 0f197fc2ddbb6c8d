/* SPDX-License-Identifier: MIT */
/*
 * outcome: what drydock keeps of a session that has ended, in ended/ID.json.
 * The session's own directory is always removed.
 *
 * The file is small: exit status, times, limits that were hit, hosts that the
 * proxy refused, signatures by key and purpose, and the last screen as text.
 * The content comes from the agent and is hostile.  It is bounded here, and
 * escaped wherever it is printed.
 */
#ifndef DRYDOCK_OUTCOME_H
#define DRYDOCK_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"
#include "session/endnote.h"
#include "session/refused.h"
#include "session/signatures.h"

struct session_facts;
struct diag;
struct json;
struct jsonw;
struct paths;
struct settings;
struct strbuf;

/* In ENDED_DIR of the state directory, names are a session's id and a suffix. */
#define ENDED_DIR "ended"
#define ENDED_OUTCOME ".json"
#define ENDED_WATCHED ".watched" /* changes.h */
#define ENDED_KEPT ".kept" /* a directory; restore.h */

enum {
	OUTCOME_PER_PROJECT = 20, /* outcomes kept */
};

struct outcome {
	char *id; /* owned; no string here is NULL */
	char *project;
	char *agent;
	char *mode;
	char *kind;
	char *created_at;
	char *ended_at;
	bool ends_with_client;
	bool stopped; /* by "drydock stop" */
	int status; /* of the command; -1: unknown */
	struct limitsmet met;
	struct refused refused;
	struct signatures signatures; /* signed ones, no details */
	struct strvec screen; /* lines, in UTF-8 */
};

#define OUTCOME_INIT                                                 \
	{                                                            \
		.status = -1, .refused = REFUSED_INIT,               \
		.signatures = SIGNATURES_INIT, .screen = STRVEC_INIT \
	}

/*
 * Gathers the outcome of a session that has ended or stopped from the facts and
 * from its directory.  The caller releases *ret_outcome.
 */
void outcome_gather(const struct session_facts *facts, int session_fd,
    struct outcome *ret_outcome);

/*
 * Writes the outcome to ended/ID.json, in place of an earlier one of that
 * session.  Then removes the project's outcomes beyond OUTCOME_PER_PROJECT, the
 * oldest first.  Outcomes of sessions that end with their client go before all
 * others.
 */
int outcome_keep(const struct paths *paths, const struct outcome *outcome,
    int session_fd, struct diag *dg);

/* An absent outcome is errnum ENOENT; an invalid file is DIAG_DATA. */
int outcome_read(const struct paths *paths, const char *id,
    struct outcome *ret_outcome, struct diag *dg);
int outcome_parse(
    const char *text, size_t len, struct outcome *ret_outcome, struct diag *dg);
/*
 * Appends the outcome as a JSON object, for outcome_parse() and "drydock list".
 */
void outcome_write(const struct outcome *outcome, struct jsonw *w);

struct outcomes {
	struct outcome *v; /* owned; sorted by end, latest first */
	size_t nr;
};

#define OUTCOMES_INIT   \
	{               \
		NULL, 0 \
	}

/* Reads all outcomes.  An unreadable one is skipped with a warning. */
int outcomes_read(
    const struct paths *paths, struct outcomes *ret_outcomes, struct diag *dg);
void outcomes_release(struct outcomes *outcomes);

/*
 * Removes outcomes that are older than the setting keep_ended.  A failed
 * removal is a warning.  Returns the number of failures.
 */
size_t outcomes_prune(
    const struct paths *paths, const struct settings *settings);

/*
 * Returns the outcome whose id is word or starts with word; NULL if there is
 * none or more than one.
 */
const struct outcome *outcomes_find(
    const struct outcomes *outcomes, const char *word);

/*
 * Prints notes for the user besides the status: limits that were hit, refused
 * hosts, signatures.
 */
void outcome_tell(const struct outcome *outcome, const struct paths *paths);

/*
 * Appends "session ID has ended with status N at TIME", or that "drydock stop"
 * stopped it; escaped, one line.
 */
void outcome_describe(const struct outcome *outcome, struct strbuf *out);

/* Appends a row in the format of listed_describe(). */
void outcome_describe_row(const struct outcome *outcome, struct strbuf *out);

void outcome_release(struct outcome *outcome);

#define cleanup_outcome __attribute__((cleanup(outcome_release)))
#define cleanup_outcomes __attribute__((cleanup(outcomes_release)))

#endif /* DRYDOCK_OUTCOME_H */
