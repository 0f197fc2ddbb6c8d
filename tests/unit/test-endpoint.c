/* SPDX-License-Identifier: MIT */
/* Endpoint: which socket is meant, and which are refused. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/digest.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "engine/engine.h"

/* Binds a socket at tmpdir/name; returned: its path. */
static char *
make_socket(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char *path = xasprintf("%s/%s", check_tmpdir(), name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	CHECK_INT(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	(void)close(fd);
	return path;
}

static void
make_file(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (intmax_t)strlen(text));
	(void)close(fd);
}

static void
make_dirs(const char *path)
{
	cleanup_free char *command = xstrdup(path);

	for (char *p = command + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(command, 0700);
		*p = '/';
	}
	(void)mkdir(command, 0700);
}

/* ~/.docker of a home in the test's directory, with a context by this name. */
static void
make_context(const char *name, const char *meta)
{
	char hex[DIGEST_HEX_SIZE];
	cleanup_free char *dir = NULL;

	digest_bytes(name, strlen(name), hex);
	dir = xasprintf("%s/.docker/contexts/meta/%s", check_tmpdir(), hex);
	make_dirs(dir);
	make_file(dir, "meta.json", meta);
}

static void
other_engines_than_this_hosts_are_refused(void)
{
	static const struct {
		const char *host;
		enum diag_class class;
		const char *message;
	} rows[] = {
		{ "tcp://10.0.0.1:2376", DIAG_ENGINE,
		    "DOCKER_HOST names an engine by tcp://: for now only "
		    "unix sockets of engines on this host work" },
		{ "ssh://user:password@host", DIAG_ENGINE,
		    "DOCKER_HOST names an engine by ssh://: for now only "
		    "unix sockets of engines on this host work" },
		{ "npipe:////./pipe/docker_engine", DIAG_ENGINE,
		    "DOCKER_HOST names an engine by npipe://: for now only "
		    "unix sockets of engines on this host work" },
		{ "UNIX:///var/run/docker.sock", DIAG_ENGINE,
		    "DOCKER_HOST names an engine by UNIX://: for now only "
		    "unix sockets of engines on this host work" },
		{ "unix://docker.sock", DIAG_CONFIG,
		    "DOCKER_HOST names a socket by a relative path" },
		{ "unix://", DIAG_CONFIG,
		    "DOCKER_HOST names a socket by a relative path" },
		{ "127.0.0.1:2375", DIAG_CONFIG,
		    "DOCKER_HOST is not unix:///PATH: for now only unix "
		    "sockets of engines on this host work" },
		{ "/var/run/docker.sock", DIAG_CONFIG,
		    "DOCKER_HOST is not unix:///PATH: for now only unix "
		    "sockets of engines on this host work" },
		{ "unix:///nowhere/docker.sock", DIAG_ENGINE,
		    "no engine socket at /nowhere/docker.sock (DOCKER_HOST): "
		    "start Docker (systemctl start docker) or name one with "
		    "--engine PATH"
		    " (or engine = PATH in drydock.conf)" },
		{ "unix:///dev/null", DIAG_ENGINE,
		    "/dev/null (DOCKER_HOST) is not a socket: name the engine's "
		    "with --engine PATH"
		    " (or engine = PATH in drydock.conf)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_engine struct engine e = ENGINE_INIT;
		cleanup_strvec struct strvec env = STRVEC_INIT;

		strvec_setenv(&env, "DOCKER_HOST", rows[i].host);
		CHECK_INT(engine_find_socket(&e, "", check_tmpdir(),
			      (const char *const *)env.v, &dg),
		    -1);
		CHECK_INT(dg.class, rows[i].class);
		CHECK_STR(dg.message, rows[i].message);
		CHECK_STR(e.socket, NULL);
	}
}

static void
the_setting_beats_host_beats_context(void)
{
	cleanup_free char *a = make_socket("a.sock");
	cleanup_free char *b = make_socket("b.sock");
	cleanup_free char *c = make_socket("c.sock");
	cleanup_free char *d = make_socket("d.sock");
	cleanup_free char *url_a = xasprintf("unix://%s", a);
	cleanup_free char *url_b = xasprintf("unix://%s", b);
	cleanup_free char *meta_c = xasprintf(
	    "{\"Endpoints\":{\"docker\":{\"Host\":\"unix://%s\"}}}", c);
	cleanup_free char *meta_d = xasprintf(
	    "{\"Endpoints\":{\"docker\":{\"Host\":\"unix://%s\"}}}", d);
	cleanup_free char *docker_dir = xasprintf("%s/.docker", check_tmpdir());
	struct {
		const char *setting, *host, *context;
		const char *socket, *origin;
	} rows[] = {
		{ a, url_b, "see", a, "setting engine" },
		{ url_a, url_b, "see", a, "setting engine" },
		{ "", url_b, "see", b, "DOCKER_HOST" },
		{ "", "", "see", c, "docker context 'see'" },
		{ NULL, NULL, NULL, d, "docker context 'current'" },
		{ "", "", "", d, "docker context 'current'" },
	};

	make_context("see", meta_c);
	make_context("current", meta_d);
	make_file(
	    docker_dir, "config.json", "{\"currentContext\":\"current\"}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		cleanup_engine struct engine e = ENGINE_INIT;
		cleanup_strvec struct strvec env = STRVEC_INIT;

		if (rows[i].host != NULL)
			strvec_setenv(&env, "DOCKER_HOST", rows[i].host);
		if (rows[i].context != NULL)
			strvec_setenv(&env, "DOCKER_CONTEXT", rows[i].context);
		CHECK_INT(engine_find_socket(&e, rows[i].setting,
			      check_tmpdir(), (const char *const *)env.v, &dg),
		    0);
		CHECK_STR(e.socket, rows[i].socket);
		CHECK_STR(e.origin, rows[i].origin);
		CHECK_INT(e.socket_gid, getegid());
	}
}

static void
a_context_that_is_not_there_or_is_broken_is_refused(void)
{
	static const char *const metas[] = { "", "{", "[]", "{}",
		"{\"Endpoints\":{}}", "{\"Endpoints\":{\"docker\":{}}}",
		"{\"Endpoints\":{\"docker\":{\"Host\":1}}}",
		"{\"Endpoints\":{\"docker\":{\"Host\":\"a\",\"Host\":\"b\"}}}",
		"{\"Endpoints\":{\"docker\":{\"Host\":\"unix://rel\"}}}" };
	static const char *const env[] = { "DOCKER_CONTEXT=mine", NULL };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_engine struct engine e = ENGINE_INIT;
	cleanup_free char *want =
	    xasprintf("no docker context 'mine' in %s/.docker", check_tmpdir());

	CHECK_INT(engine_find_socket(&e, "", check_tmpdir(), env, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
	CHECK_STR(dg.message, want);
	for (size_t i = 0; i < ARRAY_SIZE(metas); i++) {
		cleanup_diag struct diag one = DIAG_INIT;

		make_context("mine", metas[i]);
		CHECK_INT(
		    engine_find_socket(&e, "", check_tmpdir(), env, &one), -1);
		CHECK_INT(one.class, DIAG_CONFIG);
	}
}

static void
a_fifo_as_docker_configuration_does_not_hang(void)
{
	cleanup_free char *dir = xasprintf("%s/.docker", check_tmpdir());
	cleanup_free char *path = xasprintf("%s/config.json", dir);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_engine struct engine e = ENGINE_INIT;

	make_dirs(dir);
	CHECK_INT(mkfifo(path, 0600), 0);
	CHECK_INT(engine_find_socket(&e, "", check_tmpdir(), NULL, &dg), -1);
	CHECK_INT(dg.class, DIAG_CONFIG);
}

static void
a_link_leads_to_the_real_socket(void)
{
	cleanup_free char *real = make_socket("real.sock");
	cleanup_free char *link = xasprintf("%s/link.sock", check_tmpdir());
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_engine struct engine e = ENGINE_INIT;

	CHECK_INT(symlink("real.sock", link), 0);
	CHECK_INT(engine_find_socket(&e, link, check_tmpdir(), NULL, &dg), 0);
	CHECK_STR(e.socket, real);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "other engines than this host's are refused by name",
		    other_engines_than_this_hosts_are_refused },
		{ "the setting beats DOCKER_HOST, which beats contexts",
		    the_setting_beats_host_beats_context },
		{ "a context that is not there or broken is refused",
		    a_context_that_is_not_there_or_is_broken_is_refused },
		{ "a fifo as docker's configuration does not hang",
		    a_fifo_as_docker_configuration_does_not_hang },
		{ "a link leads to the real socket",
		    a_link_leads_to_the_real_socket },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
