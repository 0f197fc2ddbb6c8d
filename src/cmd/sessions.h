/* SPDX-License-Identifier: MIT */
/*
 * sessions: what commands on existing sessions share: listing, and choosing.
 */
#ifndef DRYDOCK_SESSIONS_H
#define DRYDOCK_SESSIONS_H

#include <stdbool.h>

#include "cmd/cmd.h"
#include "engine/engine.h"
#include "session/listing.h"
#include "session/look.h"

struct diag;

/*
 * Makes ctx->engine ready, for a project (its real path) or NULL; ctx has an
 * open state directory afterwards.
 */
int sessions_find_engine(
    struct context *ctx, const char *project, struct diag *dg);

/*
 * All sessions with their states; an engine that does not answer is a warning.
 * Unless ret_untold is NULL also what has drydock's labels and no record
 * (session/strangers.h); ret_untold is set when that cannot be told.
 */
int sessions_list(struct context *ctx, const char *project,
    struct listing *ret_listing, struct diag *ret_untold, struct diag *dg);

/*
 * What attach could show of this project; NULL: of all projects.  The engine,
 * which may know better than the records, is asked where these have more than
 * unasked of them.  A session whose record cannot be read is a warning;
 * *ret_unread: there is one.
 */
int sessions_of_project(struct context *ctx, const char *project,
    size_t unasked, struct listing *ret_listing, bool *ret_unread,
    struct diag *dg);

/* Appends one line for each, as diag detail or for a prompt. */
void sessions_describe(const struct listing *listing, struct strbuf *out);

/* Which session a command takes that is given none. */
enum sessions_default {
	SESSIONS_OF_PROJECT, /* the working directory's only one */
	SESSIONS_OF_ANY, /* in a home, too: the only one of all projects */
};

/*
 * The session that a word names: an id, the start of one, or a directory, for
 * its only one.  NULL is the default.  Of several one is asked for: DIAG_USAGE
 * with the choices where nobody can be asked.  DIAG_NO when there is none,
 * DIAG_DATA when that cannot be known.
 */
int sessions_choose(struct context *ctx, const char *word,
    enum sessions_default fallback, char ret_id[SESSION_ID_SIZE],
    struct diag *dg);

/*
 * Looks at a session without its lease, and finds the agent's container, made
 * sure of by record, labels and engine.  Without one the failure says what
 * state the session is in.  ret_look is of ret_session.
 */
int sessions_look(struct context *ctx, const char *id,
    struct session *ret_session, struct session_look *ret_look,
    const struct container **ret_agent, struct diag *dg);

#endif /* DRYDOCK_SESSIONS_H */
