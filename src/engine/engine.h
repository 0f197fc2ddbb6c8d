/* SPDX-License-Identifier: MIT */
/*
 * engine: the Docker engine that a command uses, and the calls to it.
 *
 * Only src/engine/ uses the engine's API (api.h) and the command lines of
 * docker and Compose.  Every call has a deadline and bounded output.  A program
 * also gets an environment and a DOCKER_CONFIG made by drydock.  A late,
 * truncated, malformed or failed answer is DIAG_ENGINE with the engine's
 * message; it is never an empty list.
 */
#ifndef DRYDOCK_ENGINE_H
#define DRYDOCK_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/strvec.h"

struct diag;
struct http;
struct json;
struct paths;
struct settings;
struct proc_result;

struct engine {
	char *socket; /* owned; absolute path of the unix socket */
	char *address; /* owned; the path to connect to, fits into sun_path */
	char *origin; /* owned; the source: "DOCKER_HOST", "context x" */
	gid_t socket_gid;
	char *docker; /* owned; absolute path of the CLI, or NULL */
	char *docker_passed_over; /* owned; an untrusted one, or NULL */
	/*
	 * Candidates for Compose, best first.  The docker CLI stands for its
	 * plugin.
	 */
	struct strvec composes;
	struct strvec compose; /* absolute program [and "compose"] */
	char *passed_over; /* owned; an untrusted Compose, or NULL */
	struct strvec env; /* complete environment of every call */
	pid_t pid; /* serves the socket; 0 until engine_probe() */
	struct http *http; /* owned; NULL until engine_probe() */
	char *api_version; /* owned; MAJOR.MINOR, NULL until engine_probe() */
	int timeout_ms; /* deadline of one query */
	int launch_timeout_ms;
	/* owned; identity, "" until engine_probe(). */
	char *id;
	char *data_root;
	char *version;
	char *compose_version; /* owned; "" until Compose was asked */
};

/* The oldest supported version of a program, for messages and the man page. */
struct engine_floor {
	const char *program;
	const char *version; /* MAJOR.MINOR */
	const char *reason;
};

enum engine_floor_index {
	ENGINE_FLOOR_DOCKER,
	ENGINE_FLOOR_COMPOSE
};

/*
 * Returns the table (static), in the order of the enum.  The last row has no
 * program.
 */
const struct engine_floor *engine_floors(void);

/*
 * Returns true if version is at least the floor.  An invalid version is false.
 */
bool engine_meets_floor(enum engine_floor_index i, const char *version);

/*
 * Finds the real path of the socket.  The first source that is set wins:
 * setting (a path or a unix:// URL; "" is unset), DOCKER_HOST, DOCKER_CONTEXT,
 * the current context in DOCKER_CONFIG or home/.docker, and
 * /var/run/docker.sock.
 *
 * DIAG_CONFIG: a context is missing or does not parse, a value has no URL
 * scheme, or a path is relative.  DIAG_ENGINE: the URL scheme is not unix (tcp,
 * ssh, ...; the message names the scheme), or the socket is missing,
 * unreachable or not a socket.  For engine_find(), tests and fuzzing.
 */
int engine_find_socket(struct engine *engine, const char *setting,
    const char *home, const char *const *environ_, struct diag *dg);

/*
 * Finds the socket and the programs.  No program is run.  If there is neither
 * docker nor Compose, it fails with DIAG_ENGINE and says what to install.
 *
 * host/program.h decides which programs are trusted.  projects are the real
 * paths of the projects of this launch, NULL-terminated (NULL: none).  paths
 * has an open state directory, which contains the DOCKER_CONFIG.
 */
int engine_find(struct engine *ret_engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg);

/*
 * Returns true for the name of a link to an engine's socket in /tmp/drydock-UID
 * (host/shortlinks.h): engine_find() makes one if the socket's path is too long
 * for sun_path.
 */
bool engine_is_link(const char *name);

/*
 * Returns 0, or -1 with DIAG_ENGINE and what to install.  For operations that
 * need the docker CLI.
 */
int engine_need_docker(const struct engine *engine, struct diag *dg);

/*
 * Selects one of composes as the Compose to run.  For the docker CLI this is
 * its plugin.
 */
void engine_use_compose(struct engine *engine, const char *program);

/*
 * Opens the engine for API requests: loads libcurl, rejects an engine process
 * outside drydock's pid namespace (SO_PEERCRED), and chooses the API version.
 * The first call must precede any thread that sends requests.
 *
 * Asks for the engine's identity and for Compose's version in parallel.  Checks
 * the version floors.  Rejects rootless engines, userns-remap, Docker Desktop
 * and Windows containers.  Compose v1 is skipped in favour of a plugin.
 * Without Compose v2, it fails with DIAG_ENGINE and says what to install.
 */
int engine_probe(struct engine *engine, struct diag *dg);

/*
 * Finds the engine if engine is ENGINE_INIT, and probes it.  An engine that was
 * probed before is not changed.  After a failure engine is ENGINE_INIT.
 */
int engine_ready(struct engine *engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg);

/*
 * The same without Compose, which is not asked: for what starts no container.
 * engine_ready() may follow.
 */
int engine_reach(struct engine *engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg);

/*
 * Sets a DIAG_ENGINE that explains a failed connect(2) to the user; returns -1.
 */
int engine_refuse_connect(
    const struct engine *engine, int errnum, struct diag *dg);

/* Checks the answer to GET /info and stores the identity.  For tests. */
int engine_read_info(
    struct engine *engine, const struct json *info, struct diag *dg);

/*
 * Runs `docker ARGS...` (args without "docker") with deadline engine_timeout.
 * Every failure is DIAG_ENGINE.  For a missed deadline the message names the
 * command.  For a nonzero exit status the detail is docker's stderr.  On
 * success result->out has stdout.
 */
int engine_docker(const struct engine *engine, const char *const *args,
    struct proc_result *result, struct diag *dg);

/*
 * Like engine_docker(), with the deadline timeout_ms.  The caller checks the
 * exit status; only a late, truncated or missing answer is a failure.
 */
int engine_ask(const struct engine *engine, const char *const *args,
    int timeout_ms, struct proc_result *result, struct diag *dg);

/*
 * Checks the result of the command line argv.  Returns 0, or -1 with
 * DIAG_ENGINE for a missed deadline, truncated output or a nonzero exit status.
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
