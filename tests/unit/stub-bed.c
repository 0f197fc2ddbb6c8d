/* SPDX-License-Identifier: MIT */
/* stub-bed: a home, and stubs of an engine, docker and Compose. */
#include "stub-bed.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* A copy: the tree's file may be its group's to write, and would not be run. */
static void
install_stub(const char *name)
{
	const char *top = getenv("top_srcdir");
	cleanup_free char *from =
	    xasprintf("%s/tests/stub/docker", top == NULL ? "." : top);
	cleanup_free char *to = xasprintf("%s/bin/%s", check_tmpdir(), name);
	cleanup_close int fd = open(from, O_RDONLY | O_CLOEXEC);
	cleanup_close int out =
	    open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (CHECK(fd >= 0 && out >= 0))
		CHECK_INT(fs_read_fd(fd, from, 65536, &text, &dg), 0);
	CHECK(write(out, text.buf, text.len) == (ssize_t)text.len);
}

/* tests/stub/world, which answers for the engine's API until it is killed. */
static pid_t
start_engine(const char *bin, const char *socket_path)
{
	const char *top = getenv("top_builddir");
	cleanup_free char *program =
	    xasprintf("%s/tests/stub/world", top == NULL ? "." : top);
	char line[16];
	int fds[2];
	pid_t pid;

	CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(fds[1], STDOUT_FILENO);
		(void)execl(
		    program, "world", "serve", bin, socket_path, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	/* It says that it listens. */
	CHECK(read(fds[0], line, sizeof(line)) > 0);
	(void)close(fds[0]);
	return pid;
}

static void
bed_init(struct bed *bed)
{
	cleanup_free char *sock = xasprintf("%s/docker.sock", check_tmpdir());
	cleanup_free char *bin = xasprintf("%s/bin", check_tmpdir());
	cleanup_free char *scripts = xasprintf("%s/stub.d", bin);
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(mkdir(bin, 0700), 0);
	CHECK_INT(mkdir(scripts, 0700), 0);
	install_stub("docker");
	install_stub("docker-compose");
	bed->engine = start_engine(bin, sock);
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
	strvec_pushf(&bed->env, "DOCKER_HOST=unix://%s", sock);
	strvec_push(&bed->env, "COMPOSE_FILE=/hostile.yml");
	strvec_push(&bed->env, "LD_PRELOAD=/hostile.so");
}

void
bed_release(struct bed *bed)
{
	(void)kill(bed->engine, SIGKILL);
	(void)waitpid(bed->engine, NULL, 0);
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
	found = found && CHECK_INT(engine_probe(engine, &dg), 0);
	CHECK_STR(dg.message, NULL);
	return found;
}
