/* SPDX-License-Identifier: MIT */
/* Checks that the running containers are those of the sealed plan. */
#include "session/start.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/monotime.h"
#include "engine/logs.h"
#include "host/paths.h"
#include "host/settings.h"
#include "plan/role.h"
#include "session/attach.h"
#include "session/companion.h"
#include "session/egress.h"
#include "session/route.h"
#include "session/status.h"
#include "session/task.h"

enum {
	EXIT_WAIT_MS = 10000,
	EXIT_POLL_MS = 20
};

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
		logs_add(l->engine, c->id, dg);
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
	diag_move(dg, &seen);
	return -1;
}

/* Fails if a container outside the plan has the session's label. */
static int
check_strangers(const struct start *l, struct diag *dg)
{
	for (size_t i = 0; i < l->containers.nr; i++) {
		const struct container *c = &l->containers.v[i];

		if (strcmp(c->session, l->session.id) == 0 &&
		    find_role(l, c->role) != c)
			return diag_set(dg, DIAG_POLICY,
			    "container %.12s has the session's label but is "
			    "not in the plan",
			    c->id);
	}
	return 0;
}

/*
 * Checks that exactly the plan's services have our labels, and that they run.
 */
static int
match_containers(struct start *l, struct diag *dg)
{
	const struct plan *plan = &l->plan;

	for (size_t i = 0; i < plan->nservices; i++)
		if (find_role(l, plan->services[i].name) == NULL)
			return diag_set(dg, DIAG_ENGINE,
			    "the engine does not list the %s container that "
			    "Compose started",
			    plan->services[i].name);
	if (check_strangers(l, dg) != 0)
		return -1;
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
	return 0;
}

static int
find_containers(struct start *l, struct diag *dg)
{
	if (containers_find(
		l->engine, l->paths->state_id, &l->containers, dg) != 0 ||
	    match_containers(l, dg) != 0)
		return -1;
	return record_write(l->session.dir_fd, &l->record, dg);
}

struct proxy_wait {
	const struct start *start;
	atomic_bool stop;
};

static int
wait_proxy(void *arg, struct diag *dg)
{
	const struct proxy_wait *w = arg;

	const struct session *session = &w->start->session;
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int fd = -1;
	cleanup_close int log_fd = -1;

	if (session_open_mount(session, MOUNT_EGRESS, &fd, dg) != 0)
		return -1;
	if (egress_wait_ready(
		fd, w->start->engine->launch_timeout_ms, &w->stop, dg) == 0)
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
	struct proxy_wait wait = { .start = l, .stop = false };
	bool contained = l->mode.mode == MODE_CONTAINED;
	struct task proxy;
	int rc;

	if (contained)
		task_start(&proxy, wait_proxy, &wait);
	rc = find_containers(l, dg);
	if (rc == 0)
		rc = verify_containers(l, dg);
	if (!contained)
		return rc;
	/*
	 * On failure stop waiting for the proxy; the first failure stays in
	 * *dg.
	 */
	atomic_store(&wait.stop, rc != 0);
	if (task_join(&proxy, dg) != 0 || rc != 0)
		return -1;
	return route_check(&l->session, &l->allowlist, l->settings, dg);
}

int
start_check_proxy(struct start *l, struct diag *dg)
{
	struct proxy_wait wait = { .start = l, .stop = false };
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
	if (check_runs(l, s, c, dg) != 0 || wait_proxy(&wait, dg) != 0)
		return -1;
	return verify(l, s, dg);
}
