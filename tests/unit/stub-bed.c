/* SPDX-License-Identifier: MIT */
/* stub-bed: a home, a socket that listens, and stubs of docker and Compose. */
#include "stub-bed.h"

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
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "engine/engine.h"

void
stub_script(const char *name, const char *text)
{
	cleanup_free char *path =
	    xasprintf("%s/bin/stub.d/%s", check_tmpdir(), name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (intmax_t)strlen(text));
	(void)close(fd);
}

void
stub_forget(void)
{
	cleanup_free char *path = xasprintf("%s/bin/stub.d", check_tmpdir());
	cleanup_close int fd = -1;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(fs_open_dir(path, &fd, &dg), 0);
	CHECK_INT(fs_remove_tree(fd, "calls", &dg), 0);
}

char *
stub_recorded(const char *name)
{
	cleanup_free char *path =
	    xasprintf("%s/bin/stub.d/calls/%s", check_tmpdir(), name);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fd == -1 || fs_read_fd(fd, path, 65536, &text, &dg) == -1)
		return xstrdup("");
	for (size_t i = 0; i < text.len; i++)
		if (text.buf[i] == '\0')
			text.buf[i] = '\n';
	return strbuf_detach(&text, NULL);
}

static void
install_stub(const char *name)
{
	const char *top = getenv("top_srcdir");
	cleanup_free char *from =
	    xasprintf("%s/tests/stub/docker", top == NULL ? "." : top);
	cleanup_free char *real = realpath(from, NULL);
	cleanup_free char *to = xasprintf("%s/bin/%s", check_tmpdir(), name);

	if (CHECK(real != NULL))
		CHECK_INT(symlink(real, to), 0);
}

static void
bed_init(struct bed *bed)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	cleanup_free char *bin = xasprintf("%s/bin", check_tmpdir());
	cleanup_free char *scripts = xasprintf("%s/stub.d", bin);
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(mkdir(bin, 0700), 0);
	CHECK_INT(mkdir(scripts, 0700), 0);
	install_stub("docker");
	install_stub("docker-compose");
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/docker.sock",
	    check_tmpdir());
	bed->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(
	    bind(bed->listener, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	CHECK_INT(listen(bed->listener, 8), 0);
	paths_init(&bed->paths);
	bed->paths.home = xstrdup(check_tmpdir());
	bed->paths.uid = getuid();
	bed->paths.state_dir = xasprintf("%s/state", check_tmpdir());
	CHECK_INT(mkdir(bed->paths.state_dir, 0700), 0);
	CHECK_INT(
	    fs_open_dir(bed->paths.state_dir, &bed->paths.state_fd, &dg), 0);
	settings_init(&bed->settings);
	bed->settings.engine_timeout_ms = 20000;
	free(bed->settings.docker);
	bed->settings.docker = xasprintf("%s/docker", bin);
	free(bed->settings.compose);
	bed->settings.compose = xasprintf("%s/docker-compose", bin);
	strvec_init(&bed->env);
	strvec_push(&bed->env, "PATH=relative:/hostile:");
	strvec_pushf(&bed->env, "DOCKER_HOST=unix://%s", sun.sun_path);
	strvec_push(&bed->env, "COMPOSE_FILE=/hostile.yml");
	strvec_push(&bed->env, "LD_PRELOAD=/hostile.so");
}

void
bed_release(struct bed *bed)
{
	(void)close(bed->listener);
	paths_release(&bed->paths);
	settings_release(&bed->settings);
	strvec_release(&bed->env);
}

bool
bed_find(struct bed *bed, struct engine *engine)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	bool found;

	bed_init(bed);
	found = CHECK_INT(engine_find(engine, &bed->settings, &bed->paths, NULL,
			      (const char *const *)bed->env.v, &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	return found;
}
