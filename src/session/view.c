/* SPDX-License-Identifier: MIT */
/* Views a session, and handles its end apart from the end of the connection. */
#include "session/view.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "host/settings.h"
#include "session/attach.h"
#include "session/changes.h"
#include "session/outcome.h"
#include "session/record.h"
#include "session/session.h"
#include "session/teardown.h"

#define VIEWERS_NAME "viewers"

enum {
	AGAIN_MS = 300 /* a live holder answers at once */
};

/* Opens the file of the lock, see fcntl(2): open file description locks. */
static int
open_file(int session_fd, int flags)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	int fd = -1;

	(void)fs_open_nolinks(
	    session_fd, VIEWERS_NAME, flags | O_NONBLOCK, 0600, &fd, &ignored);
	return fd;
}

int
viewers_join(int session_fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	cleanup_close int fd = open_file(session_fd, O_RDWR | O_CREAT);

	if (fd == -1 || fcntl(fd, F_OFD_SETLK, &lock) != 0)
		return -1;
	return steal_fd(&fd);
}

/* Returns F_UNLCK if nobody holds a lock; -1 if that is unknown. */
static int
ask(int session_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	cleanup_close int fd = open_file(session_fd, O_RDWR);

	return fd != -1 && fcntl(fd, F_OFD_GETLK, &lock) == 0 ? lock.l_type
							      : -1;
}

bool
viewers_present(int session_fd)
{
	int type = ask(session_fd);

	return type != -1 && type != F_UNLCK;
}

bool
viewers_left(int session_fd)
{
	return ask(session_fd) == F_UNLCK;
}

void
viewers_forget(int session_fd)
{
	(void)unlinkat(session_fd, VIEWERS_NAME, 0);
}

bool
viewers_forgotten(int session_fd)
{
	return faccessat(session_fd, VIEWERS_NAME, F_OK, AT_SYMLINK_NOFOLLOW) !=
	    0 &&
	    errno == ENOENT;
}

/* Removes a session that has ended.  *ret_status is its exit status, or -1. */
static int
put_away(const struct view_spec *spec, bool client_left, int *ret_status,
    struct diag *dg)
{
	const char *const projects[] = { spec->record->project, NULL };

	if (engine_ready(spec->engine, spec->settings, spec->paths, projects,
		spec->environ_, dg) != 0)
		return -1;
	*ret_status = teardown_ended(spec->paths, spec->engine, spec->record,
	    client_left, spec->agent_pidfd);
	(void)outcomes_prune(spec->paths, spec->settings);
	return 0;
}

/*
 * The holder drops a viewer whose buffer is full.  The session still runs then.
 */
static bool
still_runs(const struct view_spec *spec)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int run_fd = -1;
	cleanup_close int fd = -1;
	struct holder_hello hello;

	return !spec->record->ends_with_client &&
	    session_open_mount(spec->session, MOUNT_RUN, &run_fd, &ignored) ==
	    0 &&
	    holder_connect(run_fd, AGAIN_MS, &hello, &fd, &ignored) == 0 &&
	    hello.running;
}

static int
on_lost(const struct view_spec *spec, int *ret_status, struct diag *dg)
{
	const char *id = spec->record->id;
	int status = -1;

	if (still_runs(spec))
		return diag_set(dg, DIAG_ENGINE,
		    "session %s goes on without this terminal, which read "
		    "too slowly or was the oldest of too many: type "
		    "\"drydock attach %s\"",
		    id, id);
	/*
	 * The command's end was not reported, so this client has not left.
	 * Without the holder's note the session can be started again.
	 */
	if (spec->record->ends_with_client)
		viewers_forget(spec->session->dir_fd);
	if (put_away(spec, false, &status, dg) != 0)
		return diag_wrap(
		    dg, "the connection to session %s is lost", id);
	if (status < 0)
		return diag_set(dg, DIAG_ENGINE,
		    "the connection to session %s is lost", id);
	diag_warn("the connection to session %s was lost before the command "
		  "ended: some of its output may be missing here",
	    id);
	*ret_status = status;
	return 0;
}

/*
 * A failure is a warning: the result of the view is known, and the next
 * collection removes what is left.
 */
static void
put_away_or_warn(const struct view_spec *spec)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int own = -1;

	if (put_away(spec, true, &own, &dg) != 0)
		diag_warn("session %s is not removed: %s", spec->record->id,
		    dg.message);
}

/*
 * Handles invalid data from the holder.  The caller reports that failure, so a
 * failure in here is only a warning.
 */
static void
on_broken(const struct view_spec *spec)
{
	const char *id = spec->record->id;

	if (spec->record->ends_with_client)
		put_away_or_warn(spec);
	else if (still_runs(spec))
		diag_note(
		    "session %s goes on: type \"drydock attach %s\"", id, id);
	else
		diag_note("session %s is not changed: \"drydock attach %s\" "
			  "returns to it, \"drydock stop %s\" ends it",
		    id, id, id);
}

int
view_session(const struct view_spec *spec, int holder_fd, int *ret_status,
    struct diag *dg)
{
	cleanup_close int fd = holder_fd;
	cleanup_close int seen = viewers_join(spec->session->dir_fd);
	struct attach_outcome outcome;
	unsigned flags = (spec->tty ? ATTACH_TTY : 0U) |
	    (spec->record->ends_with_client ? 0U : ATTACH_DETACHABLE) |
	    (spec->signals ? ATTACH_SIGNALS : 0U);
	int rc = attach_view(fd, flags, spec->settings, &outcome, dg);

	/*
	 * A holder that waits for its client must see that the client is gone.
	 */
	cleanup_close_fn(&fd);
	/* The lock is held until we return: only then has the client left. */
	(void)seen;
	if (rc != 0) {
		on_broken(spec);
		return -1;
	}
	if (outcome.end == ATTACH_DETACHED && !spec->record->ends_with_client) {
		diag_note("session %s goes on: type \"drydock attach %s\"",
		    spec->record->id, spec->record->id);
		/* By the key: the user can read it. */
		if (outcome.status == 0)
			changes_tell(spec->session->dir_fd, spec->record->id,
			    WATCHED_END_MS);
		*ret_status = 0;
		return 0;
	}
	if (outcome.end == ATTACH_LOST)
		return on_lost(spec, ret_status, dg);
	if (outcome.end == ATTACH_EXITED)
		put_away_or_warn(spec);
	else if (put_away(spec, true, ret_status, dg) != 0)
		return -1;
	*ret_status = outcome.status;
	return 0;
}
