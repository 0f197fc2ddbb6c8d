/* SPDX-License-Identifier: MIT */
/*
 * session: one directory under sessions/ and its lease.
 *
 * Whoever holds sessions/ID/lease may change or delete the session.  The lease
 * is always taken by its path from sessions/, so a directory that was renamed
 * away meanwhile is noticed.
 */
#ifndef DRYDOCK_SESSION_H
#define DRYDOCK_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/lock.h"
#include "plan/role.h"

struct diag;
struct paths;
struct strvec;

#define SESSION_ID_SIZE 9 /* 8 of [a-z0-9], terminated */

struct session {
	char id[SESSION_ID_SIZE];
	char *dir; /* owned; absolute path */
	int dir_fd; /* O_RDONLY|O_DIRECTORY */
	int lease_fd; /* -1 when we do not hold the lease */
};

#define SESSION_INIT             \
	{                        \
		"", NULL, -1, -1 \
	}

/*
 * Appends the ids of all sessions' directories; over 100,000 is DIAG_DATA.  No
 * directory of sessions holds none.
 */
int session_list_ids(
    const struct paths *paths, struct strvec *ret_ids, struct diag *dg);

/* Whether name is a session's id: 8 of [a-z0-9]. */
bool session_id_valid(const char *name);

/*
 * Claims a fresh id by mkdir, takes its lease and makes home/ and run/, 0700;
 * plan_prepare() makes what else a plan mounts.  The claimer holds the lease.
 * On failure after the mkdir the directory is removed again as far as that is
 * possible.
 */
int session_claim(
    const struct paths *paths, struct session *ret_session, struct diag *dg);

/*
 * Opens the directory of an id and tries for its lease.  timeout_ms is 0 to
 * not wait.  Only for LOCK_WON is *ret_session filled (dir, dir_fd, lease_fd);
 * nothing that was read before counts.
 */
int session_lease(const struct paths *paths, const char *id, int timeout_ms,
    enum lock_answer *ret_answer, struct session *ret_session, struct diag *dg);

/* Opens dir_fd alone, without the lease: to look.  Absent is ENOENT. */
int session_open(const struct paths *paths, const char *id,
    struct session *ret_session, struct diag *dg);

/* Opens dir_fd of a leased session whose dir_fd was closed. */
int session_reopen(
    const struct paths *paths, struct session *session, struct diag *dg);

/*
 * Opens the source of a mount that lies in a session whose dir_fd is open, for
 * reading.  An agent may have taken the user's rights on it away: they are
 * given back.
 */
int session_open_mount(const struct session *session, enum mount_id id,
    int *ret_fd, struct diag *dg);

/* Lets go of descriptors and the lease; deletes nothing. */
void session_release(struct session *session);

/* Drops the lease alone: the containers are listed now. */
void session_drop_lease(struct session *session);

/*
 * Renames the directory into trash/ and removes it; the lease is held.  A
 * failed rename leaves the session as it was.  What cannot be removed after it
 * is named in *dg and the next session_empty_trash() tries again.
 */
int session_delete(
    const struct paths *paths, struct session *session, struct diag *dg);

/*
 * Removes what deletions left in trash/; failures are warnings, and counted.
 * What holds files of another user, which we may never remove, is told once,
 * with the command that does; from then on it is left alone, and told and
 * counted again with all.
 */
size_t session_empty_trash(const struct paths *paths, bool all);

#define cleanup_session __attribute__((cleanup(session_release)))

#endif /* DRYDOCK_SESSION_H */
