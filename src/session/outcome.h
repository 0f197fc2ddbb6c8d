/* SPDX-License-Identifier: MIT */
/*
 * outcome: what is kept of a session that has ended: ended/ID.json, beside the
 * sessions, whose directories always go.
 *
 * A small file: status, times, limits that were met, hosts that the proxy
 * refused, and the last screen as text.  What it tells of came from the agent
 * and is hostile: bounded here, and escaped wherever it is printed.
 */
#ifndef DRYDOCK_OUTCOME_H
#define DRYDOCK_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strvec.h"
#include "session/limitsmet.h"
#include "session/refused.h"

struct session_facts;
struct diag;
struct json;
struct jsonw;
struct paths;
struct settings;
struct strbuf;

enum {
	OUTCOME_PER_PROJECT = 20, /* that are kept */
};

struct outcome {
	char *id; /* owned, as are all strings; none is NULL */
	char *project;
	char *agent;
	char *mode;
	char *kind;
	char *created_at;
	char *ended_at;
	bool ends_with_client;
	bool stopped; /* by drydock stop */
	int status; /* the command's; -1: not known */
	struct limitsmet met;
	struct refused refused;
	struct strvec screen; /* lines, in UTF-8 */
};

#define OUTCOME_INIT                                                         \
	{                                                                    \
		.status = -1, .refused = REFUSED_INIT, .screen = STRVEC_INIT \
	}

/* Reads what a session that has ended, or stopped, leaves in its directory. */
void outcome_gather(const struct session_facts *facts, int session_fd,
    struct outcome *ret_outcome);

/*
 * Keeps it, in place of what was kept of that session, and removes the oldest
 * of the project beyond OUTCOME_PER_PROJECT, those that ended with their client
 * first.
 */
int outcome_keep(const struct paths *paths, const struct outcome *outcome,
    int session_fd, struct diag *dg);

/* Nothing kept of that id is ENOENT; a file that is none is DIAG_DATA. */
int outcome_read(const struct paths *paths, const char *id,
    struct outcome *ret_outcome, struct diag *dg);
int outcome_parse(
    const char *text, size_t len, struct outcome *ret_outcome, struct diag *dg);
/* Appends it as a JSON object; for outcome_parse(), and for list. */
void outcome_write(const struct outcome *outcome, struct jsonw *w);

struct outcomes {
	struct outcome *v; /* owned; the latest end first */
	size_t nr;
};

#define OUTCOMES_INIT   \
	{               \
		NULL, 0 \
	}

/* All that are kept; one that cannot be read is a warning. */
int outcomes_read(
    const struct paths *paths, struct outcomes *ret_outcomes, struct diag *dg);
void outcomes_release(struct outcomes *outcomes);

/*
 * Removes what is kept for longer than the setting keep_ended.  What cannot be
 * removed is a warning, and counted.
 */
size_t outcomes_prune(
    const struct paths *paths, const struct settings *settings);

/* The one whose id word is, or is the start of; NULL: none, or several. */
const struct outcome *outcomes_find(
    const struct outcomes *outcomes, const char *word);

/* Notes for the user beside the status: limits that were met, refused hosts. */
void outcome_tell(const struct outcome *outcome, const struct paths *paths);

/* Appends "session ID ended with status N at TIME"; escaped, one line. */
void outcome_describe(const struct outcome *outcome, struct strbuf *out);

/* Appends a row as listed_describe() does. */
void outcome_describe_row(const struct outcome *outcome, struct strbuf *out);

void outcome_release(struct outcome *outcome);

#define cleanup_outcome __attribute__((cleanup(outcome_release)))
#define cleanup_outcomes __attribute__((cleanup(outcomes_release)))

#endif /* DRYDOCK_OUTCOME_H */
