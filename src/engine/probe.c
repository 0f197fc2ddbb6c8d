/* SPDX-License-Identifier: MIT */
/* probe: reads the identity of the engine and checks that it is supported. */
#include "engine/engine.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/http.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/answer.h"
#include "engine/api.h"

static const struct engine_floor floors[] = {
	[ENGINE_FLOOR_DOCKER] = { "Docker Engine", "20.10",
	    "the oldest that ran every option of drydock's containers" },
	[ENGINE_FLOOR_COMPOSE] = { "Docker Compose", "2.20",
	    "older ones ignore the switches that keep a project's .env and "
	    "terminal codes out" },
	{ NULL, NULL, NULL },
};

const struct engine_floor *
engine_floors(void)
{
	return floors;
}

bool
engine_meets_floor(enum engine_floor_index i, const char *text)
{
	struct version floor = { 0, 0 };
	struct version v;

	(void)version_parse(floors[i].version, &floor);
	return version_parse(text, &v) && !version_before(v, floor);
}

int
engine_refuse_connect(const struct engine *engine, int errnum, struct diag *dg)
{
	const struct group *gr = getgrgid(engine->socket_gid);

	if (errnum == EACCES || errnum == EPERM)
		return diag_set(dg, DIAG_ENGINE,
		    "permission denied on %s: join its group with \"sudo "
		    "usermod -aG %s $USER\", then log in again",
		    engine->socket, gr != NULL ? gr->gr_name : "docker");
	if (errnum == EAGAIN)
		return diag_set(dg, DIAG_ENGINE,
		    "the engine accepted no connection on %s within %dms "
		    "(setting engine_timeout)",
		    engine->socket, engine->timeout_ms);
	return diag_set_errno(dg, DIAG_ENGINE, errnum,
	    "no engine answers on %s (%s); is it running? start it "
	    "(systemctl start docker) or name another with --engine PATH"
	    " (or engine = PATH in drydock.conf)",
	    engine->socket, engine->origin);
}

/*
 * Rejects an engine outside drydock's pid namespace, for which drydock's paths
 * and pids would have another meaning.  The engine's socket can be mounted into
 * a container.  SO_PEERCRED reports pid 0 for a peer outside the pid namespace.
 */
static int
check_peer(struct engine *engine, struct diag *dg)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval tv = { engine->timeout_ms / 1000,
		engine->timeout_ms % 1000 * 1000L };
	struct ucred peer = { 0, 0, 0 };
	socklen_t len = sizeof(peer);
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	memcpy(sun.sun_path, engine->address, strlen(engine->address) + 1);
	/* For a unix socket SO_SNDTIMEO also limits connect(2). */
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == -1)
		return diag_set_errno(dg, DIAG_ENGINE, errno, "make a socket");
	do
		r = connect(fd, (const struct sockaddr *)&sun, sizeof(sun));
	while (r == -1 && errno == EINTR);
	if (r == -1)
		return engine_refuse_connect(engine, errno, dg);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return diag_set_errno(dg, DIAG_ENGINE, errno,
		    "ask who serves %s", engine->socket);
	if (peer.pid == 0)
		return diag_set(dg, DIAG_ENGINE,
		    "the engine behind %s runs outside this process "
		    "namespace: run drydock on the engine's own host",
		    engine->socket);
	engine->pid = peer.pid;
	return 0;
}

/* Returns true if word is one of the comma-separated words of the options. */
static bool
has_option(const struct json *options, const char *word)
{
	size_t wlen = strlen(word);

	for (size_t i = 0; i < json_len(options); i++) {
		const char *p = json_string_or(json_at(options, i), "");

		while (*p != '\0') {
			size_t len = strcspn(p, ",");

			if (len == wlen && strncmp(p, word, len) == 0)
				return true;
			p += len + (p[len] == ',' ? 1 : 0);
		}
	}
	return false;
}

/* Rejects engines for which drydock's paths or pids have another meaning. */
static int
check_kind(const struct json *info, struct diag *dg)
{
	const struct json *options = json_get(info, "SecurityOptions");
	const char *os = json_string_or(json_get(info, "OperatingSystem"), "");
	const char *kind = NULL;

	if (!json_is_array(options) && !json_is_null(options))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine's answer to GET /info has no "
		    "SecurityOptions");
	if (strcmp(json_string_or(json_get(info, "OSType"), ""), "linux") != 0)
		kind = "an engine for other than Linux containers";
	else if (strstr(os, "Docker Desktop") != NULL)
		kind = "Docker Desktop";
	else if (has_option(options, "name=rootless"))
		kind = "a rootless engine";
	else if (has_option(options, "name=userns"))
		kind = "an engine with userns-remap";
	if (kind != NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "this is %s, which drydock does not support for now: use "
		    "a Docker Engine that runs as root on this host",
		    kind);
	return 0;
}

static void
replace_string(char **p, const char *value)
{
	free(*p);
	*p = xstrdup(value);
}

int
engine_read_info(
    struct engine *engine, const struct json *info, struct diag *dg)
{
	static const char *const needed[] = { "ID", "DockerRootDir",
		"ServerVersion", "OSType" };
	const char *version;
	const char *root;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (*json_string_or(json_get(info, needed[i]), "") == '\0')
			return diag_set(dg, DIAG_ENGINE,
			    "the engine's answer to GET /info has no %s",
			    needed[i]);
	if (check_kind(info, dg) != 0)
		return -1;
	version = json_string(json_get(info, "ServerVersion"));
	if (!engine_meets_floor(ENGINE_FLOOR_DOCKER, version))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine has version %s, and drydock needs %s %s or "
		    "newer",
		    version, floors[ENGINE_FLOOR_DOCKER].program,
		    floors[ENGINE_FLOOR_DOCKER].version);
	root = json_string(json_get(info, "DockerRootDir"));
	/*
	 * The directory is usually unreadable.  ENOENT means that the engine is
	 * in another mount namespace.
	 */
	if (root[0] != '/' || (stat(root, &st) == -1 && errno == ENOENT))
		return diag_set(dg, DIAG_ENGINE,
		    "the engine keeps its data in %s, which is not on this "
		    "host: run drydock on the engine's own host",
		    root);
	replace_string(&engine->id, json_string(json_get(info, "ID")));
	replace_string(&engine->data_root, root);
	replace_string(&engine->version, version);
	return 0;
}

static int
ask_info(struct engine *engine, struct diag *dg)
{
	cleanup_json struct json *info = NULL;

	/* check_peer() has checked the peer of the socket. */
	if (engine->http == NULL && http_load(&engine->http, dg) != 0)
		return -1;
	if ((engine->api_version == NULL &&
		api_choose_version(engine, dg) != 0) ||
	    api_get(engine, "/info", &info, dg) != 0)
		return -1;
	return engine_read_info(engine, info, dg);
}

/* The question to engine->compose, the first of engine->composes. */
static void
make_argv(const struct engine *engine, struct strvec *argv)
{
	static const char *const args[] = { "version", "--short", NULL };

	strvec_push_all(argv, (const char *const *)engine->compose.v);
	strvec_push_all(argv, args);
}

static int
start_compose(
    const struct engine *engine, struct proc **ret_proc, struct diag *dg)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	struct proc_spec spec = PROC_SPEC_INIT;

	make_argv(engine, &argv);
	spec.argv = (const char *const *)argv.v;
	spec.envp = (const char *const *)engine->env.v;
	spec.timeout_ms = engine->timeout_ms;
	if (proc_start(&spec, ret_proc, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	return 0;
}

#define INSTALL                                                             \
	"install docker-compose of Debian 13, or docker-compose-plugin of " \
	"docker.com"

/* line is "docker-compose version 1.29.2, build x" or "2.26.1". */
static int
judge_compose(struct engine *engine, const char *line, struct diag *dg)
{
	const char *word = strstr(line, "version ");
	const char *text = word == NULL ? line : word + strlen("version ");
	struct version v;

	if (!version_parse(text, &v))
		return diag_set(dg, DIAG_ENGINE,
		    "%s answers '%.80s' when asked for its version: " INSTALL,
		    engine->compose.v[0], line);
	if (!engine_meets_floor(ENGINE_FLOOR_COMPOSE, text))
		return diag_set(dg, DIAG_ENGINE,
		    "%s is Docker Compose %s%s, and drydock needs %s or "
		    "newer: " INSTALL,
		    engine->compose.v[0], text,
		    v.major < 2 ? " (Compose v1)" : "",
		    floors[ENGINE_FLOOR_COMPOSE].version);
	replace_string(&engine->compose_version, text);
	return 0;
}

static int
finish_one(struct engine *engine, struct proc *proc, bool *ret_timed_out,
    struct diag *dg)
{
	cleanup_proc_result struct proc_result result = PROC_RESULT_INIT;
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	cleanup_free char *line = NULL;

	make_argv(engine, &argv);
	if (proc_finish(proc, &result, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	*ret_timed_out = result.timed_out;
	if (engine_check_result((const char *const *)argv.v, &result,
		engine->timeout_ms, dg) != 0)
		return -1;
	line = xstrndup(result.out.buf, strcspn(result.out.buf, "\n"));
	return judge_compose(engine, line, dg);
}

/*
 * Reads and checks the answer, and frees proc (given).  After a bad answer
 * (version 1, too old, malformed), asks the next of engine->composes.  The
 * first good one becomes engine->compose.  If all fail, the failure of the
 * first is reported.  A Compose that misses the deadline ends the search.
 */
static int
finish_compose(struct engine *engine, struct proc *proc, struct diag *dg)
{
	cleanup_diag struct diag first = DIAG_INIT;
	bool timed_out = false;

	if (finish_one(engine, proc, &timed_out, &first) == 0)
		return 0;
	for (size_t i = 1; i < engine->composes.nr && !timed_out; i++) {
		cleanup_diag struct diag ignored = DIAG_INIT;
		struct proc *next = NULL;

		engine_use_compose(engine, engine->composes.v[i]);
		if (start_compose(engine, &next, &ignored) == 0 &&
		    finish_one(engine, next, &timed_out, &ignored) == 0)
			return 0;
	}
	if (engine->passed_over != NULL)
		return diag_set(dg, DIAG_ENGINE,
		    "%s; %s is not run, because a session or a user other "
		    "than root could replace it: name a program by the "
		    "setting compose",
		    first.message, engine->passed_over);
	return diag_move(dg, &first);
}

static int
ask_compose(struct engine *engine, struct diag *dg)
{
	struct proc *compose = NULL;

	return start_compose(engine, &compose, dg) == 0
	    ? finish_compose(engine, compose, dg)
	    : -1;
}

int
engine_probe(struct engine *engine, struct diag *dg)
{
	struct proc *compose = NULL;

	if (engine->api_version == NULL && check_peer(engine, dg) != 0)
		return -1;
	/* Compose starts while libcurl is loaded. */
	if (start_compose(engine, &compose, dg) != 0)
		return -1;
	if (ask_info(engine, dg) != 0) {
		proc_cancel(compose);
		return -1;
	}
	return finish_compose(engine, compose, dg);
}

int
engine_ready(struct engine *engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg)
{
	bool reached = engine->socket != NULL;

	if (reached && *engine->compose_version != '\0')
		return 0;
	if (!reached &&
	    engine_find(engine, settings, paths, projects, environ_, dg) != 0)
		return -1;
	if ((reached ? ask_compose(engine, dg) : engine_probe(engine, dg)) == 0)
		return 0;
	engine_release(engine);
	return -1;
}

int
engine_reach(struct engine *engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg)
{
	if (engine->socket != NULL)
		return 0;
	if (engine_find(engine, settings, paths, projects, environ_, dg) != 0)
		return -1;
	if (check_peer(engine, dg) == 0 && ask_info(engine, dg) == 0)
		return 0;
	engine_release(engine);
	return -1;
}
