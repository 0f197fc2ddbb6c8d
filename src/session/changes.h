/* SPDX-License-Identifier: MIT */
/*
 * changes: what differs between the watched files now and at a session's start.
 *
 * Anybody who writes to the project makes such a difference: the agent, another
 * session, or the user.  A launch stores the state of the files in
 * sessions/ID/.  At the end, the part of it that differs moves to
 * ended/ID.watched, where it stays as long as ended/ID.json.
 */
#ifndef DRYDOCK_CHANGES_H
#define DRYDOCK_CHANGES_H

#include "session/watched.h"

struct diag;
struct paths;
struct plan;
struct strbuf;

struct change {
	struct watched_file before; /* WATCHED_ABSENT: the file is new */
	struct watched_file now; /* WATCHED_ABSENT: the file is removed */
};

struct changes {
	/* The list, the open roots and missed; its files have moved to v. */
	struct watched start;
	struct change *v; /* owned; sorted by root and path */
	size_t nr;
	char *missed; /* owned; the first place that was not searched now */
};

#define CHANGES_INIT                   \
	{                              \
		.start = WATCHED_INIT, \
	}

/*
 * Stores the state of the files at a launch.  list is the text of the watch
 * list.  *ret_missed (returned) is the first directory that was not searched,
 * or NULL.
 */
int changes_begin(const struct plan *plan, const char *list, size_t len,
    int session_fd, char **ret_missed, struct diag *dg);

/*
 * Finds the changes of a session that exists.  Without a stored state, errnum
 * is ENOENT: an older version started the session.
 */
int changes_find(int session_fd, int timeout_ms, struct changes *ret_changes,
    struct diag *dg);

/* The same for an ended session: those of its changes that are still there. */
int changes_find_ended(const struct paths *paths, const char *id,
    struct changes *ret_changes, struct diag *dg);

/*
 * Prints notes about the changes of the session, unless the last notes were
 * about the same ones.  A session without a stored state has none.
 */
void changes_tell(int session_fd, const char *id, int timeout_ms);

/* The same for an ended session, each time. */
void changes_tell_ended(const struct paths *paths, const char *id);

/*
 * Stores the changes of a session that ends.  A failure is a warning: nothing
 * may keep an ended session.
 */
void changes_keep(const struct paths *paths, int session_fd, const char *id);

/* Returns "changed", "new" or "removed". */
const char *change_word(const struct change *change);
/* Returns the state that exists: now, or before. */
const struct watched_file *change_file(const struct change *change);

void changes_release(struct changes *changes);

#define cleanup_changes __attribute__((cleanup(changes_release)))

#endif /* DRYDOCK_CHANGES_H */
