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
#include "base/xalloc.h"
#include "engine/api.h"
#include "engine/version.h"

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

static int
check_answer(const struct json *info, struct diag *dg)
{
	static const char *const needed[] = { "ID", "DockerRootDir",
		"ServerVersion", "OSType" };

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (*json_string_or(json_get(info, needed[i]), "") == '\0')
			return diag_set(dg, DIAG_ENGINE,
			    "the engine's answer to GET /info has no %s",
			    needed[i]);
	return 0;
}

static void
replace_string(char **p, const char *value)
{
	free(*p);
	*p = xstrdup(value);
}

static int
read_info(struct engine *engine, const struct json *info, struct diag *dg)
{
	const char *version;
	const char *root;
	struct stat st;

	if (check_answer(info, dg) != 0 || check_kind(info, dg) != 0)
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

int
engine_read_info(
    struct engine *engine, const char *text, size_t len, struct diag *dg)
{
	cleanup_json struct json *info = NULL;

	if (json_parse(
		text, len, "the engine's answer to GET /info", &info, dg) != 0)
		return diag_reclass(dg, DIAG_ENGINE);
	return read_info(engine, info, dg);
}

/* The caller has checked the peer of the socket (check_peer()). */
static int
make_ready(struct engine *engine, struct diag *dg)
{
	if (engine->http == NULL && http_load(&engine->http, dg) != 0)
		return -1;
	return api_choose_version(engine, dg);
}

static int
ask_info(struct engine *engine, struct diag *dg)
{
	cleanup_json struct json *info = NULL;

	if ((engine->api_version == NULL && make_ready(engine, dg) != 0) ||
	    api_get(engine, "/info", &info, dg) != 0)
		return -1;
	return read_info(engine, info, dg);
}

int
engine_probe(struct engine *engine, struct diag *dg)
{
	struct proc *compose = NULL;

	if (engine->api_version == NULL && check_peer(engine, dg) != 0)
		return -1;
	/* Compose starts while libcurl is loaded. */
	if (compose_version_start(engine, &compose, dg) != 0)
		return -1;
	if (ask_info(engine, dg) != 0) {
		proc_cancel(compose);
		return -1;
	}
	return compose_version_finish(engine, compose, dg);
}

int
engine_ready(struct engine *engine, const struct settings *settings,
    const struct paths *paths, const char *const *projects,
    const char *const *environ_, struct diag *dg)
{
	if (engine->socket != NULL)
		return 0;
	if (engine_find(engine, settings, paths, projects, environ_, dg) != 0)
		return -1;
	if (engine_probe(engine, dg) == 0)
		return 0;
	engine_release(engine);
	return -1;
}
