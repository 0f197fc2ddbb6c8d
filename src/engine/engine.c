/* SPDX-License-Identifier: MIT */
/* engine: finds the engine and its programs, and runs docker commands. */
#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/fs.h"
#include "base/http.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/endpoint.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/settings.h"
#include "host/shortlinks.h"

/* Limit of the output of one docker command. */
#define ANSWER_MAX ((size_t)16 << 20)

#define LINK_PREFIX "engine-"

enum {
	LINK_DIGITS = 8
};

#define DOCKER_CONFIG_DIR "docker"
static const char docker_config[] = "{}\n";

int
engine_need_docker(const struct engine *engine, struct diag *dg)
{
	if (engine->docker != NULL)
		return 0;
	if (engine->docker_passed_over != NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "%s is not run, because a session or a user other than "
		    "root could replace it: install Docker (Debian: "
		    "docker.io and docker-cli), or name a program by the "
		    "setting docker",
		    engine->docker_passed_over);
	return diag_set(dg, DIAG_ENGINE,
	    "found no docker program: install Docker (Debian: docker.io and "
	    "docker-cli)");
}

void
engine_use_compose(struct engine *engine, const char *program)
{
	strvec_release(&engine->compose);
	strvec_push(&engine->compose, program);
	if (engine->docker != NULL && strcmp(program, engine->docker) == 0)
		strvec_push(&engine->compose, "compose");
}

/*
 * Finds the candidates for Compose.  A plugin can run as a standalone program,
 * which saves the start of the docker CLI.  If a setting names the CLI, the
 * plugins of other installations are not used: that CLI has its own plugins.
 */
static int
find_composes(
    struct engine *engine, const struct program_search *search, struct diag *dg)
{
	const enum program standalone[] = { PROGRAM_COMPOSE,
		PROGRAM_COMPOSE_PLUGIN };
	const struct settings *settings = search->settings;

	for (size_t i = 0; i < ARRAY_SIZE(standalone); i++) {
		cleanup_free char *passed_over = NULL;
		char *found = NULL;

		if (standalone[i] == PROGRAM_COMPOSE_PLUGIN &&
		    (*settings->docker != '\0' || *settings->compose != '\0'))
			break;
		if (program_find(
			standalone[i], search, &found, &passed_over, dg) != 0)
			return -1;
		if (found != NULL)
			strvec_push_given(&engine->composes, found);
		if (passed_over != NULL)
			engine->passed_over = steal_ptr(&passed_over);
	}
	/* A Compose that a setting names is the only candidate. */
	if (*settings->compose == '\0' && engine->docker != NULL)
		strvec_push(&engine->composes, engine->docker);
	if (engine->composes.nr == 0)
		return engine_need_docker(engine, dg);
	engine_use_compose(engine, engine->composes.v[0]);
	return 0;
}

/* The docker CLI is optional: Compose alone can launch a session. */
static int
find_programs(
    struct engine *engine, const struct program_search *search, struct diag *dg)
{
	if (program_find(PROGRAM_DOCKER, search, &engine->docker,
		&engine->docker_passed_over, dg) != 0)
		return -1;
	return find_composes(engine, search, dg);
}

/*
 * Makes drydock's own DOCKER_CONFIG.  The user's config may name plugins.  It
 * may also have proxies with passwords, which Compose would pass into every
 * container.
 */
static int
make_config(const struct paths *paths, struct diag *dg)
{
	cleanup_close int fd = -1;
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (fs_make_dir(paths->state_fd, DOCKER_CONFIG_DIR, 0700, &fd, dg) != 0)
		return -1;
	if (fs_read_file(fd, "config.json", 4096, &now, &ignored) == 0 &&
	    strcmp(now.buf, docker_config) == 0)
		return 0;
	fs_temp_clean(fd, "config.json");
	return fs_replace_file(fd, "config.json", docker_config,
	    sizeof(docker_config) - 1, 0600, dg);
}

/* The environment contains nothing from the caller's environment. */
static void
make_env(struct engine *engine, const struct paths *paths)
{
	static const char *const fixed[] = { "LANG=C.UTF-8",
		"DOCKER_CLI_HINTS=false", "DOCKER_BUILDKIT=1",
		"BUILDX_NO_DEFAULT_ATTESTATIONS=1",
		"COMPOSE_DISABLE_ENV_FILE=1", "COMPOSE_MENU=false", NULL };
	cleanup_free char *dir =
	    xasprintf("%s/" DOCKER_CONFIG_DIR, paths->state_dir);

	strvec_push_all(&engine->env, fixed);
	strvec_push(&engine->env, "PATH=" PROC_SYSTEM_PATH);
	strvec_pushf(&engine->env, "HOME=%s", dir);
	strvec_pushf(&engine->env, "DOCKER_CONFIG=%s", dir);
	strvec_pushf(&engine->env, "DOCKER_HOST=unix://%s", engine->address);
}

bool
engine_is_link(const char *name)
{
	size_t len = sizeof(LINK_PREFIX) - 1;

	return strncmp(name, LINK_PREFIX, len) == 0 &&
	    strlen(name + len) == LINK_DIGITS &&
	    strspn(name + len, "0123456789abcdef") == LINK_DIGITS;
}

/*
 * sun_path holds 108 bytes.  A longer path is reached through a symlink; binds
 * and records keep the path itself.
 */
static int
find_address(struct engine *engine, const struct paths *paths, struct diag *dg)
{
	char digest[DIGEST_HEX_SIZE];
	cleanup_free char *name = NULL;
	struct stat st;

	if (strlen(engine->socket) <
	    sizeof(((struct sockaddr_un *)0)->sun_path)) {
		engine->address = xstrdup(engine->socket);
		return 0;
	}
	digest_bytes(engine->socket, strlen(engine->socket), digest);
	name = xasprintf(LINK_PREFIX "%.*s", LINK_DIGITS, digest);
	if (stat(engine->socket, &st) != 0)
		return diag_set_errno(dg, DIAG_ENGINE, errno,
		    "find the engine's socket %s", engine->socket);
	if (!shortlinks_are_right(paths->short_dir, paths->uid, name, &st) &&
	    shortlinks_put(paths->short_dir, paths->uid, name, engine->socket,
		&st, dg) != 0) {
		dg->class = DIAG_ENGINE;
		return diag_wrap(dg,
		    "the engine's socket %s has a path of more than 107 bytes "
		    "and needs a short one",
		    engine->socket);
	}
	engine->address = xasprintf("%s/%s", paths->short_dir, name);
	return 0;
}

int
engine_find(struct engine *ret_engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg)
{
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_endpoint struct endpoint endpoint = ENDPOINT_INIT;
	cleanup_knownprojects struct knownprojects *known = NULL;
	struct program_search search = {
		.paths = paths,
		.settings = settings,
		.path = envp_get(environ_, "PATH"),
		.projects = projects,
	};

	if (endpoint_find(
		settings->engine, paths->home, environ_, &endpoint, dg) != 0 ||
	    knownprojects_load(paths, &known, dg) != 0)
		return -1;
	search.known = known;
	if (find_programs(&engine, &search, dg) != 0 ||
	    make_config(paths, dg) != 0)
		return -1;
	engine.socket = steal_ptr(&endpoint.socket);
	engine.origin = steal_ptr(&endpoint.origin);
	engine.socket_gid = endpoint.gid;
	engine.timeout_ms = (int)settings->engine_timeout_ms;
	engine.launch_timeout_ms = (int)settings->launch_timeout_ms;
	engine.id = xstrdup("");
	engine.data_root = xstrdup("");
	engine.version = xstrdup("");
	engine.compose_version = xstrdup("");
	if (find_address(&engine, paths, dg) != 0)
		return -1;
	make_env(&engine, paths);
	*ret_engine = engine;
	engine = (struct engine)ENGINE_INIT;
	return 0;
}

int
engine_ask(const struct engine *engine, const char *const *args, int timeout_ms,
    struct proc_result *result, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	if (engine_need_docker(engine, dg) != 0)
		return -1;
	strvec_push(&argv, engine->docker);
	strvec_push_all(&argv, args);
	spec.argv = (const char *const *)argv.v;
	spec.envp = (const char *const *)engine->env.v;
	spec.timeout_ms = timeout_ms;
	spec.max_output = ANSWER_MAX;
	if (proc_run(&spec, result, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	return answer_is_whole(spec.argv, result, timeout_ms, dg);
}

int
engine_docker(const struct engine *engine, const char *const *args,
    struct proc_result *result, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;

	if (engine_ask(engine, args, engine->timeout_ms, result, dg) != 0)
		return -1;
	if (result->status == 0)
		return 0;
	strvec_push(&argv, engine->docker);
	strvec_push_all(&argv, args);
	return answer_failed((const char *const *)argv.v, result, dg);
}

int
engine_check_result(const char *const *argv, const struct proc_result *result,
    int timeout_ms, struct diag *dg)
{
	if (answer_is_whole(argv, result, timeout_ms, dg) != 0)
		return -1;
	return result->status == 0 ? 0 : answer_failed(argv, result, dg);
}

void
engine_release(struct engine *engine)
{
	free(engine->socket);
	free(engine->address);
	free(engine->origin);
	free(engine->docker);
	free(engine->docker_passed_over);
	free(engine->passed_over);
	http_free(engine->http);
	free(engine->api_version);
	strvec_release(&engine->composes);
	strvec_release(&engine->compose);
	strvec_release(&engine->env);
	free(engine->id);
	free(engine->data_root);
	free(engine->version);
	free(engine->compose_version);
	*engine = (struct engine)ENGINE_INIT;
}
