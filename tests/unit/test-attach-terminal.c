/* SPDX-License-Identifier: MIT */
/* A terminal at the holder's socket: raw, restored, left by a key. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/monotime.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "guest/wire.h"
#include "holder-kit.h"
#include "host/settings.h"
#include "viewer-kit.h"

/*
 * Says "ready", prints each size that it notices, and reads a line.  A signal
 * just before read(2) would not interrupt a shell's read; wait has no such gap.
 */
#define SIZES_AND_A_LINE                             \
	"trap 'stty size' WINCH; exec 3<&0;"         \
	"{ read x; echo got $x; } <&3 & echo ready;" \
	"until wait $!; do :; done;"

static void
terminal_is_raw_and_restored(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.script = "stty size;" SIZES_AND_A_LINE
			  "printf 'a\\033]52;c;QQ==\\007b\\033[?25l\\033[4h';"
			  "exit 5" };
	struct termios before, during, after;
	struct winsize ws = { .ws_row = 44, .ws_col = 122 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK_INT(tcgetattr(v.slave, &before), 0);
	CHECK(viewer_read_for(v.in, &out, "33 111"));
	CHECK(viewer_read_for(v.in, &out, "ready"));
	CHECK_INT(tcgetattr(v.slave, &during), 0);
	CHECK_INT(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	CHECK_INT(ioctl(v.in, TIOCSWINSZ, &ws), 0);
	CHECK(viewer_read_for(v.in, &out, "44 122"));
	CHECK(viewer_type(v.in, "word\r"));
	CHECK(viewer_read_for(v.in, &out, "got word"));
	CHECK(viewer_read_for(v.in, &out, "\r\nab"));
	CHECK(viewer_read_for(v.in, &out, "\033[?25h\033[4l"));
	struct viewer_result r = viewer_wait(&v);
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

/* Ends the session of v and takes its terminal away. */
static void
close_viewer(struct viewer *v)
{
	(void)close(v->in);
	(void)close(v->slave);
}

/* What a program would read of it now. */
static void
read_input(int slave, struct strbuf *out)
{
	struct termios raw;
	char buf[256];
	CHECK_INT(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 0;
	CHECK_INT(tcsetattr(slave, TCSANOW, &raw), 0);
	ssize_t n = read(slave, buf, sizeof(buf));
	if (n > 0)
		strbuf_add(out, buf, (size_t)n);
}

static void
read_output(int master, struct strbuf *out)
{
	char buf[4096];
	struct pollfd p = { master, POLLIN, 0 };
	while (poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0) {
		ssize_t n = read(master, buf, sizeof(buf));
		if (n <= 0)
			return;
		strbuf_add(out, buf, (size_t)n);
	}
}

static void
nothing_is_written_where_nothing_was_set(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.script = "echo ready; head -c1 >/dev/null;"
			  "printf '\\033[1mx\\033[m\\n'" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready"));
	CHECK(viewer_type(v.in, "\r"));
	CHECK_INT(viewer_wait(&v).outcome.end, ATTACH_EXITED);
	read_output(v.in, &out);
	CHECK_STR(out.buf, "ready\r\n\r\n\033[1mx\033[m\r\n");
	CHECK_INT(kit_wait(&kit), 0);
	close_viewer(&v);
}

/*
 * The terminal answers when it gets to it.  The program asked for the
 * attributes itself, so that the first such answer is not the last one.
 */
static void
pending_answers_reach_nobody(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.script = "printf 'ready\\033[c\\033[6n'" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf typed = STRBUF_INIT;
	struct termios during;
	int waits = 1;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready\033[c\033[6n\033[c"));
	CHECK(viewer_type(v.in, "\033[?62;4c"));
	for (int i = 0; waits > 0 && i < 2000; i++) {
		(void)poll(NULL, 0, 1);
		CHECK_INT(ioctl(v.slave, FIONREAD, &waits), 0);
	}
	CHECK_INT(tcgetattr(v.slave, &during), 0);
	CHECK_INT(during.c_lflag & ICANON, 0);
	CHECK(viewer_type(v.in, "\033[12;1R\033[?62;4c"));
	CHECK_INT(viewer_wait(&v).outcome.end, ATTACH_EXITED);
	CHECK_INT(tcgetattr(v.slave, &during), 0);
	CHECK(during.c_lflag & ICANON);
	read_input(v.slave, &typed);
	CHECK_STR(typed.buf, "");
	CHECK_INT(kit_wait(&kit), 0);
	close_viewer(&v);
}

static void
silent_terminals_are_waited_for_a_moment(void)
{
	struct kit kit;
	struct viewer v = {
		.kit = &kit, .tty = true, .script = "printf 'x\\033[6n'"
	};
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	int64_t start = monotime_ms();
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "x\033[6n\033[c"));
	CHECK_INT(viewer_wait(&v).outcome.end, ATTACH_EXITED);
	CHECK(monotime_ms() - start < 15000);
	CHECK_INT(kit_wait(&kit), 0);
	close_viewer(&v);
}

/*
 * The viewer's group has no parent that could continue it, so that the kernel
 * does not stop it: what happens before and after is seen.
 */
static void
modes_are_given_back_while_stopped(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.script = "printf '\\033[?25l\\033[4h';" SIZES_AND_A_LINE };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct termios after;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready\r\n"));
	CHECK_INT(kill(v.pid, SIGTSTP), 0);
	CHECK(viewer_read_for(
	    v.in, &out, "ready\r\n\033[?25h\033[4l\033[?25l\033[4h"));
	CHECK(viewer_read_for(v.in, &out, "33 111"));
	CHECK_INT(tcgetattr(v.slave, &after), 0);
	CHECK_INT(after.c_lflag & ICANON, 0);
	CHECK(viewer_type(v.in, "word\r"));
	CHECK(viewer_read_for(v.in, &out, "got word"));
	CHECK_INT(viewer_wait(&v).outcome.status, 0);
	CHECK_INT(kit_wait(&kit), 0);
	close_viewer(&v);
}

/* The start of a key's sequence waits, and goes on when the rest is late. */
static void
escape_alone_is_typed(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.script = "stty raw -echo; echo ready;"
			  "head -c1 | od -An -tx1; stty sane" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready"));
	CHECK(viewer_type(v.in, "\033"));
	CHECK(viewer_read_for(v.in, &out, " 1b"));
	CHECK_INT(viewer_wait(&v).outcome.status, 0);
	CHECK_INT(kit_wait(&kit), 0);
	close_viewer(&v);
}

/* A viewer of a liar, whose stdout and stderr are one terminal. */
static _Noreturn void
view_liar(int fd, bool tty, int slave)
{
	struct diag dg = DIAG_INIT;
	struct attach_outcome outcome;
	struct settings settings;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	(void)dup2(tty ? slave : null, 0);
	(void)dup2(slave, 1);
	(void)dup2(slave, 2);
	settings_init(&settings);
	(void)setenv("TERM", "xterm", 1);
	int rc = attach_view(fd, tty ? ATTACH_TTY | ATTACH_DETACHABLE : 0U,
	    &settings, &outcome, &dg);
	_exit(rc == 0 ? outcome.status : 99);
}

static void
every_stream_to_a_terminal_is_filtered(void)
{
	static const struct {
		enum wire_type type;
		const char *text;
	} frames[] = {
		{ WIRE_OUTPUT, "\033]5" },
		{ WIRE_ERROR, "2;c;aGk=\007" },
		{ WIRE_ERROR, "a\033]52;c;aGk=\007" },
		{ WIRE_OUTPUT, "\033]52c;c;aGk=\007" },
		{ WIRE_ERROR, "\033]" },
		{ WIRE_OUTPUT, "4294967348;c;aGk=\007b" },
		{ WIRE_ERROR, "\033]52;c;aGk=\033\\c" },
		{ WIRE_OUTPUT, "\033]52;" },
	};
	for (int tty = 0; tty < 2; tty++) {
		cleanup_strbuf struct strbuf sent = STRBUF_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		int ends[2];
		int status = -1;
		int master = -1;
		int slave = -1;
		if (!viewer_open_terminal(&master, &slave))
			return;
		CHECK_INT(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
		    0);
		/* Where the input is no terminal, nobody reads an answer. */
		if (tty == 0)
			wire_add(&sent, WIRE_ERROR, "\033[6n", 4);
		for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
			wire_add(&sent, frames[i].type, frames[i].text,
			    strlen(frames[i].text));
		wire_add_exit(&sent, 3, "");
		CHECK_INT(
		    write(ends[1], sent.buf, sent.len), (intmax_t)sent.len);
		(void)fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) {
			(void)setsid();
			(void)ioctl(slave, TIOCSCTTY, 0);
			view_liar(ends[0], tty == 1, slave);
		}
		CHECK_INT(waitpid(pid, &status, 0), pid);
		CHECK_INT(WEXITSTATUS(status), 3);
		read_output(master, &out);
		CHECK_STR(out.buf, "abc");
		(void)close(ends[0]);
		(void)close(ends[1]);
		(void)close(slave);
		(void)close(master);
	}
}

/*
 * A shell with a viewer in a process group of its own, as the kernel stops no
 * other.  Exits with the viewer's status if that was stopped once.
 */
static _Noreturn void
be_shell(const int ends[2], int slave)
{
	int status = 0;
	(void)close(ends[1]);
	(void)setsid();
	(void)ioctl(slave, TIOCSCTTY, 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)signal(SIGTTOU, SIG_IGN);
		(void)tcsetpgrp(slave, getpid());
		(void)signal(SIGTTOU, SIG_DFL);
		view_liar(ends[0], true, slave);
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		_exit(98);
	(void)kill(pid, SIGCONT);
	_exit(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 97);
}

/* One message is one send: this size and nothing else. */
static bool
receives_size(int fd, uint16_t rows)
{
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	struct wire_size size = { .rows = rows, .columns = 111 };
	char got[256];
	wire_add_size(&want, WIRE_SIZE, size);
	return CHECK_INT(recv(fd, got, sizeof(got), 0), (intmax_t)want.len) &&
	    CHECK(memcmp(got, want.buf, want.len) == 0);
}

/*
 * A program sees only the last of two sizes that come together, and would not
 * draw anew.
 */
static void
sizes_are_apart_after_a_stop(void)
{
	const struct timeval patience = { 20, 0 };
	cleanup_strbuf struct strbuf end = STRBUF_INIT;
	int ends[2];
	int status = -1;
	int master = -1;
	int slave = -1;
	if (!viewer_open_terminal(&master, &slave))
		return;
	CHECK_INT(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	CHECK_INT(setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience,
		      sizeof(patience)),
	    0);
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		be_shell(ends, slave);
	(void)close(ends[0]);
	CHECK(receives_size(ends[1], 33));
	int64_t start = monotime_ms();
	pid_t group = tcgetpgrp(master);
	if (CHECK(group > 1))
		CHECK_INT(kill(-group, SIGTSTP), 0);
	CHECK(receives_size(ends[1], 32));
	CHECK(receives_size(ends[1], 33));
	CHECK(monotime_ms() - start >= 100);
	wire_add_exit(&end, 3, "");
	CHECK_INT(
	    send(ends[1], end.buf, end.len, MSG_NOSIGNAL), (intmax_t)end.len);
	(void)close(ends[1]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(WEXITSTATUS(status), 3);
	(void)close(slave);
	(void)close(master);
}

static void
key_detaches_and_another_attaches(void)
{
	static const char *const keys[] = { "\x1c", "\033[92;5u" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct kit kit;
		struct viewer v = { .kit = &kit,
			.tty = true,
			/* Modes that are not in what is on the screen. */
			.script = "printf '\\033[?2031h\\033[?66;1016h';"
				  "printf '\\033[2J'; echo ready; read x;"
				  "echo got $x; read y; exit 6" };
		struct viewer w = { .kit = &kit, .tty = true, .view = true };
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_strbuf struct strbuf again = STRBUF_INIT;
		struct termios after;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		CHECK(viewer_read_for(v.in, &out, "ready"));
		cleanup_free char *text = xasprintf("typed\r%sz", keys[i]);
		CHECK(viewer_type(v.in, text));
		struct viewer_result r = viewer_wait(&v);
		CHECK_INT(r.outcome.end, ATTACH_DETACHED);
		CHECK_INT(r.outcome.status, 0);
		CHECK_INT(tcgetattr(v.slave, &after), 0);
		CHECK(after.c_lflag & ICANON);
		if (!viewer_start(&w))
			return;
		CHECK(viewer_read_for(w.in, &again, "got typed"));
		CHECK(strstr(again.buf, "\033[?66h") != NULL);
		CHECK(strstr(again.buf, "\033[?1016h") != NULL);
		CHECK(strstr(again.buf, "\033[?2031h") != NULL);
		CHECK(viewer_type(w.in, "\r"));
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
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready"));
	CHECK_INT(kill(kit.pid, SIGSTOP), 0);
	bool taken = type_much(v.in, 1000000) && viewer_type(v.in, "\x1c");
	if (!taken)
		CHECK_INT(kill(v.pid, SIGTERM), 0);
	CHECK_INT(viewer_wait(&v).outcome.status, 0);
	CHECK_INT(kill(kit.pid, SIGKILL), 0);
	CHECK_INT(kit_wait(&kit), 137);
	(void)close(v.in);
	(void)close(v.slave);
}

/*
 * The kernel ends the input first, and then sends SIGHUP if this is the
 * controlling terminal.  What the viewer sees first decides: it leaves, or the
 * command gets the signal and ends.
 */
static void
terminal_gone_detaches(void)
{
	for (int controls = 0; controls < 2; controls++) {
		struct kit kit;
		struct viewer v = { .kit = &kit,
			.tty = true,
			.ends = true,
			.uncontrolled = controls == 0,
			.script = "echo ready; exec sleep 1000" };
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		CHECK(viewer_read_for(v.in, &out, "ready"));
		(void)close(v.in);
		(void)close(v.slave);
		struct viewer_result r = viewer_wait(&v);
		CHECK(r.outcome.end == ATTACH_DETACHED ||
		    (controls == 1 && r.outcome.end == ATTACH_EXITED));
		CHECK_INT(r.outcome.status, 129);
		CHECK_INT(kit_wait(&kit), 129);
	}
}

/* A terminal that knows no sequences gets none that the program did not send. */
static void
dumb_terminal_gets_no_reset(void)
{
	static const char *const terms[] = { "dumb", "" };
	for (size_t i = 0; i < ARRAY_SIZE(terms); i++) {
		struct kit kit;
		struct viewer v = { .kit = &kit,
			.tty = true,
			.ends = true,
			.term = terms[i],
			.script = "printf 'a\033[4h\033[?25l\033[6nb'" };
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		CHECK_INT(viewer_wait(&v).outcome.status, 0);
		(void)close(v.slave);
		viewer_read_rest(v.in, &out);
		CHECK_STR(out.buf, "a\033[4h\033[?25l\033[6nb");
		CHECK_INT(kit_wait(&kit), 0);
	}
}

/* Where leaving would end the command the key is the program's. */
static void
key_is_the_programs_where_none_can_leave(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.tty = true,
		.ends = true,
		.script = "trap 'echo quit; exit 3' QUIT; echo ready;"
			  "while :; do sleep 0.02; done" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.in, &out, "ready"));
	CHECK(viewer_type(v.in, "\034"));
	CHECK(viewer_read_for(v.in, &out, "quit"));
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_EXITED);
	CHECK_INT(r.outcome.status, 3);
	CHECK_INT(kit_wait(&kit), 3);
}

static const struct check_test tests[] = {
	{ "a terminal is raw meanwhile, and restored",
	    terminal_is_raw_and_restored },
	{ "nothing is written where nothing was set",
	    nothing_is_written_where_nothing_was_set },
	{ "pending answers reach nobody", pending_answers_reach_nobody },
	{ "a terminal that does not answer is waited for a moment",
	    silent_terminals_are_waited_for_a_moment },
	{ "modes are given back while it is stopped",
	    modes_are_given_back_while_stopped },
	{ "the two sizes after a stop come apart",
	    sizes_are_apart_after_a_stop },
	{ "an escape alone is typed", escape_alone_is_typed },
	{ "every stream to a terminal is filtered",
	    every_stream_to_a_terminal_is_filtered },
	{ "the key detaches, and another viewer attaches",
	    key_detaches_and_another_attaches },
	{ "the key is seen when the holder stopped",
	    key_is_seen_when_the_holder_stopped },
	{ "a terminal that is gone detaches", terminal_gone_detaches },
	{ "a dumb terminal gets no reset", dumb_terminal_gets_no_reset },
	{ "the key is the program's where none can leave",
	    key_is_the_programs_where_none_can_leave },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
