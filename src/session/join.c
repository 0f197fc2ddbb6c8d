/* SPDX-License-Identifier: MIT */
/* Asks the holder first, and for a terminal then the engine. */
#include "session/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/reserved.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "plan/plan.h"
#include "session/agent-env.h"
#include "session/allowed.h"
#include "session/attach.h"
#include "session/changes.h"
#include "session/collect.h"
#include "session/companion.h"
#include "session/egress.h"
#include "session/look.h"
#include "session/moved.h"
#include "session/patchguard.h"
#include "session/record.h"
#include "session/refused.h"
#include "session/resume.h"
#include "session/session.h"
#include "session/sshagent.h"
#include "session/usage.h"
#include "session/view.h"
#include "terminal/interrupt.h"
#include "terminal/tty.h"

enum {
	HOLDER_MS = 300, /* a running holder answers at once */
	HOLDER_LONG_MS = 5000, /* where a wrong guess would end an agent */
	/* An agent that removes the socket blocks connections for a second. */
	SOCKET_MS = 1500,
	ANSWER_MS = 5000,
};

/*
 * An interrupted stop is cancelled: the user came back to the session.  So is
 * the mark of a start: the command runs.  A stop or start in progress holds the
 * lease and keeps its mark.
 */
static void
forget_marks(const struct join_spec *spec, const struct record *old)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	enum lock_answer answer;
	int rc = session_lease(spec->paths, old->id, 0, &answer, &session, &dg);

	if (rc == 0 && answer != LOCK_WON)
		return;
	if (rc == 0)
		rc = record_read(session.dir_fd, &record, &dg);
	if (rc == 0) {
		free(record.stopping_at);
		record.stopping_at = NULL;
		free(record.starting_at);
		record.starting_at = NULL;
		rc = record_write(session.dir_fd, &record, &dg);
	}
	if (rc != 0)
		diag_warn("session %s is still recorded as being %s: %s; when "
			  "that is mended, run \"drydock attach %s\"",
		    old->id,
		    old->stopping_at != NULL
			? "stopped, and is removed when its agent ends"
			: "started",
		    dg.message, old->id);
}

/* Restarts a companion that was killed, or that a log-out ended. */
static void
restart_companion(const struct session *session, const struct record *record)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (record->agent_process == NULL ||
	    strcmp(record->mode, mode_name(MODE_CONTAINED)) != 0 ||
	    companion_present(session->dir_fd))
		return;
	if (companion_start(
		session->dir_fd, session->id, record->agent_process, &dg) != 0)
		diag_warn("%s", dg.message);
}

/* A user who logged in again has another agent. */
static void
move_ssh_agent(const struct join_spec *spec, const struct session *session)
{
	const char *socket = envp_get(spec->environ_, "SSH_AUTH_SOCK");
	cleanup_diag struct diag dg = DIAG_INIT;

	if (socket != NULL && socket[0] == '/' &&
	    sshagent_move(session->dir_fd, socket, &dg) != 0)
		diag_warn("the session's ssh agent: %s", dg.message);
}

/* Asks the engine only when the proxy's socket has no listener. */
static void
restart_proxy(const struct join_spec *spec, const struct session *session,
    const struct record *record)
{
	const char *const projects[] = { record->project, NULL };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;

	if (strcmp(record->mode, mode_name(MODE_CONTAINED)) != 0)
		return;
	if (session_open_mount(session, MOUNT_EGRESS, &fd, &dg) == 0 &&
	    egress_listens(fd))
		return;
	diag_clear(&dg);
	if (engine_reach(spec->engine, spec->settings, spec->paths, projects,
		spec->environ_, &dg) == 0)
		resume_proxy_if_needed(spec, record->id);
	else
		diag_warn("the proxy of session %s does not listen: %s",
		    record->id, dg.message);
}

int
join_holder(const struct session *session, struct holder_hello *ret_hello,
    int *ret_fd, struct diag *dg)
{
	cleanup_diag struct diag first = DIAG_INIT;
	cleanup_close int run_fd = -1;

	if (session_open_mount(session, MOUNT_RUN, &run_fd, dg) != 0)
		return diag_wrap(dg, "session %s", session->id);
	if (holder_connect(run_fd, SOCKET_MS, ret_hello, ret_fd, &first) == 0)
		return 0;
	/* The socket has no listener, or is absent. */
	if (first.errnum == ECONNREFUSED || first.errnum == ENOENT)
		return diag_set(dg, DIAG_NO,
		    "session %s does not run: see \"drydock list --all\"",
		    session->id);
	/* The holder listens but may be busy: wait longer. */
	if (holder_connect(run_fd, ANSWER_MS, ret_hello, ret_fd, dg) != 0)
		return diag_wrap(dg, "session %s", session->id);
	return 0;
}

void
join_tend(const struct join_spec *spec, const struct session *session,
    const struct record *record)
{
	restart_proxy(spec, session, record);
	move_ssh_agent(spec, session);
	restart_companion(session, record);
	moved_warn(record);
}

static int
view(const struct join_spec *spec, const struct session *session,
    const struct record *record, int holder_fd, int *ret_status,
    struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int home_fd = -1;
	cleanup_close int fd = holder_fd;
	struct interrupt held;
	int rc;
	const struct view_spec view = {
		.paths = spec->paths,
		.settings = spec->settings,
		.environ_ = spec->environ_,
		.engine = spec->engine,
		.record = record,
		.session = session,
		.tty = true,
		.agent_pidfd = -1,
	};

	join_tend(spec, session, record);
	refused_tell_new(
	    session->dir_fd, spec->paths, record->project, record->agent);
	changes_tell(session->dir_fd, record->id, WATCHED_ATTACH_MS);
	patchguard_warn(record->project);
	if (holder_view(fd, dg) != 0)
		return -1;
	if (session_open_mount(session, MOUNT_HOME, &home_fd, &ignored) == 0)
		usage_tell(
		    spec->settings, record->id, home_fd, USAGE_ATTACH_MS);
	if (record->stopping_at != NULL || record->starting_at != NULL)
		forget_marks(spec, record);
	interrupt_hold(&held);
	rc = view_session(&view, steal_fd(&fd), ret_status, dg);
	interrupt_restore(&held);
	return rc;
}

/* Checks that the engine confirmed each recorded id: resume starts by id. */
static int
check_parts(const struct session_facts *facts, struct diag *dg)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	session_unconfirmed_ids(facts, &ids);
	if (ids.nr == 0)
		return 0;
	if (session_warn_strangers(facts, dg) != 0)
		return -1;
	return diag_set(dg, DIAG_ENGINE,
	    "session %s is not started again: the engine has no container %.12s "
	    "with this session's labels",
	    facts->id, ids.v[0]);
}

/* Waits for a busy holder.  A session with a silent holder is left alone. */
static int
on_live(const struct join_spec *spec, struct session *session,
    struct record *record, const struct session_facts *facts,
    int *ret_holder_fd, int *ret_status, struct diag *dg)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int run_fd = -1;
	cleanup_close int fd = -1;
	struct holder_hello hello;
	bool answers =
	    session_open_mount(session, MOUNT_RUN, &run_fd, &ignored) == 0 &&
	    holder_connect(run_fd, HOLDER_LONG_MS, &hello, &fd, &ignored) == 0;

	if (answers && hello.running && hello.tty) {
		*ret_holder_fd = steal_fd(&fd);
		return 0;
	}
	if (answers && !hello.running &&
	    session_container(facts, "agent") != NULL) {
		/*
		 * Either a start was interrupted, or someone else started the
		 * container.  We hold the lease, so nobody else sends go.
		 */
		cleanup_close_fn(&fd);
		if (check_parts(facts, dg) != 0)
			return -1;
		return resume_session(spec, session, record, ret_status, dg);
	}
	return diag_set(dg, DIAG_ENGINE,
	    "session %s runs, but its holder does not answer", session->id);
}

/*
 * The lease is held, so the state cannot change.  *ret_holder_fd is set if the
 * session runs after all; it is then viewed without the lease.
 */
static int
settle(const struct join_spec *spec, struct session *session,
    int *ret_holder_fd, int *ret_status, struct diag *dg)
{
	const struct look_spec at = { .paths = spec->paths,
		.engine = spec->engine };
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	const struct session_facts *facts = &look.facts;
	const struct container *agent;

	if (session_look(&at, session, &look, dg) != 0)
		return -1;
	if (look.unnoted.class != DIAG_NONE)
		return diag_move(dg, &look.unnoted);
	if (look.state == SESSION_STOPPED) {
		if (check_parts(facts, dg) != 0)
			return -1;
		return resume_session(
		    spec, session, &look.record, ret_status, dg);
	}
	if (session_runs(look.state)) {
		if (look.record.starting_at != NULL &&
		    check_parts(facts, dg) != 0)
			return -1;
		return on_live(spec, session, &look.record, facts,
		    ret_holder_fd, ret_status, dg);
	}
	agent = session_container(facts, "agent");
	if (look.state == SESSION_ENDED &&
	    collect_delete(spec->paths, facts, session, dg) != 0)
		return -1;
	if (look.state == SESSION_ENDED && agent != NULL &&
	    look.record.launched_at != NULL)
		return diag_set(dg, DIAG_NO,
		    "session %s has ended with status %d", session->id,
		    facts->noted ? facts->noted_status : agent->exit_code);
	if (look.state == SESSION_LOST &&
	    session_warn_strangers(facts, dg) != 0)
		return -1;
	return session_refuse(facts, look.state, dg);
}

static int
ask_engine(const struct join_spec *spec, const char *id, const char *project,
    int *ret_holder_fd, int *ret_status, struct diag *dg)
{
	const char *const projects[] = { project, NULL };
	cleanup_session struct session session = SESSION_INIT;
	enum lock_answer answer;

	if (engine_reach(spec->engine, spec->settings, spec->paths, projects,
		spec->environ_, dg) != 0 ||
	    session_take(spec->paths, id, &answer, &session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return diag_set(dg, DIAG_NO, "session %s has ended", id);
	return settle(spec, &session, ret_holder_fd, ret_status, dg);
}

int
join_session(const struct join_spec *spec, const char *id, int *ret_status,
    struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_diag struct diag silent = DIAG_INIT;
	cleanup_close int fd = -1;
	cleanup_close int run_fd = -1;
	struct holder_hello hello;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return diag_set(dg, DIAG_USAGE, "attach needs a terminal");
	if (session_open(spec->paths, id, &session, dg) != 0) {
		if (dg->errnum != ENOENT)
			return -1;
		diag_clear(dg);
		return diag_set(dg, DIAG_NO, "session %s has ended", id);
	}
	if (record_read(session.dir_fd, &record, dg) != 0 ||
	    session_open_mount(&session, MOUNT_RUN, &run_fd, dg) != 0)
		return diag_wrap(dg, "session %s", id);
	/* A session whose container exited early is started again instead. */
	if (record.ends_with_client && !viewers_forgotten(session.dir_fd))
		return diag_set(dg, DIAG_USAGE,
		    "session %s belongs to the command that started it", id);
	if (holder_connect(run_fd, HOLDER_MS, &hello, &fd, &silent) != 0 ||
	    !hello.running || !hello.tty) {
		cleanup_close_fn(&fd);
		if (ask_engine(spec, id, record.project, &fd, ret_status, dg) !=
		    0)
			return -1;
	}
	return fd < 0
	    ? 0
	    : view(spec, &session, &record, steal_fd(&fd), ret_status, dg);
}

/* Builds the variables to add to the image's own environment. */
static int
build_environment(const struct join_spec *spec, const struct session *session,
    const struct record *record, bool tty, struct strvec *env, struct diag *dg)
{
	cleanup_agent struct agent agent = AGENT_INIT;
	cleanup_project struct project project = PROJECT_INIT;
	cleanup_toolchains struct toolchains toolchains = TOOLCHAINS_INIT;
	cleanup_diag struct diag gone = DIAG_INIT;
	cleanup_strvec struct strvec plan_env = STRVEC_INIT;
	struct agent_env_spec agent_env = {
		.paths = spec->paths,
		.settings = spec->settings,
		.agent = &agent,
		.environ_ = spec->environ_,
		.tty = tty,
	};

	/* A project that is gone has no settings. */
	if (project_open(&project, record->project, spec->paths, &gone) == 0 &&
	    settings_load_project(spec->settings, spec->paths, &project, dg) !=
		0)
		return -1;
	if (agent_load(&agent, record->agent, spec->paths, dg) != 0 ||
	    reserved_check_passed(&spec->settings->pass_env, spec->paths, dg) !=
		0 ||
	    plan_sealed_environment(session->dir_fd, session->id,
		record->plan_digest, "agent", &plan_env, dg) != 0)
		return -1;
	if (record->cache != NULL) {
		if (allowed_restore(spec->settings, record, dg) != 0 ||
		    toolchains_load(&toolchains, &spec->settings->toolchains,
			spec->paths, dg) != 0)
			return -1;
		agent_env.caches = &toolchains;
	}
	agent_env.ssh_agent = sshagent_present(session->dir_fd);
	agent_env.git_signs = sshagent_signs_git(session->dir_fd);
	agent_env.plan_env = (const char *const *)plan_env.v;
	agent_env_build(&agent_env, env);
	return 0;
}

int
join_exec(const struct join_spec *spec, const char *id, const char *const *argv,
    int *ret_status, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_close int fd = -1;
	struct holder_hello hello;
	struct attach_outcome outcome;
	bool tty = tty_is_ours();
	bool started;
	struct wire_go go = {
		.argv = argv, .tty = tty, .ends_with_client = true
	};

	if (session_open(spec->paths, id, &session, dg) != 0 ||
	    record_read(session.dir_fd, &record, dg) != 0)
		return diag_wrap(dg, "session %s", id);
	if (join_holder(&session, &hello, &fd, dg) != 0)
		return -1;
	if (!holder_can_exec(&hello))
		return diag_set(dg, DIAG_ENGINE,
		    "session %s was started by an older drydock, whose "
		    "holder cannot run a second command: use \"docker exec "
		    "-it drydock-%s-agent-1 CMD\", or start a new session",
		    id, id);
	if (!hello.running)
		return diag_set(dg, DIAG_BUSY,
		    "session %s is being started: try again", id);
	if (build_environment(spec, &session, &record, tty, &env, dg) != 0)
		return -1;
	join_tend(spec, &session, &record);
	go.cwd = record.project;
	go.envp = (const char *const *)env.v;
	if (holder_go(fd, WIRE_EXEC, &go, ANSWER_MS, &started, dg) != 0 ||
	    attach_view(fd, (tty ? ATTACH_TTY : 0U) | ATTACH_SIGNALS,
		spec->settings, &outcome, dg) != 0)
		return -1;
	if (outcome.end == ATTACH_LOST)
		return diag_set(dg, DIAG_ENGINE,
		    "the connection to session %s is lost", id);
	*ret_status = outcome.status;
	return 0;
}
