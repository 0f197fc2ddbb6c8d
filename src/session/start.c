/* SPDX-License-Identifier: MIT */
/*
 * Brings a plan's containers up, checks that they are those of the sealed plan,
 * and hands over the command.
 */
#include "session/start.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/moment.h"
#include "base/monotime.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/compose.h"
#include "engine/container.h"
#include "host/paths.h"
#include "host/settings.h"
#include "host/token.h"
#include "plan/proxyconf.h"
#include "plan/role.h"
#include "session/agent-env.h"
#include "session/allowed.h"
#include "session/attach.h"
#include "session/companion.h"
#include "session/egress.h"
#include "session/moved.h"
#include "session/sshagent.h"
#include "session/status.h"
#include "session/task.h"
#include "session/view.h"
#include "terminal/interrupt.h"

enum {
	EXIT_WAIT_MS = 10000,
	EXIT_POLL_MS = 20
};

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

static const struct container *
find_role(const struct start *l, const char *role)
{
	const struct session_facts facts = session_facts_of(
	    l->session.id, &l->record, l->paths, l->engine, &l->containers);

	return session_container(&facts, role);
}

/*
 * A wrong configuration may be why the container ended, so it is reported
 * first.
 */
static int
check_runs(const struct start *l, const struct plan_service *s,
    const struct container *c, struct diag *dg)
{
	if (c->state == CONTAINER_RUNNING && c->pid > 0)
		return 0;
	if (plan_verify_config(&l->plan_request, &l->plan, s, c, dg) != 0)
		return -1;
	(void)diag_set(dg, DIAG_ENGINE,
	    "the %s container %.12s does not run (status %d)%s%s%s%s%s",
	    s->name, c->id, c->exit_code, c->error[0] != '\0' ? ": " : "",
	    c->error, l->resume ? "; see \"drydock logs " : "",
	    l->resume ? l->session.id : "", l->resume ? "\"" : "");
	if (s->role == SERVICE_EXTRA)
		container_add_log(l->engine, c->id, dg);
	return -1;
}

/*
 * A zombie counts as ended.  If the state is unknown, the process counts as
 * alive.
 */
static bool
process_is_over(pid_t pid)
{
	cleanup_close int fd = pidfd_open(pid, 0);
	struct pollfd p = { fd, POLLIN, 0 };

	if (fd == -1)
		return errno == ESRCH;
	return poll(&p, 1, 0) > 0;
}

/*
 * Inspects the container again.  If its process has ended, repeats this until
 * the engine reports the exit too, for at most EXIT_WAIT_MS: the kernel reports
 * an exit before the engine does.
 */
static int
inspect_again(const struct start *l, const char *id,
    struct container_list *ret_again, struct diag *dg)
{
	const char *const ids[] = { id, NULL };
	int64_t deadline = monotime_ms() + EXIT_WAIT_MS;
	const struct container *c;

	for (;;) {
		container_list_release(ret_again);
		if (containers_inspect(l->engine, ids, ret_again, dg) != 0)
			return -1;
		c = container_list_find(ret_again, id);
		if (c == NULL || c->state != CONTAINER_RUNNING ||
		    !process_is_over(c->pid) || monotime_left_ms(deadline) == 0)
			return 0;
		(void)poll(NULL, 0, EXIT_POLL_MS);
	}
}

/*
 * The container may exit during verification, which leaves nothing to compare.
 * If its configuration differs from the plan, report that; otherwise the exit.
 */
static int
verify(const struct start *l, const struct plan_service *s, struct diag *dg)
{
	cleanup_container_list struct container_list again =
	    CONTAINER_LIST_INIT;
	cleanup_diag struct diag seen = DIAG_INIT;
	cleanup_diag struct diag unasked = DIAG_INIT;
	const struct container *c = find_role(l, s->name);
	const char *id = c->id;

	if (plan_verify(&l->plan_request, &l->plan, s, c, &seen) == 0)
		return 0;
	if (inspect_again(l, id, &again, &unasked) == 0) {
		c = container_list_find(&again, id);
		if (c != NULL && check_runs(l, s, c, dg) != 0)
			return -1;
	}
	if (l->difference != NULL) {
		if (l->difference->message == NULL)
			diag_move(l->difference, &seen);
		return 0;
	}
	return diag_move(dg, &seen);
}

/*
 * Finds and records the containers.  Exactly the plan's services have our
 * labels, and they run.
 */
static int
find_containers(struct start *l, struct diag *dg)
{
	const struct plan *plan = &l->plan;

	if (containers_find(
		l->engine, l->paths->state_id, &l->containers, dg) != 0)
		return -1;
	for (size_t i = 0; i < plan->nservices; i++)
		if (find_role(l, plan->services[i].name) == NULL)
			return diag_set(dg, DIAG_ENGINE,
			    "the engine does not list the %s container that "
			    "Compose started",
			    plan->services[i].name);
	for (size_t i = 0; i < l->containers.nr; i++) {
		const struct container *c = &l->containers.v[i];

		if (strcmp(c->session, l->session.id) == 0 &&
		    find_role(l, c->role) != c)
			return diag_set(dg, DIAG_POLICY,
			    "container %.12s has the session's label but is "
			    "not in the plan",
			    c->id);
	}
	for (size_t i = 0; i < plan->nservices; i++) {
		const char *name = plan->services[i].name;

		record_set(&l->record, name, NULL, find_role(l, name)->id);
	}
	for (size_t i = 0; i < plan->nservices; i++) {
		const struct plan_service *s = &plan->services[i];

		if (check_runs(l, s, find_role(l, s->name), dg) != 0)
			return -1;
	}
	free(l->record.agent_process);
	l->record.agent_process = companion_process(find_role(l, "agent")->pid);
	/*
	 * Only for waiting: verification checks that the process is the plan's.
	 */
	l->agent_pidfd = pidfd_open(find_role(l, "agent")->pid, 0);
	return record_write(l->session.dir_fd, &l->record, dg);
}

static int
wait_proxy(void *arg, struct diag *dg)
{
	const struct start *l = arg;
	const struct session *session = &l->session;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	cleanup_close int log_fd = -1;

	if (session_open_mount(session, MOUNT_EGRESS, &fd, dg) != 0)
		return -1;
	if (egress_wait_ready(
		fd, l->engine->launch_timeout_ms, &l->check_failed, dg) == 0)
		return 0;
	if (session_open_mount(session, MOUNT_PROXY_LOG, &log_fd, &ignored) ==
	    0)
		egress_add_log(log_fd, dg);
	return -1;
}

static int
verify_role(const struct start *l, enum service_role role, struct diag *dg)
{
	for (size_t i = 0; i < l->plan.nservices; i++)
		if (l->plan.services[i].role == role &&
		    verify(l, &l->plan.services[i], dg) != 0)
			return -1;
	return 0;
}

/*
 * The holder waits for go.  Its messages are read only after its container is
 * verified.  The proxy is verified last, because it is still starting up.
 */
static int
verify_containers(struct start *l, struct diag *dg)
{
	cleanup_close int run_fd = -1;
	struct holder_hello hello;

	if (verify_role(l, SERVICE_AGENT, dg) != 0 ||
	    verify_role(l, SERVICE_EXTRA, dg) != 0 ||
	    session_open_mount(&l->session, MOUNT_RUN, &run_fd, dg) != 0 ||
	    holder_connect(run_fd, l->engine->launch_timeout_ms, &hello,
		&l->holder_fd, dg) != 0)
		return -1;
	l->signals = holder_can_exec(&hello);
	return verify_role(l, SERVICE_EGRESS, dg);
}

/* The proxy takes time to start up, so the other checks run meanwhile. */
int
start_check(struct start *l, struct diag *dg)
{
	bool contained = l->mode.mode == MODE_CONTAINED;
	struct task proxy;
	int rc;

	if (contained)
		task_start(&proxy, wait_proxy, l);
	rc = find_containers(l, dg);
	if (rc == 0)
		rc = verify_containers(l, dg);
	if (!contained)
		return rc;
	/*
	 * On failure stop waiting for the proxy; the first failure stays in
	 * *dg.
	 */
	atomic_store(&l->check_failed, rc != 0);
	if (task_join(&proxy, dg) != 0 || rc != 0)
		return -1;
	return egress_check_names(&l->session, &l->allowlist, l->settings, dg);
}

int
start_check_proxy(struct start *l, struct diag *dg)
{
	const struct plan_service *s = plan_find(&l->plan, "egress");
	const struct container *c;

	container_list_release(&l->containers);
	if (containers_find(
		l->engine, l->paths->state_id, &l->containers, dg) != 0)
		return -1;
	c = find_role(l, "egress");
	if (s == NULL || c == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not have the "
		    "session's proxy");
	if (check_runs(l, s, c, dg) != 0 || wait_proxy(l, dg) != 0)
		return -1;
	return verify(l, s, dg);
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
