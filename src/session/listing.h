/* SPDX-License-Identifier: MIT */
/*
 * listing: all sessions, from the records and the engine together.
 */
#ifndef DRYDOCK_LISTING_H
#define DRYDOCK_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/strvec.h"
#include "session/ports.h"
#include "session/record.h"
#include "session/session.h"
#include "session/status.h"

struct container_list;
struct diag;
struct engine;
struct paths;
struct strbuf;

struct listed {
	char id[SESSION_ID_SIZE];
	enum session_state state;
	bool recorded;
	bool ending; /* a stop is in progress */
	bool companion; /* the companion runs */
	struct portlist ports; /* served only while the companion runs */
	bool resolves; /* servers is known */
	struct strvec servers; /* name servers of the session's proxy */
	bool proxy_gave_up; /* the session runs without a working proxy */
	struct record record; /* valid when recorded */
	/* Owned; NULL where unknown.  Set for orphans and strangers. */
	char *container; /* its id */
	char *image; /* its id */
	char *name;
	char *role;
	char *status; /* the engine's word for its state */
	char *session; /* the label; unverified */
	char *state_id;
	char *note; /* owned; the problem, or NULL */
};

struct listing {
	struct listed *v; /* owned; sorted by id, orphans last */
	size_t nr;
	bool silent; /* the engine did not answer: there may be more */
};

#define LISTING_INIT           \
	{                      \
		NULL, 0, false \
	}

/*
 * Lists the records, without an engine query.  Every state is SESSION_SILENT or
 * SESSION_DAMAGED.
 */
int listing_records(
    const struct paths *paths, struct listing *ret_listing, struct diag *dg);

/*
 * Lists records and containers, with one engine query.  If engine is NULL or
 * does not answer (a warning), sessions and listing are silent; that is no
 * failure.
 */
int listing_read(const struct paths *paths, const struct engine *engine,
    struct listing *ret_listing, struct diag *dg);

/*
 * Appends the containers and images that have drydock's labels and that no
 * record of this state directory lists, as SESSION_UNKNOWN_CONTAINER and
 * SESSION_UNKNOWN_IMAGE.  They are reported, never changed.  listing_read()
 * filled the listing before.  Sends two requests to the engine.  On failure the
 * listing is unchanged.
 */
int listing_add_strangers(const struct paths *paths,
    const struct engine *engine, struct listing *listing, struct diag *dg);

/* Warns of each such image, except images for another user. */
int listing_warn_images(
    const struct paths *paths, const struct engine *engine, struct diag *dg);

/*
 * Finds the one session whose id is word or begins with word.  No match is
 * DIAG_USAGE with errnum ENOENT; several matches are DIAG_USAGE with their ids.
 * Orphans never match.
 */
int listing_match(const struct listing *listing, const char *word,
    const struct listed **ret_found, struct diag *dg);

/*
 * Returns true if the session belongs to the project (a real path; NULL: any),
 * was launched, and has not ended.
 */
bool listed_is_attachable(const struct listed *s, const char *project);

/*
 * Appends a time, text in RFC 3339, as an age: "just now", "5 min ago", "2 h
 * ago", "3 d ago", or the local date.  Other text is appended as it is.
 */
void listed_add_when(struct strbuf *out, const char *text, time_t now);

/* The columns of a row of "drydock list"; all borrowed, none NULL. */
struct listed_row {
	const char *id, *state, *agent, *mode;
	const char *created_at; /* shown as listed_add_when() does */
	const char *project;
};

/* Appends the columns, escaped and padded, without a line end. */
void listed_add_row(struct strbuf *out, const struct listed_row *row);

/* Appends the row of a session. */
void listed_describe(const struct listed *s, struct strbuf *out);

/*
 * containers_of() returns the containers of one session in a list that
 * containers_sort() sorted: a borrowed slice of the list.
 */
void containers_sort(struct container_list *list);
struct container_list containers_of(
    const struct container_list *sorted, const char *id);

void listed_release(struct listed *s);
void listing_release(struct listing *listing);

#define cleanup_listing __attribute__((cleanup(listing_release)))

#endif /* DRYDOCK_LISTING_H */
