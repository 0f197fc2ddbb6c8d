/* SPDX-License-Identifier: MIT */
/*
 * start: a sealed plan's containers brought up, checked and given their command,
 * for the first time (launch) or again (resume).
 */
#ifndef DRYDOCK_START_H
#define DRYDOCK_START_H

#include <stdbool.h>

#include "engine/container.h"
#include "engine/engine.h"
#include "host/agent.h"
#include "host/allowlist.h"
#include "host/mode.h"
#include "host/project.h"
#include "host/toolchain.h"
#include "plan/plan.h"
#include "session/images.h"
#include "session/interrupt.h"
#include "session/launch.h"
#include "session/record.h"
#include "session/session.h"

/* A launch under way: everything that a later stage needs of an earlier one. */
struct start {
	const struct launch_request *request;
	struct paths *paths;
	struct settings *settings;
	const char *const *environ_;
	bool tty;
	bool signals; /* the holder passes them on */
	struct mode_choice mode;
	struct project project;
	struct agent agent;
	struct toolchains toolchains;
	struct allowlist allowlist;
	struct engine engine;
	struct images images;
	struct session session;
	struct record record;
	struct plan_request plan_request;
	struct plan plan;
	int plan_fd;
	bool composed; /* there may be containers */
	bool left; /* Compose is at work on them still, with the lease */
	bool resume; /* go has the agent's resume arguments */
	struct container_list containers; /* the engine's whole answer */
	int holder_fd;
	int agent_pidfd; /* of its first process */
	int seen_fd; /* viewers_join() */
	struct interrupt interrupt; /* once there is something to put away */
};

#define START_INIT                                                          \
	{                                                                   \
		.project = PROJECT_INIT, .agent = AGENT_INIT,               \
		.toolchains = TOOLCHAINS_INIT, .allowlist = ALLOWLIST_INIT, \
		.engine = ENGINE_INIT, .images = IMAGES_INIT,               \
		.session = SESSION_INIT, .record = RECORD_INIT,             \
		.plan = PLAN_INIT, .plan_fd = -1,                           \
		.containers = CONTAINER_LIST_INIT, .holder_fd = -1,         \
		.agent_pidfd = -1, .seen_fd = -1                            \
	}

void start_release(struct start *l);

#define cleanup_start __attribute__((cleanup(start_release)))

/*
 * Loads the toolchains of the settings, and in contained mode the allowlist with
 * the hosts of the agent, which is loaded, and of the toolchains.
 */
int start_load_hosts(struct start *l, struct diag *dg);

/* Fills plan_request from the rest, for a first start and for a later one. */
void start_fill_request(struct start *l);

/*
 * Writes the proxy's configuration from the allowlist, before each start: the
 * plan is sealed, what is allowed is the user's present will, and the host's
 * addresses change.
 */
int start_write_proxy(struct start *l, struct diag *dg);

/* Compose on the sealed plan; containers may exist also when it fails. */
int start_compose(struct start *l, struct diag *dg);

/*
 * Finds the plan's containers, records them, and verifies what waits in them;
 * the proxy is ready.
 */
int start_check(struct start *l, struct diag *dg);

/*
 * The same for the proxy alone, that was started again beside an agent that
 * runs.
 */
int start_check_proxy(struct start *l, struct diag *dg);

/* Starts the session's companion; one that cannot be started is a warning. */
int start_companion(struct start *l, struct diag *dg);

/* Hands the command over; from within it on the agent may have run. */
int start_go(struct start *l, struct diag *dg);

typedef int start_stage(struct start *l, struct diag *dg);

/* The stages in their order, until one fails or the user cancels. */
int start_run(
    struct start *l, start_stage *const *stages, size_t n, struct diag *dg);

/* Views what runs, as view_session() does; the lease is free. */
int start_view(struct start *l, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_START_H */
