/* SPDX-License-Identifier: MIT */
/*
 * engine: the one Docker engine that a command talks to, and how.
 *
 * This floor alone knows the engine's API (api.h) and the command lines of
 * docker and Compose.  Every call has a deadline and bounded output; a program
 * also has an environment made here, and a DOCKER_CONFIG of ours.  An answer
 * that is late, cut short, malformed or a failure is DIAG_ENGINE with the
 * engine's own words; it is never an empty list.
 */
#ifndef DRYDOCK_ENGINE_H
#define DRYDOCK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strvec.h"

struct diag;
struct http;
struct paths;
struct settings;
struct proc_result;

struct engine {
	char *socket; /* owned; absolute path of the unix socket */
	char *origin; /* owned; who named it: "DOCKER_HOST", "context x" */
	gid_t socket_gid;
	char *docker; /* owned; absolute path of the CLI, or NULL */
	char *docker_passed_over; /* owned; one that is not run, or NULL */
	/* Programs that may be Compose, best first; the CLI: its plugin. */
	struct strvec composes;
	struct strvec compose; /* absolute program [and "compose"] */
	char *passed_over; /* owned; a docker-compose of PATH, or NULL */
	struct strvec env; /* complete environment of every call */
	struct http *http; /* owned; NULL until engine_open() */
	char *api_version; /* owned; MAJOR.MINOR, NULL until engine_open() */
	int timeout_ms; /* of one query */
	int launch_timeout_ms;
	/* Identity, "" until engine_probe(). */
	char *id;
	char *data_root;
	char *version;
	char *compose_version;
};

/* The oldest version of a program that works; for messages and the man page. */
struct engine_floor {
	const char *program;
	const char *version; /* MAJOR.MINOR */
	const char *reason;
};

enum engine_floor_index {
	ENGINE_FLOOR_DOCKER,
	ENGINE_FLOOR_COMPOSE
};

/* The table, in the order of the enum, ended by a row without program. */
const struct engine_floor *engine_floors(void);

/* False for an older version, and for what is none. */
bool engine_meets_floor(enum engine_floor_index i, const char *version);

/*
 * Finds endpoint and programs without calling anything: setting `engine`, then
 * DOCKER_HOST, then DOCKER_CONTEXT or the user's current context, then
 * /var/run/docker.sock.  tcp, ssh and npipe are refused by name; without a
 * docker program and without Compose it is DIAG_ENGINE with what to install.
 * host/program.h says which programs are run; projects are real paths of what a
 * launch is about, ended by NULL (NULL: none).  paths has an open state
 * directory, where the DOCKER_CONFIG lives.
 */
int engine_find(struct engine *ret_engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg);

/* 0, or -1 with DIAG_ENGINE and what to install, for what only the CLI does. */
int engine_need_docker(const struct engine *engine, struct diag *dg);

/* Makes one of composes the Compose that is run; the CLI: its plugin. */
void engine_use_compose(struct engine *engine, const char *program);

/*
 * Makes it ready for questions: loads libcurl, refuses an engine process
 * outside our pid namespace (SO_PEERCRED), and chooses the API's version.  Once
 * is enough; before any thread asks.
 */
int engine_open(struct engine *engine, struct diag *dg);

/*
 * Opens it, asks who it is and for Compose's version, both at once; checks the
 * version floors; refuses rootless, userns-remap, Docker Desktop and Windows
 * containers.  Compose v1 is passed over for a plugin; without any v2 it is
 * DIAG_ENGINE with what to install.
 */
int engine_probe(struct engine *engine, struct diag *dg);

/*
 * Finds and probes an engine that has not been (engine is ENGINE_INIT then);
 * one that has been is left as it is.  A failure leaves ENGINE_INIT.
 */
int engine_ready(struct engine *engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg);

/* What a connect(2) that failed means for the user; returns -1. */
int engine_refuse_connect(
    const struct engine *engine, int errnum, struct diag *dg);

/* Takes identity from what GET /info answered, and judges it; for tests. */
int engine_read_info(
    struct engine *engine, const char *text, size_t len, struct diag *dg);

/*
 * Runs `docker ARGS...` (args without "docker").  Every failure is DIAG_ENGINE:
 * a deadline names the command that hung, a status that is not 0 has the
 * engine's words as detail.  stdout is in result->out on success.
 */
int engine_docker(const struct engine *engine, const char *const *args,
    struct proc_result *result, struct diag *dg);

/*
 * The same with a deadline of its own, and a status that is not 0 is for the
 * caller to judge: only late, cut or no answers are failures.
 */
int engine_ask(const struct engine *engine, const char *const *args,
    int timeout_ms, struct proc_result *result, struct diag *dg);

/*
 * For a proc_result of the command line argv: 0, or -1 with DIAG_ENGINE for a
 * deadline, cut output or a status that is not 0.
 */
int engine_check_result(const char *const *argv,
    const struct proc_result *result, int timeout_ms, struct diag *dg);

void engine_release(struct engine *engine);

#define ENGINE_INIT                                              \
	{                                                        \
		.composes = STRVEC_INIT, .compose = STRVEC_INIT, \
		.env = STRVEC_INIT                               \
	}
#define cleanup_engine __attribute__((cleanup(engine_release)))

#endif /* DRYDOCK_ENGINE_H */
