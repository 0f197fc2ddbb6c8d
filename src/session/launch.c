/* SPDX-License-Identifier: MIT */
/* The pipeline.  Each stage fails with its own message. */
#include "session/launch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/gitrepo.h"
#include "host/hostclient.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/reserved.h"
#include "host/settings.h"
#include "host/statedir.h"
#include "host/token.h"
#include "host/trusted.h"
#include "host/watchlist.h"
#include "plan/role.h"
#include "session/caches.h"
#include "session/changes.h"
#include "session/collect.h"
#include "session/egress.h"
#include "session/image-use.h"
#include "session/links.h"
#include "session/neighbours.h"
#include "session/outcome.h"
#include "session/patchguard.h"
#include "session/seed.h"
#include "session/slot.h"
#include "session/slotseed.h"
#include "session/start.h"
#include "session/task.h"
#include "session/usage.h"
#include "sync/sync.h"
#include "terminal/interrupt.h"
#include "terminal/prompt.h"
#include "terminal/tty.h"

/* In dood mode, contained sessions' conversations need a confirmation. */
static int
agree_to_history(const struct start *l, struct diag *dg)
{
	if (!l->request->contained_history || l->mode.mode == MODE_CONTAINED)
		return 0;
	if (!prompt_possible())
		return diag_set(dg, DIAG_USAGE,
		    "the use of contained conversations in dood mode asks "
		    "for confirmation, which needs a terminal");
	return prompt_yes("contained sessions wrote these conversations, and "
			  "their text can instruct the agent, which is root "
			  "on the host in dood mode. Use them? [y/N]",
	    dg);
}

/* Notes the user's files that replace installed ones. */
static void
note_replacements(const struct start *l)
{
	if (l->agent.replacement != NULL)
		diag_note("agent %s: %s replaces the one that is installed",
		    l->agent.name, l->agent.replacement);
	for (size_t i = 0; i < l->toolchains.nr; i++)
		if (l->toolchains.v[i].replacement != NULL)
			diag_note("toolchain %s: %s replaces the one that is "
				  "installed",
			    l->toolchains.v[i].name,
			    l->toolchains.v[i].replacement);
}

/*
 * Notes that the host has a newer client than the image.  The version in an
 * image that follows the newest one is not known here.
 */
static void
note_older_client(const struct start *l)
{
	const char *search = envp_get(l->environ_, "PATH");
	const char *version = agent_package_version(&l->agent);
	cleanup_free char *package = agent_package(&l->agent);
	cleanup_free char *host = NULL;

	if (search == NULL || package == NULL ||
	    l->request->kind != LAUNCH_RUN ||
	    strcmp(version, AGENT_LATEST) == 0)
		return;
	host = hostclient_version(
	    search, l->agent.command.v[0], package, l->project.path);
	if (host != NULL && hostclient_is_older(version, host))
		diag_note("%s is %s in its image and %s on this host; for the "
			  "same version run \"drydock config set "
			  "agent_version %s@%s\"",
		    l->agent.name, version, host, l->agent.name, host);
}

/* Reads and checks the request, without the engine. */
static int
read_request(struct start *l, struct diag *dg)
{
	const struct launch_request *r = l->request;

	l->tty = tty_is_ours();
	if (project_open(&l->project, r->dir, l->paths, dg) != 0 ||
	    settings_load_project(l->settings, l->paths, &l->project, dg) != 0)
		return -1;
	l->mode = mode_resolve(r->mode, l->settings);
	if (agent_choose(&l->agent, l->settings, l->paths, dg) != 0 ||
	    agree_to_history(l, dg) != 0 || start_load_hosts(l, dg) != 0)
		return -1;
	note_replacements(l);
	note_older_client(l);
	if (reserved_check_passed(&l->settings->pass_env, l->paths, dg) != 0)
		return -1;
	if (trusted_check(l->paths, l->project.path, dg) != 0)
		return -1;
	return patchguard_check(
	    l->paths, l->project.path, l->project.fd, l->environ_, dg);
}

/* Probes the engine first: each engine has its own recorded images. */
static int
ask_engine(struct start *l, struct diag *dg)
{
	const char *const projects[] = { l->project.path, NULL };
	cleanup_diag struct diag collect_dg = DIAG_INIT;
	struct collect_outcome outcome;
	const struct images_spec spec = {
		.engine = l->engine,
		.recipe = { l->settings, &l->agent, &l->toolchains, l->paths },
		.project = l->settings->of_project ? l->project.path : NULL,
		.environ_ = l->environ_,
		.mode = l->mode.mode,
		.build = l->request->build,
	};

	if (statedir_open(l->paths, dg) != 0 ||
	    engine_ready(l->engine, l->settings, l->paths, projects,
		l->environ_, dg) != 0 ||
	    image_use_hold(l->paths, (int)l->settings->launch_timeout_ms,
		&l->images_fd, dg) != 0 ||
	    images_get(&spec, &l->images, dg) != 0)
		return -1;
	/* A failure is only a warning: the next launch collects again. */
	if (collect_sessions(
		l->paths, l->engine, NULL, &outcome, &collect_dg) != 0)
		diag_warn(
		    "ended sessions are not removed: %s", collect_dg.message);
	(void)outcomes_prune(l->paths, l->settings);
	return 0;
}

/* Returns true if the agent gets a token, stored or from the caller. */
static bool
has_token(const struct start *l)
{
	const char *variable = l->agent.token_variable;
	cleanup_diag struct diag dg = DIAG_INIT;
	bool stored = false;
	time_t since;

	if (l->request->kind != LAUNCH_RUN || l->agent.token_document == NULL)
		return false;
	if (envp_get(l->environ_, variable) != NULL)
		return true;
	/* A failure is reported when the token is read. */
	return token_status(l->paths, l->agent.name, &stored, &since, &dg) ==
	    0 &&
	    stored;
}

/* Without a slot the session's caches are cold. */
static void
claim_slot(struct start *l)
{
	cleanup_slot struct slot slot = SLOT_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	if (!slot_is_wanted(l->settings, &l->toolchains))
		return;
	if (slot_claim(l->paths, &l->project, l->mode.mode, l->session.id,
		&slot, &dg) == 0 &&
	    slot_make_caches(&slot, &l->toolchains, &dg) == 0) {
		slotseed_fill(l, &slot);
		l->record.cache = steal_ptr(&slot.dir);
	} else {
		diag_note("the session has no cache of an earlier one, and "
			  "keeps none: %s",
		    dg.message);
	}
}

/* The stages claim, sync and seed. */
static int
make_session(struct start *l, struct diag *dg)
{
	struct session *s = &l->session;
	struct record *r = &l->record;
	const struct sync_request sync = {
		.paths = l->paths,
		.settings = l->settings,
		.agent = &l->agent,
		.wait_ms = (int)l->settings->launch_timeout_ms,
	};
	struct seed_spec seed = {
		.npm = l->allowlist.npm,
		.ssh_agent =
		    l->settings->ssh_agent && l->mode.mode == MODE_CONTAINED,
		.ret_git_signs = &l->git_signs,
		.paths = l->paths,
		.settings = l->settings,
		.agent = &l->agent,
		.image_id = l->images.agent.id,
		.project = l->project.path,
		.token = has_token(l),
		.environ_ = l->tty ? l->environ_ : NULL,
	};
	cleanup_close int home_fd = -1;

	if (knownprojects_begin(l->paths, dg) != 0 ||
	    session_claim(l->paths, s, dg) != 0)
		return -1;
	start_fill_record(l);
	r->mode_reason = xstrdup(l->mode.reason);
	r->history = project_history(&l->project, l->paths, l->agent.name,
	    l->request->contained_history ? MODE_CONTAINED : l->mode.mode);
	r->kind = xstrdup(l->request->kind == LAUNCH_RUN ? "run" : "shell");
	r->ends_with_client = !l->tty;
	if (record_write(s->dir_fd, r, dg) != 0)
		return -1;
	cleanup_close_fn(&l->images_fd);
	links_ensure(l->paths, s);
	sync_before_launch(&sync);
	claim_slot(l);
	if (r->cache != NULL)
		seed.caches = &l->toolchains;
	if (session_open_mount(s, MOUNT_HOME, &home_fd, dg) != 0)
		return -1;
	return seed_home(&seed, home_fd, dg);
}

/*
 * Adds the directories that the agent will be able to write to the known
 * projects: no later launch takes programs or configuration from there.  Keeps
 * the git directory before the project counts as known.
 */
static int
note_places(const struct start *l, struct diag *dg)
{
	const struct plan_service *agent = plan_find(&l->plan, "agent");

	for (size_t i = 0; i < agent->nmounts; i++) {
		const struct plan_mount *m = &agent->mounts[i];

		if (m->role == &mount_roles[MOUNT_GIT] &&
		    gitrepo_keep_outer(
			l->project.path, m->source, l->paths, dg) != 0)
			return -1;
	}
	for (size_t i = 0; i < agent->nmounts; i++) {
		const struct plan_mount *m = &agent->mounts[i];

		if (!m->read_only && !mount_is_made(m) &&
		    m->role->type == S_IFDIR &&
		    knownprojects_add(l->paths, m->source, dg) != 0)
			return -1;
	}
	return 0;
}

/* The stages assemble, resolve, judge, prepare and seal. */
static int
make_plan(struct start *l, struct diag *dg)
{
	cleanup_assembly struct assembly assembly = ASSEMBLY_INIT;

	start_fill_request(l);
	if (plan_assemble(&l->plan_request, &assembly, dg) != 0 ||
	    plan_judge(&l->plan_request, &assembly, &l->plan, dg) != 0 ||
	    plan_check_verdict(&l->plan, dg) != 0 ||
	    neighbours_check(l->paths, l->engine, &l->plan, &l->session, dg) !=
		0 ||
	    plan_prepare(&l->plan_request, &l->plan, dg) != 0 ||
	    note_places(l, dg) != 0 || start_write_proxy(l, dg) != 0)
		return -1;
	return start_seal(l, dg);
}

/* Returns the agent's mount that has this role, or NULL. */
static const struct plan_mount *
find_role(const struct start *l, enum mount_id id)
{
	const struct plan_service *agent = plan_find(&l->plan, "agent");

	for (size_t i = 0; i < agent->nmounts; i++)
		if (agent->mounts[i].role == &mount_roles[id])
			return &agent->mounts[i];
	return NULL;
}

static void
print_banner(const struct start *l)
{
	const char *as_root = l->paths->uid == 0 ? ", as root" : "";
	const struct plan_mount *own = find_role(l, MOUNT_PROJECT);
	const struct plan_mount *git = find_role(l, MOUNT_GIT);
	cleanup_strvec struct strvec git_notes = STRVEC_INIT;
	const char *search = envp_get(l->environ_, "PATH");
	cleanup_free char *in_path = search == NULL
	    ? NULL
	    : protected_search_dir_in(search, l->project.path);

	if (l->mode.mode == MODE_CONTAINED)
		diag_note(
		    "session %s on %s, contained (%s)%s: no network, and a "
		    "proxy to %zu allowed hosts",
		    l->session.id, l->project.path, l->mode.reason, as_root,
		    l->allowlist.nr);
	else
		diag_note(
		    "session %s on %s, dood (%s)%s: it has the engine's "
		    "socket and the host's network, so it is root on the host",
		    l->session.id, l->project.path, l->mode.reason, as_root);
	if (l->mode.mode == MODE_CONTAINED)
		egress_note_upstream(l->settings, l->environ_);
	for (size_t i = 0; i < l->allowlist.notes.nr; i++)
		diag_note("%s", l->allowlist.notes.v[i]);
	for (size_t i = 0; i < l->plan.sockets.nr; i++)
		diag_note("a program listens at %s, and the agent can talk to "
			  "it without a network (setting project_sockets)",
		    l->plan.sockets.v[i]);
	if (l->mode.mode == MODE_CONTAINED && !l->plan.sockets_whole)
		diag_note("sockets were not searched for everywhere in the "
			  "project and the binds: they are too large, or "
			  "have directories that you cannot read");
	if (in_path != NULL)
		diag_note("PATH has %s, which is in the project: commands "
			  "that you type on this host can run programs that "
			  "the agent put there; leave that environment first",
		    in_path);
	if (git != NULL)
		diag_note("git's directory %s is %s in the session",
		    git->source, git->read_only ? "read-only" : "writable");
	gitrepo_check(l->project.path, git == NULL ? NULL : git->source,
	    l->paths, &git_notes);
	for (size_t i = 0; i < git_notes.nr; i++)
		diag_note("%s", git_notes.v[i]);
	if (own != NULL && own->read_only)
		diag_note("%s is read-only in the session, as its mount is",
		    l->project.path);
}

/* Reports the project's disk usage, for a bounded time. */
static int
tell_usage(void *arg, struct diag *dg)
{
	const struct start *l = arg;

	(void)dg;
	usage_tell_project(l->settings, l->project.path, USAGE_LAUNCH_MS);
	return 0;
}

/* The task that stores the state of files that can run programs. */
struct watch {
	const struct start *l;
	const struct strbuf *list;
	char *missed; /* owned */
};

static int
begin_changes(void *arg, struct diag *dg)
{
	struct watch *w = arg;

	return changes_begin(&w->l->plan, w->list->buf, w->list->len,
	    w->l->session.dir_fd, &w->missed, dg);
}

/* The stages launch, verify and go. */
static int
start(struct start *l, struct diag *dg)
{
	static start_stage *const before[] = {
		start_compose,
		start_check,
		start_companion,
	};
	static start_stage *const go[] = { start_go };
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	struct watch watch = { l, &list, NULL };
	struct task changes;
	struct task usage;
	int rc;

	if (trusted_read_data(
		l->paths, WATCHLIST_NAME, WATCHLIST_MAX, &list, dg) != 0)
		return -1;
	if (!l->request->no_banner)
		print_banner(l);
	/* These run in parallel: the containers take longer to start. */
	task_start(&changes, begin_changes, &watch);
	task_start(&usage, tell_usage, l);
	rc = start_run(l, before, ARRAY_SIZE(before), dg);
	/* The agent does not run before the state is stored. */
	if (task_join(&changes, dg) != 0)
		rc = -1;
	else if (watch.missed != NULL)
		diag_note("%s, and what comes after it, is too large or cannot "
			  "be read: \"drydock diff\" does not find new files "
			  "there that can run programs on this host",
		    watch.missed);
	free(watch.missed);
	if (rc == 0)
		rc = start_run(l, go, ARRAY_SIZE(go), dg);
	(void)task_join(&usage, dg);
	if (rc == 0)
		session_drop_lease(&l->session);
	return rc;
}

static int
collect_caches(void *arg, struct diag *dg)
{
	const struct start *l = arg;

	(void)dg;
	caches_collect_quietly(l->paths, l->settings);
	return 0;
}

int
launch_session(const struct launch_request *request, struct paths *paths,
    struct settings *settings, const char *const *environ_, int *ret_status,
    struct diag *dg)
{
	cleanup_start struct start l = START_INIT;
	struct task caches;
	bool collects;
	int rc = -1;

	l.request = request;
	l.paths = paths;
	l.settings = settings;
	l.environ_ = environ_;
	l.engine = request->engine;
	if (read_request(&l, dg) != 0 || ask_engine(&l, dg) != 0)
		return -1;
	interrupt_hold(&l.interrupt);
	/* Joined last: the removal of a large cache takes seconds. */
	collects = caches_exist(paths);
	if (collects)
		task_start(&caches, collect_caches, &l);
	if (make_session(&l, dg) == 0 &&
	    interrupt_check(&l.interrupt, dg) == 0 && make_plan(&l, dg) == 0 &&
	    start(&l, dg) == 0)
		rc = start_view(&l, ret_status, dg);
	else
		collect_launch(&l);
	if (collects)
		(void)task_join(&caches, dg);
	interrupt_restore(&l.interrupt);
	return rc;
}
