/* SPDX-License-Identifier: MIT */
/* Views a session, and handles its end apart from the end of the connection. */
#include "session/view.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/monotime.h"
#include "base/strvec.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/settings.h"
#include "plan/plan.h"
#include "session/attach.h"
#include "session/changes.h"
#include "session/collect.h"
#include "session/look.h"
#include "session/outcome.h"
#include "session/patchguard.h"
#include "session/record.h"
#include "session/session.h"

#define VIEWERS_NAME "viewers"

enum {
	AGAIN_MS = 300, /* a live holder answers at once */
	END_WAIT_MS = 15000, /* the holder kills after ten seconds */
	END_STEP_MS = 10,
	STATUS_ENDED = 143, /* 128 + SIGTERM, which stop sends */
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

static void
recorded_ids(const struct record *record, struct strvec *ret_ids)
{
	for (size_t i = 0; i < record->ncontainers; i++)
		if (record->containers[i].id != NULL)
			strvec_push(ret_ids, record->containers[i].id);
}

/* The engine reports the end some milliseconds after the command ended. */
static int
wait_end(const struct session_facts *facts, int agent_pidfd,
    struct container_list *containers, struct diag *dg)
{
	struct pollfd ended = { .fd = agent_pidfd, .events = POLLIN };
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	int64_t deadline = monotime_ms() + END_WAIT_MS;

	recorded_ids(facts->record, &ids);
	if (agent_pidfd >= 0)
		(void)poll(&ended, 1, END_WAIT_MS);
	for (;;) {
		const struct container *agent;

		container_list_release(containers);
		if (containers_inspect(facts->engine,
			(const char *const *)ids.v, containers, dg) != 0)
			return -1;
		agent = session_container(facts, "agent");
		if (agent == NULL || agent->state == CONTAINER_EXITED ||
		    agent->state == CONTAINER_DEAD ||
		    monotime_left_ms(deadline) == 0)
			return 0;
		(void)poll(NULL, 0, END_STEP_MS);
	}
}

/*
 * Kills a command that its holder did not end.  The client is gone and cannot
 * attach again, so the session must not stay.
 */
static int
kill_overdue(const struct session_facts *facts,
    struct container_list *containers, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	recorded_ids(facts->record, &ids);
	diag_warn("session %s: its command did not end with its client within "
		  "%d seconds and is killed",
	    facts->id, END_WAIT_MS / 1000);
	/* The container was matched by its id and its labels. */
	if (container_stop(facts->engine,
		record_container_id(facts->record, "agent"), 0, dg) != 0)
		return -1;
	container_list_release(containers);
	return containers_inspect(
	    facts->engine, (const char *const *)ids.v, containers, dg);
}

/* Waits for the end, then reads the state of the session again. */
static int
look_at_end(const struct look_spec *at, const struct session *session,
    struct container_list *containers, bool client_left, int agent_pidfd,
    struct session_look *look, struct diag *dg)
{
	if (session_look(at, session, look, dg) != 0 ||
	    wait_end(&look->facts, agent_pidfd, containers, dg) != 0)
		return -1;
	session_look_again(at, session, look);
	look->facts.client_left = client_left;
	look->state = session_status(&look->facts);
	if (!session_runs(look->state) || !at->record->ends_with_client)
		return 0;
	if (kill_overdue(&look->facts, containers, dg) != 0)
		return -1;
	look->state = session_status(&look->facts);
	return 0;
}

/*
 * Reports extra services that failed.  They end with their session, so a
 * service that exited earlier did so by itself, and may be why the command
 * failed.
 */
static void
tell_services(const struct session_facts *facts)
{
	const struct record *r = facts->record;

	for (size_t i = 0; i < r->ncontainers; i++) {
		const char *role = r->containers[i].role;
		const struct container *c = session_container(facts, role);
		cleanup_diag struct diag dg = DIAG_INIT;

		if (service_role_of(role) != SERVICE_EXTRA || c == NULL ||
		    c->state != CONTAINER_EXITED || c->exit_code == 0)
			continue;
		(void)diag_set(&dg, DIAG_ENGINE,
		    "the service %s ended before the session did (status %d)",
		    role, c->exit_code);
		container_add_log(facts->engine, c->id, &dg);
		diag_print(&dg);
	}
}

/* A collector, or "drydock stop", removed the session first. */
static void
tell_gone(const struct paths *paths, const struct record *record,
    bool client_left, int *ret_status)
{
	cleanup_outcome struct outcome outcome = OUTCOME_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (outcome_read(paths, record->id, &outcome, &ignored) == 0)
		outcome_tell(&outcome, paths);
	if (!client_left && !record->ends_with_client) {
		diag_note("another process ended session %s", record->id);
		*ret_status = STATUS_ENDED;
	}
}

static int
remove_ended(const struct view_spec *spec, bool client_left, int *ret_status,
    struct diag *dg)
{
	const struct record *record = spec->record;
	cleanup_session struct session session = SESSION_INIT;
	cleanup_container_list struct container_list containers =
	    CONTAINER_LIST_INIT;
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	const struct look_spec at = { .paths = spec->paths,
		.engine = spec->engine,
		.containers = &containers,
		.record_given = true,
		.record = record };
	cleanup_outcome struct outcome outcome = OUTCOME_INIT;
	const struct container *agent;
	enum lock_answer answer;

	if (session_take(spec->paths, record->id, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE) {
		tell_gone(spec->paths, record, client_left, ret_status);
		return 0;
	}
	if (look_at_end(&at, &session, &containers, client_left,
		spec->agent_pidfd, &look, dg) != 0)
		return -1;
	agent = session_container(&look.facts, "agent");
	if (look.facts.noted)
		*ret_status = look.facts.noted_status;
	else if (agent != NULL && agent->state == CONTAINER_EXITED)
		*ret_status = agent->exit_code;
	if (look.state == SESSION_STOPPED || look.state == SESSION_ENDED) {
		/* Before the session's files are removed. */
		outcome_gather(&look.facts, session.dir_fd, &outcome);
		outcome_tell(&outcome, spec->paths);
		tell_services(&look.facts);
		patchguard_warn(record->project);
	}
	if (look.state == SESSION_STOPPED) {
		/* collect_delete() tells it of a session that has ended. */
		changes_tell(session.dir_fd, record->id, WATCHED_END_MS);
		*ret_status = -1;
		diag_note("session %s is stopped: \"drydock attach %s\" "
			  "starts it again",
		    record->id, record->id);
		return 0;
	}
	if (look.state != SESSION_ENDED)
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not confirm that its container has ended");
	return collect_delete(spec->paths, &look.facts, &session, dg);
}

int
view_end(const struct view_spec *spec, bool client_left, int *ret_status,
    struct diag *dg)
{
	const char *const projects[] = { spec->record->project, NULL };
	cleanup_diag struct diag left = DIAG_INIT;

	if (engine_reach(spec->engine, spec->settings, spec->paths, projects,
		spec->environ_, dg) != 0)
		return -1;
	*ret_status = -1;
	if (remove_ended(spec, client_left, ret_status, &left) != 0)
		diag_warn("session %s is not removed: %s", spec->record->id,
		    left.message);
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
	if (view_end(spec, false, &status, dg) != 0)
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
end_or_warn(const struct view_spec *spec)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	int own = -1;

	if (view_end(spec, true, &own, &dg) != 0)
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
		end_or_warn(spec);
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
		end_or_warn(spec);
	else if (view_end(spec, true, ret_status, dg) != 0)
		return -1;
	*ret_status = outcome.status;
	return 0;
}
