/* SPDX-License-Identifier: MIT */
/* Restarts a session from its sealed plan and its stopped containers. */
#include "session/resume.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/moment.h"
#include "engine/image.h"
#include "host/reserved.h"
#include "host/settings.h"
#include "host/trusted.h"
#include "plan/sockets.h"
#include "session/allowed.h"
#include "session/changes.h"
#include "session/join.h"
#include "session/links.h"
#include "session/look.h"
#include "session/moved.h"
#include "session/neighbours.h"
#include "session/patchguard.h"
#include "session/slot.h"
#include "session/start.h"
#include "session/usage.h"
#include "terminal/interrupt.h"

enum {
	GRACE_S = 2 /* no agent process runs yet */
};

int
resume_find_parts(struct start *l, struct diag *dg)
{
	struct record *r = &l->record;

	moved_warn(r);
	l->mode = mode_resolve(r->mode, NULL);
	l->mode.reason = r->mode_reason;
	if (project_open(&l->project, r->project, l->paths, dg) != 0 ||
	    settings_load_project(l->settings, l->paths, &l->project, dg) !=
		0 ||
	    agent_load(&l->agent, r->agent, l->paths, dg) != 0)
		return -1;
	if (strcmp(l->project.path, r->project) != 0)
		return diag_set(dg, DIAG_POLICY, "%s leads to %s now",
		    r->project, l->project.path);
	/* A record of version 1 has no history: use the path for the mode. */
	if (r->history == NULL)
		r->history = project_history(
		    &l->project, l->paths, r->agent, l->mode.mode);
	if (allowed_restore(l->settings, r, dg) != 0 ||
	    start_load_hosts(l, dg) != 0)
		return -1;
	if (reserved_check_passed(&l->settings->pass_env, l->paths, dg) != 0)
		return -1;
	return trusted_check(l->paths, l->project.path, dg);
}

/*
 * Refuses the restart if a program listens on a reachable socket by now.  On a
 * first start the policy's rule "source-socket" checks this.
 */
static int
check_sockets(struct start *l, struct diag *dg)
{
	struct plan *plan = &l->plan;

	if (l->mode.mode != MODE_CONTAINED)
		return 0;
	if (sockets_find(&l->plan_request, plan, &plan->sockets,
		&plan->sockets_whole, dg) != 0)
		return -1;
	if (plan->sockets.nr == 0 || l->settings->project_sockets)
		return 0;
	return diag_set(dg, DIAG_POLICY,
	    "a program listens at %s, and the agent could talk to it: stop "
	    "that program, or set project_sockets = yes",
	    plan->sockets.v[0]);
}

/* The sealed plan names the slot, so the session starts with no other. */
static int
hold_slot(struct start *l, struct diag *dg)
{
	bool gone = false;

	if (l->record.cache == NULL)
		return 0;
	if (slot_claim_again(
		l->paths, l->record.cache, l->record.id, &gone, dg) != 0)
		return -1;
	if (gone)
		diag_note("the session's dependency caches were removed: it "
			  "starts with empty ones");
	return 0;
}

/* Finds symlinks that an agent planted, before anything is mounted. */
static int
check_plan(struct start *l, struct diag *dg)
{
	if (patchguard_check(l->paths, l->project.path, l->project.fd,
		l->environ_, dg) != 0 ||
	    hold_slot(l, dg) != 0)
		return -1;
	start_fill_request(l);
	if (plan_unseal(&l->plan_request, l->session.dir_fd,
		l->record.plan_digest, &l->plan, dg) != 0)
		return -1;
	if (neighbours_check(l->paths, l->engine, &l->plan, &l->session, dg) !=
		0 ||
	    plan_judge_again(&l->plan_request, &l->plan, dg) != 0 ||
	    plan_prepare(&l->plan_request, &l->plan, dg) != 0 ||
	    check_sockets(l, dg) != 0)
		return -1;
	return start_write_proxy(l, dg);
}

static int
inspect_image(const struct start *l, const char *service,
    struct image *ret_image, struct diag *dg)
{
	const struct plan_service *s = plan_find(&l->plan, service);

	if (s == NULL)
		return diag_set(dg, DIAG_DATA, "its plan has no %s", service);
	if (image_inspect(l->engine, s->image, ret_image, dg) != 0)
		return -1;
	if (ret_image->id == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "the engine does not know the session's image %s",
		    s->image);
	return 0;
}

int
resume_find_images(struct start *l, struct diag *dg)
{
	if (inspect_image(l, "agent", &l->images.agent, dg) != 0)
		return -1;
	if (l->mode.mode != MODE_CONTAINED)
		return 0;
	return inspect_image(l, "egress", &l->images.egress, dg);
}

/*
 * Finds what the sealed plan needs: its containers by id, drydock's own images.
 */
static int
find_planned(struct start *l, struct diag *dg)
{
	for (size_t i = 0; i < l->plan.nservices; i++) {
		const char *name = l->plan.services[i].name;

		if (record_container_id(&l->record, name) == NULL)
			return diag_set(dg, DIAG_DATA,
			    "its record names no %s container", name);
	}
	return resume_find_images(l, dg);
}

static int
empty_mount(const struct start *l, enum mount_id id, struct diag *dg)
{
	if (fs_empty_dir(l->session.dir_fd, mount_roles[id].below, dg) != 0)
		return diag_wrap(dg, "%s", l->session.dir);
	return 0;
}

static int
start_containers(struct start *l, struct diag *dg)
{
	struct record *r = &l->record;
	const char *agent = record_container_id(r, "agent");
	const char *egress = record_container_id(r, "egress");

	/*
	 * An exit from here on is not the session's end: drop the record of an
	 * earlier stop, and keep the session when its client leaves.
	 */
	r->ends_with_client = false;
	free(r->starting_at);
	r->starting_at = moment_now();
	free(r->stopping_at);
	r->stopping_at = NULL;
	if (record_write(l->session.dir_fd, r, dg) != 0)
		return -1;
	l->composed = true;
	/*
	 * A container may still wait from an interrupted start.  Its first
	 * process has to begin anew.
	 */
	if (container_stop(l->engine, agent, GRACE_S, dg) != 0)
		return -1;
	/* A proxy that still runs has read an older allowlist. */
	if (egress != NULL &&
	    container_stop(l->engine, egress, GRACE_S, dg) != 0)
		return -1;
	/*
	 * Remove what the agent left in the directories in which the sockets
	 * are made.
	 */
	if (empty_mount(l, MOUNT_RUN, dg) != 0 ||
	    (egress != NULL && empty_mount(l, MOUNT_EGRESS, dg) != 0))
		return -1;
	/* In the record's order, but the agent last. */
	for (size_t i = 0; i < r->ncontainers; i++) {
		const char *id = r->containers[i].id;

		if (id != NULL && strcmp(id, agent) != 0 &&
		    container_start(l->engine, id, dg) != 0)
			return -1;
	}
	return container_start(l->engine, agent, dg);
}

static void
stop_again(struct start *l)
{
	for (size_t i = 0; i < l->record.ncontainers; i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		const char *id = l->record.containers[i].id;

		if (id != NULL &&
		    container_stop(l->engine, id, GRACE_S, &dg) != 0)
			diag_warn("%s", dg.message);
	}
}

static void
note_start(const struct start *l)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int home_fd = -1;

	if (session_open_mount(&l->session, MOUNT_HOME, &home_fd, &ignored) ==
	    0)
		usage_tell(l->settings, l->record.id, home_fd, USAGE_ATTACH_MS);
	diag_note("session %s was stopped: this is a new process of %s, with "
		  "the session's files as they were",
	    l->record.id, l->record.agent);
	changes_tell(l->session.dir_fd, l->record.id, WATCHED_ATTACH_MS);
	links_ensure(l->paths, &l->session);
}

int
resume_session(const struct join_spec *spec, struct session *session,
    struct record *record, int *ret_status, struct diag *dg)
{
	static start_stage *const stages[] = {
		resume_find_parts,
		check_plan,
		find_planned,
		start_containers,
		start_check,
		start_companion,
		start_go,
	};
	cleanup_start struct start l = START_INIT;
	struct launch_request request = {
		.kind = strcmp(record->kind, "shell") == 0 ? LAUNCH_SHELL
							   : LAUNCH_RUN,
	};
	int rc;

	l.request = &request;
	l.paths = spec->paths;
	l.settings = spec->settings;
	l.environ_ = spec->environ_;
	l.tty = true;
	l.engine = spec->engine;
	l.session = *session;
	l.record = *record;
	*session = (struct session)SESSION_INIT;
	*record = (struct record)RECORD_INIT;
	interrupt_hold(&l.interrupt);
	l.resume = true;
	rc = start_run(&l, stages, ARRAY_SIZE(stages), dg);
	if (rc != 0 && l.composed)
		stop_again(&l);
	session_drop_lease(&l.session);
	if (rc != 0) {
		(void)diag_wrap(
		    dg, "session %s is not started again", l.record.id);
	} else {
		note_start(&l);
		rc = start_view(&l, ret_status, dg);
	}
	interrupt_restore(&l.interrupt);
	return rc;
}

/* Starts the proxy from the sealed plan, with the current allowlist. */
static int
start_proxy(struct start *l, struct diag *dg)
{
	if (record_read(l->session.dir_fd, &l->record, dg) != 0 ||
	    resume_find_parts(l, dg) != 0)
		return -1;
	start_fill_request(l);
	if (plan_unseal(&l->plan_request, l->session.dir_fd,
		l->record.plan_digest, &l->plan, dg) != 0 ||
	    start_write_proxy(l, dg) != 0 || find_planned(l, dg) != 0 ||
	    container_start(
		l->engine, record_container_id(&l->record, "egress"), dg) != 0)
		return -1;
	l->composed = true;
	return start_check_proxy(l, dg);
}

/* *ret_started is set if the proxy had ended and was started. */
static int
restart_proxy(const struct join_spec *spec, const char *id, bool *ret_started,
    struct diag *dg)
{
	const struct look_spec at = { .paths = spec->paths,
		.engine = spec->engine };
	cleanup_session_look struct session_look look = SESSION_LOOK_INIT;
	cleanup_start struct start l = START_INIT;
	cleanup_diag struct diag stop = DIAG_INIT;
	enum lock_answer answer;

	if (session_take(spec->paths, id, &answer, &l.session, dg) != 0)
		return -1;
	if (answer == LOCK_GONE)
		return 0;
	if (session_look(&at, &l.session, &look, dg) != 0)
		return -1;
	if (!session_runs(look.state) || !session_proxy_gave_up(&look.facts))
		return 0;
	l.paths = spec->paths;
	l.settings = spec->settings;
	l.environ_ = spec->environ_;
	l.engine = spec->engine;
	*ret_started = start_proxy(&l, dg) == 0;
	if (*ret_started)
		return 0;
	if (l.composed &&
	    container_stop(l.engine, record_container_id(&l.record, "egress"),
		GRACE_S, &stop) != 0)
		diag_warn("%s", stop.message);
	return -1;
}

void
resume_proxy_if_needed(const struct join_spec *spec, const char *id)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	bool started = false;

	if (restart_proxy(spec, id, &started, &dg) != 0)
		diag_warn("the proxy of session %s may have ended and cannot "
			  "be started again: %s; try \"drydock attach %s\"",
		    id, dg.message, id);
	else if (started)
		diag_note("the proxy of session %s had ended and was started "
			  "again",
		    id);
}
