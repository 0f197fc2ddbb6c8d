/* SPDX-License-Identifier: MIT */
/* drydock in a child, its descriptors in our hands. */
#include "viewer-kit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"
#include "host/settings.h"
#include "terminal/interrupt.h"

static int
attach(const struct viewer *v, struct attach_outcome *ret, struct diag *dg)
{
	const char *argv[] = { "sh", "-c", v->script, NULL };
	static const char *const absent[] = { "no-such-command", NULL };
	static const char *const envp[] = { "PATH=/usr/bin:/bin", NULL };
	struct wire_go go = { .argv = v->script != NULL ? argv : absent,
		.envp = envp,
		.cwd = "/",
		.tty = v->tty,
		.ends_with_client = v->ends || !v->tty };
	struct settings settings;
	struct holder_hello hello;
	bool started = false;
	int run_fd = open(v->kit->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;
	settings_init(&settings);
	if (holder_connect(run_fd, 20000, &hello, &fd, dg) == -1)
		return -1;
	if ((v->view ? holder_view(fd, dg)
		     : holder_go(fd, WIRE_GO, &go, 20000, &started, dg)) == -1)
		return -1;
	CHECK_INT(started, !v->view && v->script != NULL);
	unsigned flags = (v->tty ? ATTACH_TTY : 0U) |
	    (v->tty && !v->ends ? ATTACH_DETACHABLE : 0U) |
	    (holder_can_exec(&hello) ? ATTACH_SIGNALS : 0U);
	int rc = attach_view(fd, flags, &settings, ret, dg);
	(void)close(fd);
	settings_release(&settings);
	return rc;
}

static _Noreturn void
be_viewer(const struct viewer *v, const int fds[3], int result_fd)
{
	struct viewer_result r = { 0, { ATTACH_LOST, -1 }, DIAG_NONE };
	struct diag dg = DIAG_INIT;
	struct interrupt held;
	(void)setsid();
	/*
	 * As in a launch: a SIGHUP that comes after the view must not kill what
	 * has yet to write its result.
	 */
	interrupt_hold(&held);
	if (v->tty && !v->uncontrolled)
		(void)ioctl(fds[0], TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		(void)dup2(fds[i], i);
	if (v->slave != -1)
		(void)close(v->slave);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("TERM", v->term != NULL ? v->term : "xterm", 1);
	r.rc = attach(v, &r.outcome, &dg);
	r.class = dg.class;
	if (r.rc == -1)
		diag_print(&dg);
	if (write(result_fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(1);
	_exit(0);
}

bool
viewer_open_terminal(int *ret_master, int *ret_slave)
{
	struct winsize ws = { .ws_row = 33, .ws_col = 111 };
	*ret_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (!CHECK(*ret_master != -1 && grantpt(*ret_master) == 0 &&
		unlockpt(*ret_master) == 0))
		return false;
	*ret_slave = open(ptsname(*ret_master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	return CHECK(
	    ioctl(*ret_master, TIOCSWINSZ, &ws) == 0 && *ret_slave != -1);
}

static bool
put_file(const char *path, int flags, int *fd)
{
	int file = path != NULL ? open(path, flags | O_CLOEXEC) : -1;
	if (path == NULL)
		return true;
	if (!CHECK(file != -1))
		return false;
	(void)close(*fd);
	*fd = file;
	return true;
}

bool
viewer_start(struct viewer *v)
{
	int theirs[3] = { -1, -1, -1 };
	int ours[3] = { -1, -1, -1 };
	int result[2];
	v->slave = -1;
	if (!CHECK(pipe2(result, O_CLOEXEC) == 0))
		return false;
	if (v->tty) {
		if (!viewer_open_terminal(&ours[0], &v->slave))
			return false;
		theirs[0] = theirs[1] = theirs[2] = v->slave;
	}
	for (int i = 0; !v->tty && i < 3; i++) {
		int fds[2];
		if (!CHECK(pipe2(fds, O_CLOEXEC) == 0))
			return false;
		ours[i] = fds[i == 0 ? 1 : 0];
		theirs[i] = fds[i == 0 ? 0 : 1];
	}
	if (!put_file(v->in_path, v->in_flags, &theirs[0]) ||
	    !put_file(v->out_path, O_WRONLY, &theirs[1]))
		return false;
	(void)fflush(stdout);
	v->pid = fork();
	if (v->pid == 0) {
		/* It never executes, so nothing closes them for it. */
		for (int i = 0; i < 3; i++)
			(void)close(ours[i]);
		if (v->not_its > 0)
			(void)close(v->not_its);
		be_viewer(v, theirs, result[1]);
	}
	(void)close(result[1]);
	for (int i = 0; !v->tty && i < 3; i++)
		(void)close(theirs[i]);
	v->in = ours[0];
	v->out = ours[1];
	v->err = ours[2];
	v->result = result[0];
	return CHECK(v->pid > 0);
}

struct viewer_result
viewer_wait(struct viewer *v)
{
	struct viewer_result r = { -2, { ATTACH_LOST, -1 }, DIAG_NONE };
	int status = -1;
	CHECK_INT(read(v->result, &r, sizeof(r)), (ssize_t)sizeof(r));
	CHECK_INT(waitpid(v->pid, &status, 0), v->pid);
	CHECK_INT(status, 0);
	(void)close(v->result);
	return r;
}

void
viewer_read_rest(int fd, struct strbuf *out)
{
	char buf[65536];
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(out, buf, (size_t)n);
	(void)close(fd);
}

bool
viewer_read_for(int fd, struct strbuf *out, const char *text)
{
	while (strstr(out->buf, text) == NULL) {
		char c;
		struct pollfd p = { fd, POLLIN, 0 };
		if (poll(&p, 1, 20000) != 1 || read(fd, &c, 1) != 1)
			return CHECK_STR(out->buf, text);
		strbuf_addch(out, c);
	}
	return true;
}

bool
viewer_type(int fd, const char *text)
{
	return CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}
