/* SPDX-License-Identifier: MIT */
/* verify: one waiting container against the judged plan. */
#include "plan/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "plan/values.h"

/*
 * The engine's own network namespace, which is what it calls the host's; 0
 * when that cannot be seen, as an ordinary user cannot.
 */
static ino_t
engine_net(const struct engine *engine)
{
	cleanup_close int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cleanup_free char *path = NULL;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct stat st;

	if (fd < 0 || strlen(engine->socket) >= sizeof(addr.sun_path))
		return 0;
	memcpy(addr.sun_path, engine->socket, strlen(engine->socket) + 1);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return 0;
	path = xasprintf("/proc/%ld/ns/net", (long)peer.pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static int
read_expectation(const struct plan_request *request, const struct plan *plan,
    const char *service, struct expectation *ret_expect, struct diag *dg)
{
	cleanup_json struct json *model = NULL;
	bool agent = strcmp(service, "agent") == 0;
	bool egress = strcmp(service, "egress") == 0;

	if (json_parse(plan->model, strlen(plan->model), "the plan", &model,
		dg) != 0 ||
	    expectation_read(model, service,
		agent        ? request->agent_image_env
		    : egress ? request->egress_image_env
			     : NULL,
		agent        ? request->agent_image
		    : egress ? request->egress_image
			     : NULL,
		ret_expect, dg) != 0)
		return -1;
	ret_expect->seccomp = plan->seccomp.len > 0 ? plan->seccomp.buf : NULL;
	if (ret_expect->net == EXPECT_NET_HOST)
		ret_expect->host_net = engine_net(request->engine);
	return 0;
}

static int
verify_service(const struct plan_request *request, const struct plan *plan,
    const char *service, const struct container *container, struct diag *dg)
{
	cleanup_expectation struct expectation expect = EXPECTATION_INIT;
	cleanup_proc_facts struct proc_facts facts = PROC_FACTS_INIT;
	bool holder = plan_is_own_service(service);

	if (container->state != CONTAINER_RUNNING || container->pid <= 0)
		return diag_set(dg, DIAG_POLICY,
		    "it does not run (exit status %d) %s", container->exit_code,
		    container->error);
	if (read_expectation(request, plan, service, &expect, dg) != 0 ||
	    proc_facts_open(
		container->pid, container->id, holder, &facts, dg) != 0 ||
	    verify_status(&expect, &facts, dg) != 0 ||
	    proc_facts_read(&facts, dg) != 0 ||
	    verify_process(&expect, &facts, dg) != 0 ||
	    verify_mounts(&expect, plan->binds, plan->nbinds, service,
		&facts.mounts, dg) != 0 ||
	    verify_sources(
		plan->binds, plan->nbinds, service, facts.root_fd, dg) != 0)
		return -1;
	return verify_inspect(&expect, container, dg);
}

static int
not_as_planned(const char *service, struct diag *dg)
{
	return diag_wrap(dg, "the %s container is not as planned", service);
}

int
plan_verify(const struct plan_request *request, const struct plan *plan,
    const char *service, const struct container *container, struct diag *dg)
{
	if (verify_service(request, plan, service, container, dg) != 0)
		return not_as_planned(service, dg);
	return 0;
}

int
plan_verify_asked(const struct plan_request *request, const struct plan *plan,
    const char *service, const struct container *container, struct diag *dg)
{
	cleanup_expectation struct expectation expect = EXPECTATION_INIT;

	if (read_expectation(request, plan, service, &expect, dg) != 0 ||
	    verify_inspect(&expect, container, dg) != 0)
		return not_as_planned(service, dg);
	return 0;
}
