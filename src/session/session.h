/* SPDX-License-Identifier: MIT */
/*
 * session: one directory under sessions/ and its lease.
 *
 * Only the holder of sessions/ID/lease may change or delete the session.  The
 * lease is always opened by its path from sessions/, so a directory that was
 * renamed away meanwhile is detected.
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

#define SESSION_ID_SIZE 9 /* 8 of [a-z0-9] and a NUL */

struct session {
	char id[SESSION_ID_SIZE];
	char *dir; /* owned; absolute path */
	int dir_fd; /* O_RDONLY|O_DIRECTORY */
	int lease_fd; /* -1: the lease is not held */
};

#define SESSION_INIT             \
	{                        \
		"", NULL, -1, -1 \
	}

/*
 * Appends the ids of all session directories.  More than 100,000 is DIAG_DATA.
 * Without a sessions/ directory there are none.
 */
int session_list_ids(
    const struct paths *paths, struct strvec *ret_ids, struct diag *dg);

/* Returns true if name has the form of a session's id: 8 of [a-z0-9]. */
bool session_id_valid(const char *name);

/*
 * Claims a new id by mkdir, takes its lease and makes home/, run/ and
 * services/, 0700.
 * plan_prepare() makes the other directories that a plan mounts.  The caller
 * holds the lease afterwards.  On failure after the mkdir the directory is
 * removed again if possible.
 */
int session_claim(
    const struct paths *paths, struct session *ret_session, struct diag *dg);

/*
 * Tries to take the lease of an id, for at most timeout_ms (0: without
 * waiting), and opens its directory.  *ret_session (dir, dir_fd, lease_fd) is
 * filled only for LOCK_WON.  Data that was read before is then stale.
 */
int session_lease(const struct paths *paths, const char *id, int timeout_ms,
    enum lock_answer *ret_answer, struct session *ret_session, struct diag *dg);

/*
 * Opens dir_fd without the lease, for reading only.  Absent is errnum ENOENT.
 */
int session_open(const struct paths *paths, const char *id,
    struct session *ret_session, struct diag *dg);

/* Opens dir_fd of a leased session again after it was closed. */
int session_reopen(
    const struct paths *paths, struct session *session, struct diag *dg);

/*
 * Opens for reading the source of a mount that lies in the session's directory;
 * dir_fd is open.  If the agent removed the user's permissions on an immediate
 * subdirectory, they are restored.
 */
int session_open_mount(const struct session *session, enum mount_id id,
    int *ret_fd, struct diag *dg);

/* Closes the descriptors and drops the lease; deletes nothing. */
void session_release(struct session *session);

/* Drops only the lease.  The record lists the containers by then. */
void session_drop_lease(struct session *session);

/*
 * Moves the directory into trash/ and removes it there; the caller holds the
 * lease.  If the rename fails, the session is as it was.  If the removal fails,
 * *dg names what is left, and the next session_empty_trash() tries again.
 */
int session_delete(
    const struct paths *paths, struct session *session, struct diag *dg);

/*
 * Removes what deletions left in trash/.  A failure is a warning.  Returns the
 * number of failures.  drydock may never remove files of another user.  A tree
 * with such files is reported once, with the command that removes it, and is
 * then skipped.  With all, it is tried, reported and counted again.
 */
size_t session_empty_trash(const struct paths *paths, bool all);

#define cleanup_session __attribute__((cleanup(session_release)))

#endif /* DRYDOCK_SESSION_H */
