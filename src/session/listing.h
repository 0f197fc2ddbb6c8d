/* SPDX-License-Identifier: MIT */
/*
 * listing: the sessions there are, from records and engine together.
 */
#ifndef DRYDOCK_LISTING_H
#define DRYDOCK_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "session/record.h"
#include "session/session.h"
#include "session/status.h"

struct container_list;
struct diag;
struct engine;
struct paths;
struct strbuf;
struct strvec;

struct listed {
	char id[SESSION_ID_SIZE];
	enum session_state state;
	bool recorded;
	bool ending; /* a stop is at work on it */
	bool companion; /* it has one */
	bool proxy_gave_up; /* it runs, and has no way out */
	struct record record; /* when recorded */
	/* Owned, NULL where not known: of orphans and strangers. */
	char *container; /* its id */
	char *image; /* its id */
	char *name;
	char *role;
	char *status; /* the engine's word */
	char *session; /* the label, which nothing confirms */
	char *state_id;
	char *note; /* owned; what is wrong, or NULL */
};

struct listing {
	struct listed *v; /* owned; by id, orphans last */
	size_t nr;
	bool silent; /* the engine gave no answer: there may be more */
};

#define LISTING_INIT           \
	{                      \
		NULL, 0, false \
	}

/*
 * Records alone, no question to anybody; every state is SESSION_SILENT or
 * SESSION_DAMAGED.
 */
int listing_records(
    const struct paths *paths, struct listing *ret_listing, struct diag *dg);

/*
 * With one question to the engine.  engine NULL, or one that does not answer
 * (a warning), leaves sessions and listing silent and is no failure.
 */
int listing_read(const struct paths *paths, const struct engine *engine,
    struct listing *ret_listing, struct diag *dg);

/* Appends a row in state SESSION_SILENT; borrowed until the next call. */
struct listed *listing_add(struct listing *listing, const char *id);

/*
 * The one session that word is the id of, or a prefix of the id.  None is
 * DIAG_USAGE, and so are several, with their ids.
 */
int listing_match(const struct listing *listing, const char *word,
    const struct listed **ret_found, struct diag *dg);

/* Of this project (a real path; NULL: of any), launched, and not ended. */
bool listed_is_attachable(const struct listed *s, const char *project);

/* Appends text, escaped, and blanks up to a width: a column of such a line. */
void listed_add_column(struct strbuf *out, const char *text, size_t width);

/*
 * Appends when something happened, of text in RFC 3339, as people say it: "just
 * now", "5 min ago", "2 h ago", "3 d ago", or the local date.
 */
void listed_add_when(struct strbuf *out, const char *text, time_t now);

/* Appends "ID  state  agent  project" for a choice, escaped, one line. */
void listed_describe(const struct listed *s, struct strbuf *out);

/*
 * The containers of one session in a list sorted by containers_sort(): a part
 * of it, nothing owned.
 */
void containers_sort(struct container_list *list);
struct container_list containers_of(
    const struct container_list *sorted, const char *id);

void listed_release(struct listed *s);
void listing_release(struct listing *listing);

#define cleanup_listing __attribute__((cleanup(listing_release)))

#endif /* DRYDOCK_LISTING_H */
