/* SPDX-License-Identifier: MIT */
/* drydock's end of the socket: against the real holder, and against liars. */
#include "session/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "check.h"
#include "holder-kit.h"
#include "host/settings.h"

#define BIG ((size_t)8 << 20)

/* drydock in a child, its descriptors in our hands. */
struct viewer {
	pid_t pid;
	int in, out, err; /* ours; on a terminal all of it is in */
	int result; /* reads the outcome */
	int slave; /* the terminal, kept open; or -1 */
	struct kit *kit;
	bool tty, ends, view;
	const char *script; /* NULL: a command that is not there */
};

struct result {
	int rc;
	struct attach_outcome outcome;
	enum diag_class class;
};

static int
attach(const struct viewer *v, struct attach_outcome *ret, struct diag *dg)
{
	const char *argv[] = { "sh", "-c", v->script, NULL };
	static const char *const absent[] = { "no-such-command", NULL };
	static const char *const envp[] = { "PATH=/usr/bin:/bin", NULL };
	struct go_message go = { v->script != NULL ? argv : absent, envp, "/",
		v->tty, v->ends };
	struct settings settings;
	struct holder_hello hello;
	int run_fd = open(v->kit->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;
	settings_init(&settings);
	if (holder_connect(run_fd, 20000, &hello, &fd, dg) == -1)
		return -1;
	if ((v->view ? holder_view(fd, dg) : holder_go(fd, &go, 20000, dg)) ==
	    -1)
		return -1;
	int rc = attach_view(fd, v->tty, &settings, ret, dg);
	(void)close(fd);
	settings_release(&settings);
	return rc;
}

static _Noreturn void
be_viewer(const struct viewer *v, const int fds[3], int result_fd)
{
	struct result r = { 0, { ATTACH_LOST, -1 }, DIAG_NONE };
	struct diag dg = DIAG_INIT;
	(void)setsid();
	if (v->tty)
		(void)ioctl(fds[0], TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		(void)dup2(fds[i], i);
	if (v->slave != -1)
		(void)close(v->slave);
	(void)signal(SIGPIPE, SIG_IGN);
	r.rc = attach(v, &r.outcome, &dg);
	r.class = dg.class;
	if (r.rc == -1)
		diag_print(&dg);
	if (write(result_fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(1);
	_exit(0);
}

static bool
open_terminal(int *ret_master, int *ret_slave)
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
viewer_start(struct viewer *v)
{
	int theirs[3] = { -1, -1, -1 };
	int ours[3] = { -1, -1, -1 };
	int result[2];
	v->slave = -1;
	if (!CHECK(pipe2(result, O_CLOEXEC) == 0))
		return false;
	if (v->tty) {
		if (!open_terminal(&ours[0], &v->slave))
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
	(void)fflush(stdout);
	v->pid = fork();
	if (v->pid == 0) {
		/* It never executes, so nothing closes them for it. */
		for (int i = 0; i < 3; i++)
			(void)close(ours[i]);
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

static struct result
viewer_wait(struct viewer *v)
{
	struct result r = { -2, { ATTACH_LOST, -1 }, DIAG_NONE };
	int status = -1;
	CHECK_INT(read(v->result, &r, sizeof(r)), (ssize_t)sizeof(r));
	CHECK_INT(waitpid(v->pid, &status, 0), v->pid);
	CHECK_INT(status, 0);
	(void)close(v->result);
	return r;
}

static void
read_rest(int fd, struct strbuf *out)
{
	char buf[65536];
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(out, buf, (size_t)n);
	(void)close(fd);
}

/* Until the text is there; on a terminal what comes after it stays unread. */
static bool
read_for(int fd, struct strbuf *out, const char *text)
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

static bool
type(int fd, const char *text)
{
	return CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void
pipes_are_apart(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.ends = true,
		.script = "cat; echo err >&2; exit 42" };
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct strbuf err cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(type(v.in, "input"));
	(void)close(v.in);
	read_rest(v.out, &out);
	read_rest(v.err, &err);
	struct result r = viewer_wait(&v);
	CHECK_STR(out.buf, "input");
	CHECK_STR(err.buf, "err\n");
	CHECK_INT(r.rc, 0);
	CHECK_INT(r.outcome.end, ATTACH_EXITED);
	CHECK_INT(r.outcome.status, 42);
	CHECK_INT(kit_wait(&kit), 42);
}

static void
much_data_both_ways(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit, .ends = true, .script = "cat" };
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	char *data cleanup_free = xmalloc(BIG);
	for (size_t i = 0; i < BIG; i++)
		data[i] = (char)(i * 2654435761U >> 11);
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	pid_t feeder = fork();
	if (feeder == 0) {
		size_t at = 0;
		ssize_t n = 1;
		for (; at < BIG && n > 0; at += (size_t)n)
			n = write(v.in, data + at, BIG - at);
		_exit(at == BIG ? 0 : 1);
	}
	(void)close(v.in);
	/* A pager that takes its time. */
	(void)poll(NULL, 0, 200);
	read_rest(v.out, &out);
	CHECK_INT(out.len, BIG);
	CHECK(out.len == BIG && memcmp(out.buf, data, BIG) == 0);
	CHECK_INT(waitpid(feeder, NULL, 0), feeder);
	CHECK_INT(viewer_wait(&v).outcome.status, 0);
	CHECK_INT(kit_wait(&kit), 0);
}

static void
absent_command_is_said(void)
{
	for (int tty = 0; tty < 2; tty++) {
		struct kit kit;
		struct viewer v = {
			.kit = &kit, .tty = tty == 1, .ends = true
		};
		struct strbuf err cleanup_strbuf = STRBUF_INIT;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		if (v.tty) {
			CHECK(read_for(v.in, &err,
			    "drydock: no-such-command: not found\r\n"));
		} else {
			read_rest(v.err, &err);
			CHECK_STR(
			    err.buf, "drydock: no-such-command: not found\n");
		}
		struct result r = viewer_wait(&v);
		CHECK_INT(r.outcome.end, ATTACH_EXITED);
		CHECK_INT(r.outcome.status, 127);
		CHECK_INT(kit_wait(&kit), 127);
		(void)close(v.in);
	}
}

static void
closed_output_detaches(void)
{
	struct kit kit;
	struct viewer v = {
		.kit = &kit, .ends = true, .script = "trap '' PIPE; yes"
	};
	char byte;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK_INT(read(v.out, &byte, 1), 1);
	(void)close(v.out);
	struct result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_DETACHED);
	CHECK_INT(r.outcome.status, 141);
	CHECK_INT(kit_wait(&kit), 129);
}

static void
signals_detach(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct kit kit;
		struct viewer v = { .kit = &kit,
			.ends = true,
			.script = "echo ready; exec sleep 1000" };
		struct strbuf out cleanup_strbuf = STRBUF_INIT;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		CHECK(read_for(v.out, &out, "ready"));
		CHECK_INT(kill(v.pid, signals[i]), 0);
		struct result r = viewer_wait(&v);
		CHECK_INT(r.outcome.end, ATTACH_DETACHED);
		CHECK_INT(r.outcome.status, 128 + signals[i]);
		CHECK_INT(kit_wait(&kit), 129);
	}
}

static void
terminal_is_raw_and_restored(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.script = "stty size; trap 'stty size' WINCH; echo ready;"
			  "until read x; do :; done; echo got $x;"
			  "printf 'a\\033]52;c;QQ==\\007b'; exit 5" };
	struct termios before, during, after;
	struct winsize ws = { .ws_row = 44, .ws_col = 122 };
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK_INT(tcgetattr(v.slave, &before), 0);
	CHECK(read_for(v.in, &out, "33 111"));
	CHECK(read_for(v.in, &out, "ready"));
	CHECK_INT(tcgetattr(v.slave, &during), 0);
	CHECK_INT(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	CHECK_INT(ioctl(v.in, TIOCSWINSZ, &ws), 0);
	CHECK(read_for(v.in, &out, "44 122"));
	CHECK(type(v.in, "word\r"));
	CHECK(read_for(v.in, &out, "got word"));
	CHECK(read_for(v.in, &out, "\r\nab"));
	CHECK(read_for(v.in, &out, "\033[?1049l"));
	CHECK(read_for(v.in, &out, "\033[?25h"));
	struct result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_EXITED);
	CHECK_INT(r.outcome.status, 5);
	CHECK_INT(tcgetattr(v.slave, &after), 0);
	CHECK_INT(after.c_lflag, before.c_lflag);
	CHECK_INT(after.c_iflag, before.c_iflag);
	CHECK_INT(after.c_oflag, before.c_oflag);
	CHECK(strstr(out.buf, "]52;") == NULL);
	CHECK_INT(kit_wait(&kit), 5);
	(void)close(v.in);
	(void)close(v.slave);
}

static void
key_detaches_and_another_attaches(void)
{
	static const char *const keys[] = { "\x1c", "\033[92;5u" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct kit kit;
		struct viewer v = { .kit = &kit,
			.tty = true,
			.script = "echo ready; read x; echo got $x; read y;"
				  "exit 6" };
		struct viewer w = { .kit = &kit, .tty = true, .view = true };
		struct strbuf out cleanup_strbuf = STRBUF_INIT;
		struct strbuf again cleanup_strbuf = STRBUF_INIT;
		struct termios after;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		CHECK(read_for(v.in, &out, "ready"));
		char *text cleanup_free = xasprintf("typed\r%sz", keys[i]);
		CHECK(type(v.in, text));
		struct result r = viewer_wait(&v);
		CHECK_INT(r.outcome.end, ATTACH_DETACHED);
		CHECK_INT(r.outcome.status, 0);
		CHECK_INT(tcgetattr(v.slave, &after), 0);
		CHECK(after.c_lflag & ICANON);
		if (!viewer_start(&w))
			return;
		CHECK(read_for(w.in, &again, "got typed"));
		CHECK(type(w.in, "\r"));
		r = viewer_wait(&w);
		CHECK_INT(r.outcome.end, ATTACH_EXITED);
		CHECK_INT(r.outcome.status, 6);
		CHECK_INT(kit_wait(&kit), 6);
		(void)close(v.in);
		(void)close(v.slave);
		(void)close(w.in);
		(void)close(w.slave);
	}
}

/* Types n letters, as fast as they are taken. */
static bool
type_much(int fd, size_t n)
{
	char text[1000];
	memset(text, 'x', sizeof(text));
	CHECK_INT(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	while (n > 0) {
		struct pollfd p = { fd, POLLOUT, 0 };
		size_t len = n < sizeof(text) ? n : sizeof(text);
		ssize_t done = write(fd, text, len);
		if (done == -1 && poll(&p, 1, 5000) != 1)
			return CHECK_INT(n, 0);
		n -= done > 0 ? (size_t)done : 0;
	}
	return true;
}

static void
key_is_seen_when_the_holder_stopped(void)
{
	struct kit kit;
	struct viewer v = {
		.kit = &kit, .tty = true, .script = "echo ready; read x"
	};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(read_for(v.in, &out, "ready"));
	CHECK_INT(kill(kit.pid, SIGSTOP), 0);
	bool taken = type_much(v.in, 1000000) && type(v.in, "\x1c");
	if (!taken)
		CHECK_INT(kill(v.pid, SIGTERM), 0);
	CHECK_INT(viewer_wait(&v).outcome.status, 0);
	CHECK_INT(kill(kit.pid, SIGKILL), 0);
	CHECK_INT(kit_wait(&kit), 137);
	(void)close(v.in);
	(void)close(v.slave);
}

static void
terminal_gone_detaches(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.ends = true,
		.script = "echo ready; exec sleep 1000" };
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(read_for(v.in, &out, "ready"));
	(void)close(v.in);
	(void)close(v.slave);
	struct result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_DETACHED);
	CHECK_INT(r.outcome.status, 129);
	CHECK_INT(kit_wait(&kit), 129);
}

static void
killed_holder_is_lost(void)
{
	struct kit kit;
	struct viewer v = {
		.kit = &kit, .ends = true, .script = "echo ready; read x"
	};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(read_for(v.out, &out, "ready"));
	CHECK_INT(kill(kit.pid, SIGKILL), 0);
	CHECK_INT(viewer_wait(&v).outcome.end, ATTACH_LOST);
	CHECK_INT(kit_wait(&kit), 137);
}

/* A directory with a holder.sock that a liar listens at. */
static int
listen_as_holder(const char *dir)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/holder.sock", dir);
	(void)unlink(un.sun_path);
	CHECK_INT(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	CHECK_INT(listen(fd, 8), 0);
	return fd;
}

static void
liars_are_told_apart(void)
{
#define BYTES(s) s, sizeof(s) - 1
	static const struct {
		const char *bytes;
		size_t len;
		bool closes;
		enum diag_class class;
		const char *said;
	} rows[] = {
		{ BYTES(""), false, DIAG_ENGINE, "did not answer in time" },
		{ BYTES(""), true, DIAG_ENGINE, "closed the connection" },
		{ BYTES("\1\0\0\0\10\0\0"), false, DIAG_ENGINE,
		    "did not answer in time" },
		{ BYTES("HTTP/1.1 400 Bad Request\r\n"), true, DIAG_DATA,
		    "unknown type" },
		{ BYTES("\1\0\0\0\377\377\377\377"), false, DIAG_DATA,
		    "wrong length" },
		{ BYTES("\1\0\0\0\10\0\0\0\7\0\0\0\0\0\0\0"), false, DIAG_DATA,
		    "version 7" },
		{ BYTES("\14\0\0\0\4\0\0\0\0\0\0\0"), false, DIAG_DATA,
		    "said no hello" },
		{ BYTES("\2\0\0\0\7\0\0\0no \033[2J"), true, DIAG_POLICY,
		    "refused: no \\033[2J" },
	};
#undef BYTES
	int listener = listen_as_holder(check_tmpdir());
	int run_fd = open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct diag dg cleanup_diag = DIAG_INIT;
		struct holder_hello hello;
		int fd = -1;
		(void)fflush(stdout);
		pid_t liar = fork();
		if (liar == 0) {
			int c = accept(listener, NULL, NULL);
			(void)send(c, rows[i].bytes, rows[i].len, MSG_NOSIGNAL);
			if (!rows[i].closes)
				(void)pause();
			_exit(0);
		}
		CHECK_INT(holder_connect(run_fd, 300, &hello, &fd, &dg), -1);
		CHECK_INT(dg.class, rows[i].class);
		if (!CHECK(dg.message != NULL &&
			strstr(dg.message, rows[i].said) != NULL))
			CHECK_STR(dg.message, rows[i].said);
		CHECK_INT(fd, -1);
		(void)kill(liar, SIGKILL);
		(void)waitpid(liar, NULL, 0);
	}
	(void)close(listener);
	(void)close(run_fd);
}

static void
no_link_is_followed(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	struct holder_hello hello;
	char elsewhere[200];
	int fd = -1;
	(void)snprintf(
	    elsewhere, sizeof(elsewhere), "%s/elsewhere", check_tmpdir());
	CHECK_INT(mkdir(elsewhere, 0700), 0);
	int listener = listen_as_holder(elsewhere);
	int run_fd = open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(symlinkat("elsewhere/holder.sock", run_fd, "holder.sock"), 0);
	CHECK_INT(holder_connect(run_fd, 300, &hello, &fd, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK_INT(dg.errnum, ENOTSOCK);
	struct pollfd p = { listener, POLLIN, 0 };
	CHECK_INT(poll(&p, 1, 0), 0);
	(void)close(listener);
	(void)close(run_fd);
}

static void
absent_socket_times_out(void)
{
	struct diag dg cleanup_diag = DIAG_INIT;
	struct holder_hello hello;
	int fd = -1;
	int run_fd = open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(holder_connect(run_fd, 100, &hello, &fd, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK_STR(dg.message,
	    "the holder did not come up at holder.sock: No such file or "
	    "directory");
	(void)close(run_fd);
}

static const struct check_test tests[] = {
	{ "stdin, stdout and stderr are apart, the status comes back",
	    pipes_are_apart },
	{ "much data comes whole both ways", much_data_both_ways },
	{ "a command that is not there is said, with 127",
	    absent_command_is_said },
	{ "output that nobody takes detaches with 141",
	    closed_output_detaches },
	{ "signals detach with their number", signals_detach },
	{ "a terminal is raw meanwhile, and restored",
	    terminal_is_raw_and_restored },
	{ "the key detaches, and another viewer attaches",
	    key_detaches_and_another_attaches },
	{ "the key is seen when the holder stopped",
	    key_is_seen_when_the_holder_stopped },
	{ "a terminal that is gone detaches", terminal_gone_detaches },
	{ "a holder that is killed is lost", killed_holder_is_lost },
	{ "liars are told apart in time", liars_are_told_apart },
	{ "no link is followed to a socket", no_link_is_followed },
	{ "an absent socket times out", absent_socket_times_out },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
