/* SPDX-License-Identifier: MIT */
/* Runs a command through the holder's socket and views it. */
#include "session/exec.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strvec.h"
#include "host/agent.h"
#include "host/project.h"
#include "host/reserved.h"
#include "host/settings.h"
#include "host/toolchain.h"
#include "plan/plan.h"
#include "session/agent-env.h"
#include "session/allowed.h"
#include "session/attach.h"
#include "session/record.h"
#include "session/session.h"
#include "session/sshagent.h"
#include "terminal/tty.h"

enum {
	ANSWER_MS = 5000,
};

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

static int
connect_running(const struct session *session, int *ret_fd, struct diag *dg)
{
	cleanup_close int fd = -1;
	struct holder_hello hello;
	const char *id = session->id;

	if (join_holder(session, &hello, &fd, dg) != 0)
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
	*ret_fd = steal_fd(&fd);
	return 0;
}

int
exec_session(const struct join_spec *spec, const char *id,
    const char *const *argv, int *ret_status, struct diag *dg)
{
	cleanup_session struct session session = SESSION_INIT;
	cleanup_record struct record record = RECORD_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_close int fd = -1;
	struct attach_outcome outcome;
	bool tty = tty_is_ours();
	bool started;
	struct wire_go go = {
		.argv = argv, .tty = tty, .ends_with_client = true
	};

	if (session_open(spec->paths, id, &session, dg) != 0 ||
	    record_read(session.dir_fd, &record, dg) != 0)
		return diag_wrap(dg, "session %s", id);
	if (connect_running(&session, &fd, dg) != 0 ||
	    build_environment(spec, &session, &record, tty, &env, dg) != 0)
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
