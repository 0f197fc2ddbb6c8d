/* SPDX-License-Identifier: MIT */
/* sessions: lists and selects existing sessions, for several commands. */
#ifndef DRYDOCK_SESSIONS_H
#define DRYDOCK_SESSIONS_H

#include <stdbool.h>

#include "cmd/cmd.h"
#include "engine/engine.h"
#include "session/listing.h"
#include "session/look.h"

struct diag;
struct outcome;
struct outcomes;

/*
 * Connects ctx->engine for a project (its real path) or NULL, without Compose,
 * and opens the state directory of ctx.
 */
int sessions_find_engine(
    struct context *ctx, const char *project, struct diag *dg);

/* The same with Compose, for what asks it or starts containers. */
int sessions_find_compose(struct context *ctx, struct diag *dg);

/*
 * Lists all sessions with their states.  An engine that does not answer is a
 * warning.  Unless ret_untold is NULL, the list includes containers and images
 * with drydock's labels and without a record (session/listing.h).  A failure
 * of that query is stored in *ret_untold.
 */
int sessions_list(struct context *ctx, const char *project,
    struct listing *ret_listing, struct diag *ret_untold, struct diag *dg);

/*
 * Lists the sessions of a project (NULL: of all projects) that attach could
 * show.  The engine is queried only when the records have more than unasked
 * such sessions, because the records may be out of date.  A session with an
 * unreadable record is a warning and sets *ret_unread.
 */
int sessions_of_project(struct context *ctx, const char *project,
    size_t unasked, struct listing *ret_listing, bool *ret_unread,
    struct diag *dg);

/* Appends one line per session, for a diag detail or a prompt. */
void sessions_describe(const struct listing *listing, struct strbuf *out);

/* The session that a command takes by default. */
enum sessions_default {
	/* the only session of the working directory's project */
	SESSIONS_OF_PROJECT,
	/*
	 * the same; in a directory that cannot be a project (the home), the
	 * only session of all projects
	 */
	SESSIONS_OF_ANY,
};

/*
 * Selects a session.  word is an id, the start of an id, or a directory with
 * one session; NULL selects the default.  If several sessions match a
 * directory, the user is asked; without a terminal that is DIAG_USAGE with the
 * choices.  No session of a directory is DIAG_NO, no session with an id is
 * DIAG_USAGE, both with errnum ENOENT.  DIAG_DATA when an unreadable record
 * leaves this open.
 */
int sessions_choose(struct context *ctx, const char *word,
    enum sessions_default fallback, char ret_id[SESSION_ID_SIZE],
    struct diag *dg);

/*
 * Reads the state of a session without its lease and finds the agent's
 * container, verified by record, labels and engine.  Fails when there is no
 * such container, with the session's state in the message.  *ret_look
 * describes *ret_session.  *ret_agent is borrowed from *ret_look.
 */
int sessions_look(struct context *ctx, const char *id,
    struct session *ret_session, struct session_look *ret_look,
    const struct container **ret_agent, struct diag *dg);

/*
 * Finds the ended session whose id equals or starts with word, after
 * sessions_choose() failed with errnum ENOENT.  Returns NULL if there is none,
 * or, after a warning, if ended/ cannot be read.  The outcome is borrowed from
 * *ret_all, which must be empty.
 */
const struct outcome *sessions_find_ended(
    struct context *ctx, const char *word, struct outcomes *ret_all);

/*
 * Shows that session after the failure in *dg, and clears *dg: the last screen
 * on stdout, escaped, and the outcome on stderr.  *ret_status is the command's
 * exit status, or 1 if that is not known.  Without such a session returns -1
 * and leaves the failure.
 */
int sessions_show_ended(
    struct context *ctx, const char *word, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_SESSIONS_H */
