/* SPDX-License-Identifier: MIT */
/*
 * start: brings up the containers of a sealed plan, checks them and hands over
 * the command, for the first time (launch) or again (resume).
 */
#ifndef DRYDOCK_START_H
#define DRYDOCK_START_H

#include <stdatomic.h>
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
#include "session/launch.h"
#include "session/record.h"
#include "session/session.h"
#include "terminal/interrupt.h"

/* A start in progress: the data that later stages need from earlier ones. */
struct start {
	const struct launch_request *request;
	struct paths *paths;
	struct settings *settings;
	const char *const *environ_;
	bool tty;
	bool signals; /* the holder forwards signals */
	bool git_signs; /* git signs by the session's ssh agent */
	struct mode_choice mode;
	struct project project;
	struct agent agent;
	struct toolchains toolchains;
	struct allowlist allowlist;
	struct engine *engine; /* borrowed */
	struct images images;
	int images_fd; /* from image_use_hold() */
	struct session session;
	struct record record;
	struct plan_request plan_request;
	struct plan plan;
	int plan_fd;
	/*
	 * NULL, or the first difference between containers and plan is stored
	 * here and does not stop the start.
	 */
	struct diag *difference;
	bool composed; /* containers may exist */
	bool left; /* Compose still runs and keeps the lease */
	bool resume; /* go includes the agent's resume arguments */
	struct container_list containers; /* the engine's whole answer */
	int holder_fd;
	int agent_pidfd; /* of the agent's first process */
	atomic_bool check_failed; /* ends the wait for the proxy */
	int seen_fd; /* from viewers_join() */
	struct interrupt interrupt; /* held once cleanup is needed */
};

#define START_INIT                                                          \
	{                                                                   \
		.project = PROJECT_INIT, .agent = AGENT_INIT,               \
		.toolchains = TOOLCHAINS_INIT, .allowlist = ALLOWLIST_INIT, \
		.images = IMAGES_INIT, .images_fd = -1,                     \
		.session = SESSION_INIT, .record = RECORD_INIT,             \
		.plan = PLAN_INIT, .plan_fd = -1,                           \
		.containers = CONTAINER_LIST_INIT, .holder_fd = -1,         \
		.agent_pidfd = -1, .seen_fd = -1                            \
	}

void start_release(struct start *l);

#define cleanup_start __attribute__((cleanup(start_release)))

/*
 * Loads the toolchains of the settings.  In contained mode also loads the
 * allowlist with the hosts of the agent and of the toolchains.  The agent is
 * loaded before.
 */
int start_load_hosts(struct start *l, struct diag *dg);

/*
 * Fills the record of a new session from the other fields, but for its kind,
 * its history, the reason for its mode, and whether it ends with its client.
 */
void start_fill_record(struct start *l);

/*
 * Fills plan_request from the other fields, for a first start and for a
 * restart.
 */
void start_fill_request(struct start *l);

/*
 * Writes the proxy's configuration from the allowlist; nothing outside
 * contained mode.  This happens before each start: the plan is sealed, but the
 * allowlist and the host's addresses change.
 */
int start_write_proxy(struct start *l, struct diag *dg);

/*
 * Seals the plan, and records its digest and the images of its services.
 */
int start_seal(struct start *l, struct diag *dg);

/* Runs Compose on the sealed plan.  Containers may exist even if it fails. */
int start_compose(struct start *l, struct diag *dg);

/*
 * Finds the plan's containers, records their ids, connects to the holder,
 * verifies the containers and waits until the proxy is ready.
 */
int start_check(struct start *l, struct diag *dg);

/*
 * The same for the proxy alone, after it was restarted beside a running agent.
 */
int start_check_proxy(struct start *l, struct diag *dg);

/* Starts the session's companion; a failure is a warning. */
int start_companion(struct start *l, struct diag *dg);

/* Sends the command to the holder.  The agent may run before this returns. */
int start_go(struct start *l, struct diag *dg);

typedef int start_stage(struct start *l, struct diag *dg);

/*
 * Runs the stages in order until one fails or the user cancels
 * (DIAG_CANCELLED).
 */
int start_run(
    struct start *l, start_stage *const *stages, size_t n, struct diag *dg);

/* Views the running session as view_session() does; the lease is not held. */
int start_view(struct start *l, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_START_H */
