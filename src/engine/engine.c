/* SPDX-License-Identifier: MIT */
/* engine: finds the engine and its programs, and runs docker commands. */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
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
#include "base/json.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "host/knownprojects.h"
#include "host/paths.h"
#include "host/program.h"
#include "host/settings.h"
#include "host/shortlinks.h"

#define DEFAULT_SOCKET "/var/run/docker.sock"
#define CONFIG_MAX ((size_t)1 << 20)

/* Limit of the output of one docker command. */
#define ANSWER_MAX ((size_t)16 << 20)

#define LINK_PREFIX "engine-"

enum {
	LINK_DIGITS = 8
};

#define DOCKER_CONFIG_DIR "docker"
static const char docker_config[] = "{}\n";

/* Returns the value of an environment variable; NULL if unset or empty. */
static const char *
env_get(const char *const *environ_, const char *name)
{
	const char *value = envp_get(environ_, name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/*
 * Reads a JSON file of the docker CLI.  The file may be a symlink, for example
 * into the user's dotfiles.  *ret_root stays NULL if the file does not exist.
 */
static int
read_config(const char *path, struct json **ret_root, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_close int fd =
	    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int r;

	if (fd == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return diag_set_errno(dg, DIAG_CONFIG, errno, "open %s", path);
	}
	r = fs_read_fd(fd, path, CONFIG_MAX, &text, dg);
	if (r == 0)
		r = json_parse(text.buf, text.len, path, ret_root, dg);
	if (r == -1)
		dg->class = DIAG_CONFIG;
	return r;
}

/* *ret_host is returned, and stays NULL for the default context. */
static int
read_context(
    const char *config_dir, const char *name, char **ret_host, struct diag *dg)
{
	char hex[DIGEST_HEX_SIZE];
	cleanup_free char *path = NULL;
	cleanup_json struct json *root = NULL;
	const char *host;

	if (strcmp(name, "default") == 0)
		return 0;
	digest_bytes(name, strlen(name), hex);
	path = xasprintf("%s/contexts/meta/%s/meta.json", config_dir, hex);
	if (read_config(path, &root, dg) != 0)
		return -1;
	if (root == NULL)
		return diag_set(dg, DIAG_CONFIG, "no docker context '%s' in %s",
		    name, config_dir);
	host = json_string(
	    json_get(json_get(json_get(root, "Endpoints"), "docker"), "Host"));
	if (host == NULL)
		return diag_set(dg, DIAG_CONFIG,
		    "docker context '%s' names no endpoint (%s)", name, path);
	*ret_host = xstrdup(host);
	return 0;
}

/* Reads the context selected by the environment or the user's config.json. */
static int
find_context(const char *home, const char *const *environ_, char **ret_host,
    char **ret_origin, struct diag *dg)
{
	const char *env_dir = env_get(environ_, "DOCKER_CONFIG");
	const char *name = env_get(environ_, "DOCKER_CONTEXT");
	cleanup_free char *dir =
	    env_dir != NULL ? xstrdup(env_dir) : xasprintf("%s/.docker", home);
	cleanup_free char *path = xasprintf("%s/config.json", dir);
	cleanup_json struct json *root = NULL;

	if (dir[0] != '/')
		return diag_set(
		    dg, DIAG_CONFIG, "DOCKER_CONFIG is not an absolute path");
	if (name == NULL) {
		if (read_config(path, &root, dg) != 0)
			return -1;
		name = json_string(json_get(root, "currentContext"));
	}
	if (name == NULL || *name == '\0')
		return 0;
	if (read_context(dir, name, ret_host, dg) != 0)
		return -1;
	if (*ret_host != NULL)
		*ret_origin = xasprintf("docker context '%s'", name);
	return 0;
}

/* *ret_path is the path of a unix:// URL, borrowed from url. */
static int
parse_url(
    const char *url, const char *origin, const char **ret_path, struct diag *dg)
{
	const char *colon = strstr(url, "://");
	int len = colon == NULL ? 0 : (int)(colon - url);

	/* The message has only the scheme: a URL may contain a password. */
	if (len > 0 && strncmp(url, "unix://", 7) != 0)
		return diag_set(dg, DIAG_ENGINE,
		    "%s names an engine by %.*s://: for now only unix sockets "
		    "of engines on this host work",
		    origin, len < 16 ? len : 16, url);
	if (len == 0)
		return diag_set(dg, DIAG_CONFIG,
		    "%s is not unix:///PATH: for now only unix sockets of "
		    "engines on this host work",
		    origin);
	if (url[7] != '/')
		return diag_set(dg, DIAG_CONFIG,
		    "%s names a socket by a relative path", origin);
	*ret_path = url + 7;
	return 0;
}

static int
resolve_socket(const char *path, struct engine *engine, struct diag *dg)
{
	const char *origin = engine->origin;
	cleanup_free char *real = realpath(path, NULL);
	struct stat st;

	if (real == NULL && (errno == EACCES || errno == EPERM))
		return diag_set_errno(dg, DIAG_ENGINE, errno,
		    "reach the engine's socket %s (%s); ask for access to its "
		    "directory",
		    path, origin);
	if (real == NULL && (errno == ENOENT || errno == ENOTDIR))
		return diag_set(dg, DIAG_ENGINE,
		    "no engine socket at %s (%s): start Docker (systemctl "
		    "start docker) or name one with --engine PATH"
		    " (or engine = PATH in drydock.conf)",
		    path, origin);
	if (real == NULL || stat(real, &st) == -1)
		return diag_set_errno(dg, DIAG_ENGINE, errno,
		    "find the engine's socket %s (%s)", path, origin);
	if (!S_ISSOCK(st.st_mode))
		return diag_set(dg, DIAG_ENGINE,
		    "%s (%s) is not a socket: name the engine's with --engine PATH"
		    " (or engine = PATH in drydock.conf)",
		    real, origin);
	engine->socket = steal_ptr(&real);
	engine->socket_gid = st.st_gid;
	return 0;
}

int
engine_find_socket(struct engine *engine, const char *setting, const char *home,
    const char *const *environ_, struct diag *dg)
{
	cleanup_free char *host = NULL;
	const char *env_host = env_get(environ_, "DOCKER_HOST");
	const char *path = DEFAULT_SOCKET;

	if (setting != NULL && *setting != '\0') {
		host = xstrdup(setting);
		engine->origin = xstrdup("setting engine");
	} else if (env_host != NULL) {
		host = xstrdup(env_host);
		engine->origin = xstrdup("DOCKER_HOST");
	} else if (find_context(home, environ_, &host, &engine->origin, dg) !=
	    0) {
		return -1;
	}
	if (host == NULL)
		engine->origin = xstrdup("default");
	else if (setting != NULL && *setting == '/')
		path = host;
	else if (parse_url(host, engine->origin, &path, dg) != 0)
		return -1;
	return resolve_socket(path, engine, dg);
}

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
	cleanup_knownprojects struct knownprojects *known = NULL;
	struct program_search search = {
		.paths = paths,
		.settings = settings,
		.path = envp_get(environ_, "PATH"),
		.projects = projects,
	};

	if (engine_find_socket(
		&engine, settings->engine, paths->home, environ_, dg) != 0 ||
	    knownprojects_load(paths, &known, dg) != 0)
		return -1;
	search.known = known;
	/* The docker CLI is optional: Compose alone can launch a session. */
	if (program_find(PROGRAM_DOCKER, &search, &engine.docker,
		&engine.docker_passed_over, dg) != 0 ||
	    find_composes(&engine, &search, dg) != 0 ||
	    make_config(paths, dg) != 0)
		return -1;
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
	char *const owned[] = { engine->socket, engine->address, engine->origin,
		engine->docker, engine->docker_passed_over, engine->passed_over,
		engine->api_version, engine->id, engine->data_root,
		engine->version, engine->compose_version };

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	http_free(engine->http);
	strvec_release(&engine->composes);
	strvec_release(&engine->compose);
	strvec_release(&engine->env);
	*engine = (struct engine)ENGINE_INIT;
}
