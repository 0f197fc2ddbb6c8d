/* SPDX-License-Identifier: MIT */
/* A program of the host, viewed on a terminal like a session. */
#include "session/hosted.h"

#include <errno.h>
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

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "check.h"
#include "host/settings.h"

/* What the test holds of a viewer on a terminal. */
struct place {
	int master, slave;
	pid_t pid;
	struct strbuf out;
};

static _Noreturn void
be_viewer(const char *script, bool tty, int slave)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	const char *const envp[] = { "PATH=/usr/bin:/bin", NULL };
	struct diag dg = DIAG_INIT;
	struct settings settings;
	int status = 98;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)setsid();
	(void)ioctl(slave, TIOCSCTTY, 0);
	(void)dup2(tty ? slave : null, 0);
	(void)dup2(slave, 1);
	(void)dup2(slave, 2);
	settings_init(&settings);
	int rc = hosted_view(argv, envp, tty, &settings, &status, &dg);
	_exit(rc == 0 ? status : 99);
}

static bool
place_open(struct place *p, const char *script, bool tty)
{
	struct winsize ws = { .ws_row = 33, .ws_col = 111 };
	struct termios modes;
	*p = (struct place){ .out = STRBUF_INIT };
	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (!CHECK(p->master != -1 && unlockpt(p->master) == 0))
		return false;
	p->slave = open(ptsname(p->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK_INT(ioctl(p->slave, TIOCSWINSZ, &ws), 0);
	CHECK_INT(tcgetattr(p->slave, &modes), 0);
	modes.c_oflag &= ~(tcflag_t)OPOST;
	CHECK_INT(tcsetattr(p->slave, TCSANOW, &modes), 0);
	(void)fflush(stdout);
	p->pid = fork();
	if (p->pid == 0) {
		(void)close(p->master);
		be_viewer(script, tty, p->slave);
	}
	return CHECK(p->pid > 0);
}

static bool
read_for(struct place *p, const char *text)
{
	while (strstr(p->out.buf, text) == NULL) {
		char c;
		struct pollfd poll_fd = { p->master, POLLIN, 0 };
		if (poll(&poll_fd, 1, 20000) != 1 ||
		    read(p->master, &c, 1) != 1)
			return CHECK_STR(p->out.buf, text);
		strbuf_addch(&p->out, c);
	}
	return true;
}

/* Its status, all of its output read. */
static int
place_close(struct place *p)
{
	int status = -1;
	struct pollfd poll_fd = { p->master, POLLIN, 0 };
	CHECK_INT(waitpid(p->pid, &status, 0), p->pid);
	while (poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLIN) != 0) {
		char buf[4096];
		ssize_t n = read(p->master, buf, sizeof(buf));
		if (n <= 0)
			break;
		strbuf_add(&p->out, buf, (size_t)n);
	}
	(void)close(p->master);
	(void)close(p->slave);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
pipes_to_a_terminal_are_filtered(void)
{
	struct place p;
	if (!place_open(&p,
		"cat; printf 'a\\033]52;c;aGk=\\007\\033[6n';"
		"printf 'b\\033]52c;c;aGk=\\007\\n' >&2; exit 7",
		false))
		return;
	(void)read_for(&p, "\n");
	CHECK_INT(place_close(&p), 7);
	CHECK_STR(p.out.buf, "ab\n");
	strbuf_release(&p.out);
}

static void
a_pty_is_filtered_and_sized(void)
{
	struct place p;
	struct winsize ws = { .ws_row = 44, .ws_col = 122 };
	if (!place_open(&p,
		"trap 'stty size' WINCH; stty size; tty; echo ready;"
		"until read x; do :; done;"
		"printf \"got $x\\033]52;c;aGk=\\007\\033[?25l\"; exit 3",
		true))
		return;
	CHECK(read_for(&p, "33 111"));
	CHECK(read_for(&p, "/dev/pts/"));
	CHECK(read_for(&p, "ready"));
	CHECK_INT(ioctl(p.master, TIOCSWINSZ, &ws), 0);
	CHECK(read_for(&p, "44 122"));
	/* No key detaches: it is the program's. */
	CHECK_INT(write(p.master, "word\r", 5), 5);
	CHECK(read_for(&p, "got word\033[?25l\033[?25h"));
	CHECK_INT(place_close(&p), 3);
	strbuf_release(&p.out);
}

static void
it_does_not_outlive_its_viewer(void)
{
	struct place p;
	if (!place_open(
		&p, "echo pid $$.; exec >&- 2>&-; exec sleep 1000", false))
		return;
	CHECK(read_for(&p, "."));
	pid_t child = (pid_t)atoi(p.out.buf + 4);
	CHECK(child > 1 && kill(child, 0) == 0);
	CHECK_INT(kill(p.pid, SIGTERM), 0);
	CHECK_INT(place_close(&p), 143);
	CHECK(kill(child, 0) == -1 && errno == ESRCH);
	strbuf_release(&p.out);
}

static const struct check_test tests[] = {
	{ "pipes to a terminal are filtered",
	    pipes_to_a_terminal_are_filtered },
	{ "a pty is filtered, and has the terminal's size",
	    a_pty_is_filtered_and_sized },
	{ "it does not outlive its viewer", it_does_not_outlive_its_viewer },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
