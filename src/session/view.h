/* SPDX-License-Identifier: MIT */
/*
 * view: connects a terminal, or three pipes, to a running session, and handles
 * the end of the command or of the connection.  Detects whether a viewer is
 * attached to a session.
 */
#ifndef DRYDOCK_VIEW_H
#define DRYDOCK_VIEW_H

#include <stdbool.h>

struct diag;
struct engine;
struct paths;
struct record;
struct session;
struct settings;

struct view_spec {
	const struct paths *paths;
	const struct settings *settings;
	const char *const *environ_;
	struct engine *engine; /* ready, or ENGINE_INIT: made ready on use */
	const struct record *record;
	const struct session *session; /* dir_fd is open */
	bool tty;
	bool signals; /* the holder forwards signals */
	/* Of the agent's first process, or -1; saves requests to the engine. */
	int agent_pidfd;
};

/*
 * Views a session through holder_fd (given).
 *
 * If the command ends, the session is torn down and *ret_status is the
 * command's exit status.  If the user detaches, *ret_status is 0.  A session
 * that ends with its client is torn down when the client leaves.
 *
 * If the connection is lost, the user is told what became of the session.  That
 * is DIAG_ENGINE, or a warning if the exit status of the command is known.
 *
 * If the holder sent invalid data, the failure is that of attach_view().  A
 * session that ends with its client is torn down; for any other session a note
 * says how to attach again.
 */
int view_session(const struct view_spec *spec, int holder_fd, int *ret_status,
    struct diag *dg);

/*
 * After the command's end, without the lease: takes the lease, waits for the
 * exit of the agent's container, and removes the containers and the session if
 * it has ended.  If a session that ends with its client still runs after the
 * wait, its container is killed, with a warning.  A session that can be
 * detached is never killed.  Then prunes the outcomes.
 *
 * client_left: the client saw the end or leaves; false: it lost the connection.
 *
 * Fails if the engine cannot be made ready.  Any other failure, or a lease that
 * another process keeps, is a warning: the next collection removes the rest.
 * *ret_status is the command's exit status, or -1.
 */
int view_end(const struct view_spec *spec, bool client_left, int *ret_status,
    struct diag *dg);

/*
 * An attached viewer holds a shared lock on sessions/ID/viewers.  The agent
 * sees neither the file nor the lock.
 */

/*
 * Returned: a descriptor that holds the lock until it is closed.  -1 on
 * failure, which callers may ignore.
 */
int viewers_join(int session_fd);

/*
 * Returns true if a viewer holds the lock.  Takes no lock, so no viewer is
 * disturbed.
 */
bool viewers_present(int session_fd);

/*
 * Returns true if there were viewers and all have left; false if that is
 * unknown.
 */
bool viewers_left(int session_fd);

/*
 * Removes the file: until another viewer joins, viewers_left() returns false
 * and viewers_forgotten() returns true.
 */
void viewers_forget(int session_fd);
bool viewers_forgotten(int session_fd);

#endif /* DRYDOCK_VIEW_H */
