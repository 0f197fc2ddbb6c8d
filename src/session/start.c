/* SPDX-License-Identifier: MIT */
/* Brings a plan's containers up and hands over the command. */
#include "session/start.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/moment.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/compose.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/token.h"
#include "plan/proxyconf.h"
#include "plan/role.h"
#include "session/agent-env.h"
#include "session/allowed.h"
#include "session/attach.h"
#include "session/companion.h"
#include "session/moved.h"
#include "session/sshagent.h"
#include "session/view.h"
#include "terminal/interrupt.h"

void
start_release(struct start *l)
{
	cleanup_close_fn(&l->agent_pidfd);
	cleanup_close_fn(&l->images_fd);
	cleanup_close_fn(&l->seen_fd);
	cleanup_close_fn(&l->holder_fd);
	cleanup_close_fn(&l->plan_fd);
	container_list_release(&l->containers);
	plan_release(&l->plan);
	record_release(&l->record);
	session_release(&l->session);
	images_release(&l->images);
	allowlist_release(&l->allowlist);
	toolchains_release(&l->toolchains);
	agent_release(&l->agent);
	project_release(&l->project);
}

int
start_load_hosts(struct start *l, struct diag *dg)
{
	if (toolchains_load(
		&l->toolchains, &l->settings->toolchains, l->paths, dg) != 0)
		return -1;
	if (l->mode.mode != MODE_CONTAINED)
		return 0;
	return allowlist_load(&l->allowlist,
	    &(struct allow_spec){
		.agent = l->settings->agent_hosts ? &l->agent : NULL,
		.toolchains = &l->toolchains,
		.paths = l->paths,
		.project = &l->project,
	    },
	    dg);
}

void
start_fill_record(struct start *l)
{
	struct record *r = &l->record;

	r->id = xstrdup(l->session.id);
	r->project = xstrdup(l->project.path);
	r->project_file = moved_identity(l->project.fd);
	r->agent = xstrdup(l->agent.name);
	r->mode = xstrdup(mode_name(l->mode.mode));
	r->engine_id = xstrdup(l->engine->id);
	r->engine_data_root = xstrdup(l->engine->data_root);
	r->engine_socket = xstrdup(l->engine->socket);
	r->created_at = moment_now();
	allowed_record(l->settings, r);
}

void
start_fill_request(struct start *l)
{
	l->plan_request = (struct plan_request){
		.paths = l->paths,
		.settings = l->settings,
		.engine = l->engine,
		.project = &l->project,
		.mode = l->mode,
		.session_id = l->session.id,
		.session_dir = l->session.dir,
		.history_dir = l->record.history,
		.cache_dir = l->record.cache,
		.agent_image = &l->images.agent,
		.egress_image = &l->images.egress,
		.lease = l->images.lease,
	};
}

int
start_write_proxy(struct start *l, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (l->mode.mode != MODE_CONTAINED)
		return 0;
	if (session_open_mount(&l->session, MOUNT_PROXY, &fd, dg) != 0 ||
	    proxyconf_write_boot(fd, dg) != 0 ||
	    proxyconf_write_parent(fd, l->settings->upstream_proxy, dg) != 0 ||
	    proxyconf_write(fd, &l->allowlist, dg) != 0)
		return diag_wrap(dg, "write the proxy's configuration");
	if (proxyconf_is_older(fd))
		diag_warn("an older drydock started session %s: its proxy "
			  "keeps the hosts that it had, whatever the allowlist "
			  "says now",
		    l->session.id);
	return 0;
}

int
start_seal(struct start *l, struct diag *dg)
{
	char digest[DIGEST_HEX_SIZE];

	if (plan_seal(&l->plan, l->session.dir_fd, digest, &l->plan_fd, dg) !=
	    0)
		return -1;
	l->record.plan_digest = xstrdup(digest);
	for (size_t i = 0; i < l->plan.nservices; i++)
		record_set(&l->record, l->plan.services[i].name,
		    l->plan.services[i].image, NULL);
	return record_write(l->session.dir_fd, &l->record, dg);
}

/* State of a cancellation by the user while Compose runs. */
struct compose_cancel {
	int fd;
	int sig; /* the first signal, or 0 */
};

/*
 * Killing Compose would orphan containers.  The first signal waits for it; the
 * second detaches, and Compose keeps the lease.
 */
static bool
leave_compose(void *arg)
{
	struct compose_cancel *cancel = arg;
	int sig = interrupt_read(cancel->fd);

	if (sig == 0)
		return false;
	if (cancel->sig != 0)
		return true;
	cancel->sig = sig;
	diag_note("cancelling; to stop waiting, press Ctrl-C again (the next "
		  "drydock command cleans up)");
	return false;
}

int
start_compose(struct start *l, struct diag *dg)
{
	cleanup_free char *project = xasprintf("drydock-%s", l->session.id);
	cleanup_close int fd = interrupt_open(&l->interrupt);
	struct compose_cancel cancel = { .fd = fd };
	const struct proc_interrupt interrupt = { fd, leave_compose, &cancel };
	const struct compose_spec spec = {
		.project = project,
		.project_dir = l->session.dir,
		.file_fds = &l->plan_fd,
		.nfiles = 1,
		/* If the launcher is killed, Compose still holds the lease. */
		.keep_fds = &l->session.lease_fd,
		.nkeep = 1,
		.interrupt = &interrupt,
		.ret_began = &l->composed,
	};
	int rc = compose_up(l->engine, &spec, dg);

	if (cancel.sig == 0)
		return rc;
	l->left = rc != 0 && dg->class == DIAG_CANCELLED;
	if (l->left)
		diag_note("Docker Compose still creates session %s; a later "
			  "launch removes it",
		    l->session.id);
	diag_clear(dg);
	return diag_set(
	    dg, DIAG_CANCELLED, "cancelled: %s", strsignal(cancel.sig));
}

static void
fill_argv(const struct start *l, struct strvec *argv)
{
	if (l->request->kind == LAUNCH_RUN) {
		strvec_push_all(argv, (const char *const *)l->agent.command.v);
		if (l->resume)
			strvec_push_all(
			    argv, (const char *const *)l->agent.resume_args.v);
	} else if (l->request->nargs == 0) {
		strvec_push(argv, "/bin/bash");
	}
	for (int i = 0; i < l->request->nargs; i++)
		strvec_push(argv, l->request->args[i]);
}

/*
 * Records whether the command was started.  A first start that did not start
 * the command leaves a session in which nothing ever ran, and which is removed.
 * A restart that did not start it leaves the session stopped, as it was.
 */
static void
note_start(struct start *l, bool started)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	char **over =
	    l->resume ? &l->record.starting_at : &l->record.launched_at;

	if (started != l->resume)
		return;
	free(*over);
	*over = NULL;
	if (record_write(l->session.dir_fd, &l->record, &dg) == 0)
		return;
	if (l->resume)
		diag_warn("session %s runs and is still recorded as being "
			  "started: %s; when that is mended, run \"drydock "
			  "attach %s\"",
		    l->session.id, dg.message, l->session.id);
	else
		diag_warn(
		    "session %s is recorded as started, and its command "
		    "was not: %s; when that is mended, run \"drydock gc\"",
		    l->session.id, dg.message);
}

int
start_companion(struct start *l, struct diag *dg)
{
	cleanup_diag struct diag mine = DIAG_INIT;

	(void)dg;
	/* The session may have had an agent before it stopped. */
	if (l->resume)
		l->git_signs = sshagent_signs_git(l->session.dir_fd);
	sshagent_renew(l->session.dir_fd, l->settings, l->mode.mode,
	    envp_get(l->environ_, "SSH_AUTH_SOCK"), l->git_signs);
	if (l->mode.mode != MODE_CONTAINED || l->record.agent_process == NULL)
		return 0;
	if (companion_start(l->session.dir_fd, l->session.id,
		l->record.agent_process, &mine) != 0)
		diag_warn("%s", mine.message);
	return 0;
}

int
start_go(struct start *l, struct diag *dg)
{
	cleanup_token struct strbuf token = STRBUF_INIT;
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	struct agent_env_spec spec = {
		.paths = l->paths,
		.settings = l->settings,
		.agent = &l->agent,
		.environ_ = l->environ_,
		.image_env = (const char *const *)l->images.agent.env.v,
		.plan_env =
		    (const char *const *)plan_find(&l->plan, "agent")->env.v,
		.tty = l->tty,
		.ssh_agent = sshagent_present(l->session.dir_fd),
		.git_signs = sshagent_signs_git(l->session.dir_fd),
		.caches = l->record.cache != NULL ? &l->toolchains : NULL,
		.secrets = l->request->kind == LAUNCH_RUN,
	};
	struct wire_go go = {
		.cwd = l->project.path,
		.tty = l->tty,
		.ends_with_client = l->record.ends_with_client,
	};
	bool started = false;

	agent_env_read_token(&spec, &token);
	agent_env_build(&spec, &env);
	fill_argv(l, &argv);
	go.argv = (const char *const *)argv.v;
	go.envp = (const char *const *)env.v;
	/*
	 * Join while the lease is held: a later collector can tell that we
	 * left.
	 */
	l->seen_fd = viewers_join(l->session.dir_fd);
	if (l->seen_fd < 0)
		diag_warn("session %s: this process cannot be marked as its "
			  "viewer: if it is killed, run \"drydock stop %s\"",
		    l->session.id, l->session.id);
	/* From here on the agent may have run. */
	free(l->record.launched_at);
	l->record.launched_at = moment_now();
	if (record_write(l->session.dir_fd, &l->record, dg) != 0 ||
	    holder_go(l->holder_fd, WIRE_GO, &go,
		(int)l->settings->engine_timeout_ms, &started, dg) != 0)
		return -1;
	note_start(l, started);
	return 0;
}

int
start_view(struct start *l, int *ret_status, struct diag *dg)
{
	const struct view_spec spec = {
		.paths = l->paths,
		.settings = l->settings,
		.environ_ = l->environ_,
		.engine = l->engine,
		.record = &l->record,
		.session = &l->session,
		.tty = l->tty,
		.signals = l->signals,
		.agent_pidfd = l->agent_pidfd,
	};

	return view_session(&spec, steal_fd(&l->holder_fd), ret_status, dg);
}

int
start_run(
    struct start *l, start_stage *const *stages, size_t n, struct diag *dg)
{
	for (size_t i = 0; i < n; i++)
		if (interrupt_check(&l->interrupt, dg) != 0 ||
		    stages[i](l, dg) != 0)
			return -1;
	return 0;
}
