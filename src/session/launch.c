/* SPDX-License-Identifier: MIT */
/* The pipeline, in its order; each stage fails by itself and by name. */
#include "session/launch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/compose.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/mode.h"
#include "host/paths.h"
#include "host/project.h"
#include "host/settings.h"
#include "plan/plan.h"
#include "plan/squid.h"
#include "session/attach.h"
#include "session/collect.h"
#include "session/egress.h"
#include "session/goenv.h"
#include "session/interrupt.h"
#include "session/record.h"
#include "session/seed.h"
#include "session/session.h"
#include "session/teardown.h"

/* A launch under way: everything that a later stage needs of an earlier one. */
struct launch {
	const struct launch_request *request;
	struct paths *paths;
	const struct settings *settings;
	const char *const *environ_;
	bool tty;
	struct mode_choice mode;
	struct project project;
	struct agent agent;
	struct allowlist allowlist;
	struct engine engine;
	struct images images;
	struct session session;
	struct record record;
	struct plan_request plan_request;
	struct judged_plan plan;
	int plan_fd;
	bool composed; /* there may be containers */
	struct container_list containers; /* the engine's whole answer */
	int holder_fd;
};

#define LAUNCH_INIT                                                 \
	{                                                           \
		.project = PROJECT_INIT, .agent = AGENT_INIT,       \
		.allowlist = ALLOWLIST_INIT, .engine = ENGINE_INIT, \
		.images = IMAGES_INIT, .session = SESSION_INIT,     \
		.record = RECORD_INIT, .plan = JUDGED_PLAN_INIT,    \
		.plan_fd = -1, .containers = CONTAINER_LIST_INIT,   \
		.holder_fd = -1                                     \
	}

static void
launch_release(struct launch *l)
{
	cleanup_close_fn(&l->holder_fd);
	cleanup_close_fn(&l->plan_fd);
	container_list_release(&l->containers);
	judged_plan_release(&l->plan);
	record_release(&l->record);
	session_release(&l->session);
	images_release(&l->images);
	engine_release(&l->engine);
	allowlist_release(&l->allowlist);
	agent_release(&l->agent);
	project_release(&l->project);
}

#define cleanup_launch __attribute__((cleanup(launch_release)))

static bool
is_run(const struct launch *l)
{
	return l->request->kind == LAUNCH_RUN;
}

/* What the caller asked for, without the engine. */
static int
read_request(struct launch *l, struct diag *dg)
{
	const struct launch_request *r = l->request;
	const char *agent = r->agent != NULL ? r->agent : l->settings->agent;

	l->tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	l->mode = mode_resolve(r->mode, l->settings->mode);
	if (project_open(&l->project, r->dir, l->paths, dg) != 0 ||
	    agent_load(&l->agent, agent, l->paths, dg) != 0)
		return -1;
	if (l->mode.mode == MODE_CONTAINED &&
	    allowlist_load(&l->allowlist, &l->agent.hosts, l->paths, dg) != 0)
		return -1;
	return 0;
}

static int
ask_engine(struct launch *l, struct diag *dg)
{
	cleanup_diag struct diag collect_dg = DIAG_INIT;
	struct collect_outcome outcome;
	struct images_spec spec = {
		.engine = &l->engine,
		.settings = l->settings,
		.paths = l->paths,
		.environ_ = l->environ_,
		.mode = l->mode.mode,
		.build = l->request->build,
	};

	if (paths_open_state(l->paths, dg) != 0 ||
	    engine_find(&l->engine, l->settings, l->paths, l->environ_, dg) !=
		0 ||
	    engine_probe(&l->engine, dg) != 0 ||
	    images_find(&spec, &l->images, dg) != 0)
		return -1;
	/* What cannot be collected now is collected later. */
	if (collect_sessions(l->paths, &l->engine, &outcome, &collect_dg) != 0)
		diag_warn("nothing is collected: %s", collect_dg.message);
	return 0;
}

static void
fill_record(struct launch *l)
{
	struct record *r = &l->record;

	r->id = xstrdup(l->session.id);
	r->project = xstrdup(l->project.path);
	r->agent = xstrdup(l->agent.name);
	r->mode = xstrdup(mode_name(l->mode.mode));
	r->mode_reason = xstrdup(l->mode.reason);
	r->kind = xstrdup(is_run(l) ? "run" : "shell");
	r->engine_id = xstrdup(l->engine.id);
	r->engine_data_root = xstrdup(l->engine.data_root);
	r->engine_socket = xstrdup(l->engine.socket);
	r->agent_image = xstrdup(l->images.agent.id);
	if (l->images.egress.id != NULL)
		r->egress_image = xstrdup(l->images.egress.id);
	r->created_at = record_now();
	r->ends_with_client = !is_run(l) || !l->tty;
}

/* Claim, sync (nothing yet) and seed. */
static int
make_session(struct launch *l, struct diag *dg)
{
	struct session *s = &l->session;

	if (session_claim(
		l->paths, l->agent.name, &l->project, l->mode.mode, s, dg) != 0)
		return -1;
	fill_record(l);
	if (record_write(s->dir_fd, &l->record, dg) != 0)
		return -1;
	return seed_home(l->paths, &l->agent, s->home_fd, dg);
}

static void
fill_plan_request(struct launch *l)
{
	l->plan_request = (struct plan_request){
		.paths = l->paths,
		.settings = l->settings,
		.engine = &l->engine,
		.project = &l->project,
		.mode = l->mode,
		.session_id = l->session.id,
		.session_dir = l->session.dir,
		.history_dir = l->session.history,
		.agent_image = l->images.agent.id,
		.egress_image = l->images.egress.id,
		.agent_image_env = (const char *const *)l->images.agent.env.v,
		.egress_image_env = (const char *const *)l->images.egress.env.v,
	};
}

static int
write_proxy(struct launch *l, struct diag *dg)
{
	cleanup_close int fd = -1;

	if (l->mode.mode != MODE_CONTAINED)
		return 0;
	if (fs_open_nolinks(l->session.sidecar_fd, "conf",
		O_RDONLY | O_DIRECTORY, 0, &fd, dg) != 0 ||
	    squid_write(fd, &l->allowlist, dg) != 0)
		return diag_wrap(dg, "write the proxy's configuration");
	return 0;
}

/* Assemble, resolve, judge, prepare, seal. */
static int
make_plan(struct launch *l, struct diag *dg)
{
	cleanup_assembly struct assembly assembly = ASSEMBLY_INIT;
	char digest[DIGEST_HEX_SIZE];

	fill_plan_request(l);
	if (plan_assemble(&l->plan_request, &assembly, dg) != 0 ||
	    plan_judge(&l->plan_request, &assembly, &l->plan, dg) != 0 ||
	    plan_check_verdict(&l->plan, dg) != 0 ||
	    plan_prepare(&l->plan_request, &l->plan, dg) != 0 ||
	    write_proxy(l, dg) != 0 ||
	    plan_seal(&l->plan_request, &l->plan, l->session.dir_fd, digest,
		&l->plan_fd, dg) != 0)
		return -1;
	l->record.plan_digest = xstrdup(digest);
	return record_write(l->session.dir_fd, &l->record, dg);
}

static void
print_banner(const struct launch *l)
{
	if (l->mode.mode == MODE_CONTAINED)
		diag_note("session %s, contained (%s): no network, and a proxy "
			  "to %zu allowed hosts",
		    l->session.id, l->mode.reason, l->allowlist.nr);
	else
		diag_note("session %s, dood (%s): it has the engine's socket "
			  "and the host's network, so it is root on the host",
		    l->session.id, l->mode.reason);
	if (l->paths->uid == 0)
		diag_note("the session runs as root, because you are root");
}

static int
start_containers(struct launch *l, struct diag *dg)
{
	cleanup_free char *project = xasprintf("drydock-%s", l->session.id);
	struct strvec vars = STRVEC_INIT;
	struct compose_spec spec = {
		.project = project,
		.project_dir = l->session.dir,
		.file_fds = &l->plan_fd,
		.nfiles = 1,
		.vars = &vars,
		/* A launcher that is killed frees the lease, Compose not. */
		.keep_fds = &l->session.lease_fd,
		.nkeep = 1,
	};

	l->composed = true;
	return compose_up(&l->engine, &spec, dg);
}

static const struct container *
find_role(const struct launch *l, const char *role)
{
	const struct collect_facts facts = {
		.record = &l->record,
		.engine = &l->engine,
		.containers = &l->containers,
		.state_id = l->paths->state_id,
		.id = l->session.id,
	};

	return collect_container(&facts, role);
}

/* Exactly the plan's services carry our labels, and they are running. */
static int
match_containers(struct launch *l, struct diag *dg)
{
	bool contained = l->mode.mode == MODE_CONTAINED;
	const struct container *agent = find_role(l, "agent");
	const struct container *egress =
	    contained ? find_role(l, "egress") : NULL;

	if (agent == NULL || (contained && egress == NULL))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not list the %s container that "
		    "Compose started",
		    agent == NULL ? "agent" : "egress");
	for (size_t i = 0; i < l->containers.nr; i++) {
		const struct container *c = &l->containers.v[i];

		if (strcmp(c->session, l->session.id) == 0 && c != agent &&
		    c != egress)
			return diag_set(dg, DIAG_POLICY,
			    "container %.12s has the session's label and is "
			    "not of the plan",
			    c->id);
	}
	l->record.agent_container = xstrdup(agent->id);
	if (egress != NULL)
		l->record.egress_container = xstrdup(egress->id);
	return 0;
}

static int
find_containers(struct launch *l, struct diag *dg)
{
	if (containers_find(
		&l->engine, l->paths->state_id, &l->containers, dg) != 0 ||
	    match_containers(l, dg) != 0)
		return -1;
	return record_write(l->session.dir_fd, &l->record, dg);
}

/* The holder's word first: what it refuses, it refuses by name. */
static int
verify_containers(struct launch *l, struct diag *dg)
{
	int timeout = l->engine.launch_timeout_ms;
	struct holder_hello hello;

	if (holder_connect(
		l->session.run_fd, timeout, &hello, &l->holder_fd, dg) != 0 ||
	    plan_verify(&l->plan_request, &l->plan, "agent",
		find_role(l, "agent"), dg) != 0)
		return -1;
	if (l->mode.mode != MODE_CONTAINED)
		return 0;
	if (plan_verify(&l->plan_request, &l->plan, "egress",
		find_role(l, "egress"), dg) != 0)
		return -1;
	return egress_wait_ready(l->session.egress_fd, timeout, dg);
}

static void
fill_argv(const struct launch *l, struct strvec *argv)
{
	if (is_run(l)) {
		strvec_push_all(argv, (const char *const *)l->agent.command.v);
	} else if (l->request->nargs == 0) {
		strvec_push(argv, "/bin/bash");
	}
	for (int i = 0; i < l->request->nargs; i++)
		strvec_push(argv, l->request->args[i]);
}

static int
say_go(struct launch *l, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;
	cleanup_strvec struct strvec plan_env = STRVEC_INIT;
	struct goenv_spec spec = {
		.paths = l->paths,
		.settings = l->settings,
		.agent = &l->agent,
		.environ_ = l->environ_,
		.image_env = (const char *const *)l->images.agent.env.v,
		.tty = l->tty,
		.secrets = is_run(l),
	};
	struct go_message go = {
		.cwd = l->project.path,
		.tty = l->tty,
		.ends_with_client = l->record.ends_with_client,
	};

	if (plan_environment(&l->plan, "agent", &plan_env, dg) != 0)
		return -1;
	spec.plan_env = (const char *const *)plan_env.v;
	goenv_build(&spec, &env);
	fill_argv(l, &argv);
	go.argv = (const char *const *)argv.v;
	go.envp = (const char *const *)env.v;
	/* From the next line on the agent may have run. */
	l->record.launched_at = record_now();
	if (record_write(l->session.dir_fd, &l->record, dg) != 0)
		return -1;
	return holder_go(
	    l->holder_fd, &go, (int)l->settings->engine_timeout_ms, dg);
}

/* From the sealed plan to a command that runs. */
static int
start(struct launch *l, struct diag *dg)
{
	static int (*const stages[])(struct launch *, struct diag *) = {
		start_containers,
		find_containers,
		verify_containers,
		say_go,
	};

	print_banner(l);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		if (interrupt_check(dg) != 0 || stages[i](l, dg) != 0)
			return -1;
	}
	session_drop_lease(&l->session);
	return 0;
}

static int
make_and_start(struct launch *l, struct diag *dg)
{
	if (make_session(l, dg) == 0 && interrupt_check(dg) == 0 &&
	    make_plan(l, dg) == 0 && start(l, dg) == 0)
		return 0;
	if (l->session.dir_fd >= 0)
		teardown_launch(
		    l->paths, &l->engine, &l->record, l->composed, &l->session);
	return -1;
}

/* The command's end is not the connection's end. */
static int
view(struct launch *l, int *ret_status, struct diag *dg)
{
	struct attach_outcome outcome;
	int status;

	if (attach_view(l->holder_fd, l->tty, l->settings, &outcome, dg) != 0)
		return -1;
	cleanup_close_fn(&l->holder_fd);
	if (outcome.end == ATTACH_DETACHED && !l->record.ends_with_client) {
		diag_note("session %s goes on", l->session.id);
		*ret_status = 0;
		return 0;
	}
	status = teardown_ended(
	    l->paths, &l->engine, &l->record, outcome.end == ATTACH_EXITED);
	if (outcome.end != ATTACH_LOST) {
		*ret_status = outcome.status;
		return 0;
	}
	if (status < 0)
		return diag_set(dg, DIAG_ENGINE,
		    "the connection to session %s is lost", l->session.id);
	*ret_status = status;
	return 0;
}

int
launch_session(const struct launch_request *request, struct paths *paths,
    const struct settings *settings, const char *const *environ_,
    int *ret_status, struct diag *dg)
{
	cleanup_launch struct launch l = LAUNCH_INIT;
	struct interrupt held;
	int rc;

	l.request = request;
	l.paths = paths;
	l.settings = settings;
	l.environ_ = environ_;
	if (read_request(&l, dg) != 0 || ask_engine(&l, dg) != 0)
		return -1;
	interrupt_hold(&held);
	rc = make_and_start(&l, dg);
	if (rc == 0)
		rc = view(&l, ret_status, dg);
	interrupt_restore(&held);
	return rc;
}
