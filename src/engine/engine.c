/* SPDX-License-Identifier: MIT */
/* engine: finds the engine and its programs, and runs docker for the floor. */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs-temp.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/endpoint.h"
#include "host/paths.h"
#include "host/protected.h"
#include "host/settings.h"

/* Where every docker CLI looks for plugins besides its configuration. */
#define PLUGIN_PATH                              \
	"/usr/local/lib/docker/cli-plugins:"     \
	"/usr/local/libexec/docker/cli-plugins:" \
	"/usr/lib/docker/cli-plugins:"           \
	"/usr/libexec/docker/cli-plugins"

/* An engine's largest answer: inspecting a few hundred containers. */
#define ANSWER_MAX ((size_t)16 << 20)

#define DOCKER_CONFIG_DIR "docker"
static const char docker_config[] = "{}\n";

/* A directory that holds the home is no project. */
static bool
holds(const char *project, const char *real, const char *home)
{
	return protected_is_below(real, project) &&
	    !protected_is_below(home, project);
}

/*
 * Whether dir lies in one of the projects, or in the working directory, which
 * is one as a rule: a docker that an agent put into its .venv/bin is not run on
 * the host.
 */
static bool
is_of_project(const char *dir, const char *cwd, const char *home,
    const char *const *projects)
{
	char *real cleanup_free = realpath(dir, NULL);

	if (real == NULL)
		return false;
	if (cwd != NULL && holds(cwd, real, home))
		return true;
	for (; projects != NULL && *projects != NULL; projects++)
		if (holds(*projects, real, home))
			return true;
	return false;
}

/*
 * The absolute directories of a search path, in order, but the projects'.  home
 * is a real path.
 */
static void
keep_absolute(const char *search_path, const char *home,
    const char *const *projects, struct strbuf *out)
{
	char *cwd cleanup_free = getcwd(NULL, 0);
	const char *p = search_path;

	while (*p != '\0') {
		size_t len = strcspn(p, ":");
		char *dir cleanup_free = xstrndup(p, len);

		if (*p == '/' && !is_of_project(dir, cwd, home, projects)) {
			if (out->len > 0)
				strbuf_addch(out, ':');
			strbuf_addstr(out, dir);
		}
		p += len + (p[len] == ':' ? 1 : 0);
	}
}

/* Whether program stands directly in one of the directories of path. */
static bool
stands_in(const char *program, const char *path)
{
	const char *slash = strrchr(program, '/');
	size_t dirlen = (size_t)(slash - program);

	for (const char *p = path; *p != '\0';) {
		size_t len = strcspn(p, ":");

		if (len == dirlen && strncmp(p, program, len) == 0)
			return true;
		p += len + (p[len] == ':' ? 1 : 0);
	}
	return false;
}

static int
find_programs(struct engine *engine, const char *home,
    const char *const *projects, const char *const *environ_, struct diag *dg)
{
	const char *callers = envp_get(environ_, "PATH");
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	char *found;

	if (callers != NULL)
		keep_absolute(callers, home, projects, &path);
	if (path.len == 0)
		strbuf_addstr(&path, PROC_SYSTEM_PATH);
	engine->docker = proc_find_program("docker", path.buf);
	if (engine->docker == NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "no docker program in PATH: install Docker (Debian: "
		    "docker.io and docker-cli)");
	found = proc_find_program("docker-compose", path.buf);
	if (found != NULL)
		strvec_push_given(&engine->composes, found);
	/*
	 * A plugin run by itself is the standalone program and saves the CLI's
	 * own start.  A CLI that stands elsewhere has plugins elsewhere.
	 */
	if (stands_in(engine->docker, PROC_SYSTEM_PATH)) {
		found = proc_find_program("docker-compose", PLUGIN_PATH);
		if (found != NULL)
			strvec_push_given(&engine->composes, found);
	}
	strvec_push(&engine->composes, engine->docker);
	strvec_push(&engine->compose, engine->composes.v[0]);
	if (engine->composes.nr == 1)
		strvec_push(&engine->compose, "compose");
	return 0;
}

/*
 * Makes the DOCKER_CONFIG of ours: the user's own may hold proxies with
 * passwords, which Compose would put into every container, and plugins.
 */
static int
make_config(const struct paths *paths, struct diag *dg)
{
	cleanup_close int fd = -1;
	cleanup_strbuf struct strbuf now = STRBUF_INIT;
	cleanup_diag struct diag ignored = DIAG_INIT;

	if (fs_make_dir(paths->state_fd, DOCKER_CONFIG_DIR, 0700, &fd, dg) ==
	    -1)
		return -1;
	if (fs_read_file(fd, "config.json", 4096, &now, &ignored) == 0 &&
	    strcmp(now.buf, docker_config) == 0)
		return 0;
	fs_temp_clean(fd, "config.json");
	return fs_replace_file(fd, "config.json", docker_config,
	    sizeof(docker_config) - 1, 0600, dg);
}

/* Nothing of the caller's environment is in it. */
static void
make_env(struct engine *engine, const struct paths *paths)
{
	static const char *const fixed[] = { "LANG=C.UTF-8",
		"DOCKER_CLI_HINTS=false", "DOCKER_BUILDKIT=1",
		"BUILDX_NO_DEFAULT_ATTESTATIONS=1",
		"COMPOSE_DISABLE_ENV_FILE=1", "COMPOSE_MENU=false", NULL };
	cleanup_free char *dir =
	    xasprintf("%s/" DOCKER_CONFIG_DIR, paths->state_dir);
	const char *slash = strrchr(engine->docker, '/');

	strvec_push_all(&engine->env, fixed);
	if (stands_in(engine->docker, PROC_SYSTEM_PATH))
		strvec_push(&engine->env, "PATH=" PROC_SYSTEM_PATH);
	else
		strvec_pushf(&engine->env, "PATH=%s:%.*s", PROC_SYSTEM_PATH,
		    (int)(slash - engine->docker), engine->docker);
	strvec_pushf(&engine->env, "HOME=%s", dir);
	strvec_pushf(&engine->env, "DOCKER_CONFIG=%s", dir);
	strvec_pushf(&engine->env, "DOCKER_HOST=unix://%s", engine->socket);
}

int
engine_find(struct engine *ret_engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg)
{
	cleanup_engine struct engine engine = ENGINE_INIT;
	cleanup_endpoint struct endpoint endpoint = ENDPOINT_INIT;

	if (endpoint_find(
		settings->engine, paths->home, environ_, &endpoint, dg) == -1)
		return -1;
	if (find_programs(&engine, paths->home, projects, environ_, dg) == -1 ||
	    make_config(paths, dg) == -1)
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
	make_env(&engine, paths);
	*ret_engine = engine;
	engine = (struct engine)ENGINE_INIT;
	return 0;
}

bool
engine_is_installed(const struct engine *engine)
{
	for (size_t i = 0; i < engine->composes.nr; i++) {
		const char *program = engine->composes.v[i];

		if (!stands_in(program, PROC_SYSTEM_PATH) &&
		    !stands_in(program, PLUGIN_PATH))
			return false;
	}
	return true;
}

int
engine_ask(const struct engine *engine, const char *const *args, int timeout_ms,
    struct proc_result *result, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	strvec_push(&argv, engine->docker);
	strvec_push_all(&argv, args);
	spec.argv = (const char *const *)argv.v;
	spec.envp = (const char *const *)engine->env.v;
	spec.timeout_ms = timeout_ms;
	spec.max_output = ANSWER_MAX;
	if (proc_run(&spec, result, dg) == -1) {
		dg->class = DIAG_ENGINE;
		return -1;
	}
	return answer_is_whole(spec.argv, result, timeout_ms, dg);
}

int
engine_docker(const struct engine *engine, const char *const *args,
    struct proc_result *result, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;

	if (engine_ask(engine, args, engine->timeout_ms, result, dg) == -1)
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
	if (answer_is_whole(argv, result, timeout_ms, dg) == -1)
		return -1;
	return result->status == 0 ? 0 : answer_failed(argv, result, dg);
}

void
engine_release(struct engine *engine)
{
	free(engine->socket);
	free(engine->origin);
	free(engine->docker);
	strvec_release(&engine->composes);
	strvec_release(&engine->compose);
	strvec_release(&engine->env);
	free(engine->id);
	free(engine->data_root);
	free(engine->version);
	free(engine->compose_version);
	*engine = (struct engine)ENGINE_INIT;
}
