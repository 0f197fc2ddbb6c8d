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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/xalloc.h"
#include "check.h"
#include "holder-kit.h"
#include "viewer-kit.h"

#define BIG ((size_t)8 << 20)

static void
pipes_are_apart(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.ends = true,
		.script = "cat; echo err >&2; exit 42" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_type(v.in, "input"));
	(void)close(v.in);
	viewer_read_rest(v.out, &out);
	viewer_read_rest(v.err, &err);
	struct viewer_result r = viewer_wait(&v);
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
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *data = xmalloc(BIG);
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
	viewer_read_rest(v.out, &out);
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
		cleanup_strbuf struct strbuf err = STRBUF_INIT;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		if (v.tty) {
			CHECK(viewer_read_for(v.in, &err,
			    "drydock: no-such-command: not found\r\n"));
		} else {
			viewer_read_rest(v.err, &err);
			CHECK_STR(
			    err.buf, "drydock: no-such-command: not found\n");
		}
		struct viewer_result r = viewer_wait(&v);
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
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_DETACHED);
	CHECK_INT(r.outcome.status, 141);
	CHECK_INT(kit_wait(&kit), 129);
}

/* A file's own errors: /proc/self/mem has nothing at its begin. */
static void
failed_output_is_no_detaching(void)
{
	static const char *const paths[] = { "/proc/self/mem", "/dev/full" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct kit kit;
		struct viewer v = { .kit = &kit,
			.ends = true,
			.script = "trap '' PIPE; yes",
			.out_path = paths[i] };
		cleanup_strbuf struct strbuf err = STRBUF_INIT;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		struct viewer_result r = viewer_wait(&v);
		viewer_read_rest(v.err, &err);
		CHECK_INT(r.rc, -1);
		CHECK_INT(r.class, DIAG_IO);
		CHECK(strstr(err.buf, "write what it prints") != NULL);
		CHECK_INT(kit_wait(&kit), 129);
	}
}

/* Not ours to control, so that no signal says it. */
static void
output_terminal_gone_detaches(void)
{
	struct kit kit;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (!CHECK(master != -1 && unlockpt(master) == 0))
		return;
	struct viewer v = { .kit = &kit,
		.ends = true,
		.script = "trap '' PIPE; yes",
		.out_path = ptsname(master),
		.not_its = master };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(master, &out, "y"));
	(void)close(master);
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.rc, 0);
	CHECK_INT(r.outcome.end, ATTACH_DETACHED);
	CHECK_INT(r.outcome.status, 129);
	CHECK_INT(kit_wait(&kit), 129);
}

/* Else a command would take half of its input for all of it. */
static void
failed_input_is_no_end(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.ends = true,
		.script = "cat; echo whole; exec sleep 1000",
		.in_path = "/proc/self/mem" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	viewer_read_rest(v.out, &out);
	viewer_read_rest(v.err, &err);
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.rc, -1);
	CHECK_INT(r.class, DIAG_IO);
	CHECK_STR(out.buf, "");
	CHECK(strstr(err.buf, "read the input") != NULL);
	CHECK_INT(kit_wait(&kit), 129);
}

/* What nohup(1) gives: it may not be read. */
static void
no_input_is_an_end(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.ends = true,
		.script = "cat; echo whole",
		.in_path = "/dev/null",
		.in_flags = O_WRONLY };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	viewer_read_rest(v.out, &out);
	CHECK_STR(out.buf, "whole\n");
	CHECK_INT(viewer_wait(&v).outcome.status, 0);
	CHECK_INT(kit_wait(&kit), 0);
}

/* On pipes and on a terminal: what it prints then is read to the end. */
static void
signals_are_the_commands(void)
{
	static const char script[] =
	    "for s in TERM INT HUP QUIT; do trap \"echo got $s; exit 7\" $s;"
	    " done; echo ready; while :; do sleep 0.02; done";
	static const struct {
		int signal;
		const char *text;
	} rows[] = { { SIGTERM, "got TERM" }, { SIGINT, "got INT" },
		{ SIGHUP, "got HUP" }, { SIGQUIT, "got QUIT" } };
	for (size_t i = 0; i < 3 * ARRAY_SIZE(rows); i++) {
		struct kit kit;
		size_t row = i % ARRAY_SIZE(rows);
		bool dies = i >= 2 * ARRAY_SIZE(rows);
		struct viewer v = { .kit = &kit,
			.ends = true,
			.tty = i / ARRAY_SIZE(rows) == 1,
			.script =
			    dies ? "echo ready; exec sleep 1000" : script };
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		if (!kit_start(&kit, NULL) || !viewer_start(&v))
			return;
		int fd = v.tty ? v.in : v.out;
		CHECK(viewer_read_for(fd, &out, "ready"));
		CHECK_INT(kill(v.pid, rows[row].signal), 0);
		if (!dies)
			CHECK(viewer_read_for(fd, &out, rows[row].text));
		struct viewer_result r = viewer_wait(&v);
		int status = dies ? 128 + rows[row].signal : 7;
		CHECK_INT(r.outcome.end, ATTACH_EXITED);
		CHECK_INT(r.outcome.status, status);
		CHECK_INT(kit_wait(&kit), status);
	}
}

static void
command_that_heeds_no_signal_is_killed(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.script = "trap '' TERM; echo ready; while :; do sleep 0.1;"
			  " done" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.out, &out, "ready"));
	CHECK_INT(kill(v.pid, SIGTERM), 0);
	viewer_read_rest(v.err, &err);
	CHECK(strstr(err.buf, "10 s after SIGTERM") != NULL);
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_EXITED);
	CHECK_INT(r.outcome.status, 137);
	CHECK_INT(kit_wait(&kit), 137);
}

static void
ignored_signals_stay_ignored(void)
{
	struct kit kit;
	struct viewer v = { .kit = &kit,
		.script = "trap 'exit 9' HUP INT QUIT TERM; echo ready; read x;"
			  " exit 4" };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)signal(signals[i], SIG_IGN);
	bool ok = kit_start(&kit, NULL) && viewer_start(&v);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)signal(signals[i], SIG_DFL);
	if (!ok)
		return;
	CHECK(viewer_read_for(v.out, &out, "ready"));
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		CHECK_INT(kill(v.pid, signals[i]), 0);
	CHECK(viewer_type(v.in, "go\n"));
	struct viewer_result r = viewer_wait(&v);
	CHECK_INT(r.outcome.end, ATTACH_EXITED);
	CHECK_INT(r.outcome.status, 4);
	CHECK_INT(kit_wait(&kit), 4);
}

static void
killed_holder_is_lost(void)
{
	struct kit kit;
	struct viewer v = {
		.kit = &kit, .ends = true, .script = "echo ready; read x"
	};
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	if (!kit_start(&kit, NULL) || !viewer_start(&v))
		return;
	CHECK(viewer_read_for(v.out, &out, "ready"));
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
		    "sent no hello" },
		{ BYTES("\2\0\0\0\7\0\0\0no \033[2J"), true, DIAG_POLICY,
		    "refused: no \\033[2J" },
	};
#undef BYTES
	int listener = listen_as_holder(check_tmpdir());
	int run_fd = open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
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
	cleanup_diag struct diag dg = DIAG_INIT;
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
what_is_in_the_way_is_waited_out(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct holder_hello hello = { .running = false };
	struct kit kit;
	char path[300];
	int fd = -1;
	int owner = kit_shell(&kit, "read x", true, false);
	if (owner == -1)
		return;
	(void)snprintf(path, sizeof(path), "%s/holder.sock", kit.run);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(mkdir(path, 0700), 0);
	int run_fd = open(kit.run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(holder_connect(run_fd, 10000, &hello, &fd, &dg), 0);
	CHECK(hello.running);
	(void)kill(kit.pid, SIGKILL);
	(void)kit_wait(&kit);
	(void)close(owner);
	(void)close(fd);
	(void)close(run_fd);
}

static void
absent_socket_times_out(void)
{
	cleanup_diag struct diag dg = DIAG_INIT;
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
	{ "output that cannot be written is a failure",
	    failed_output_is_no_detaching },
	{ "output's terminal that is gone detaches",
	    output_terminal_gone_detaches },
	{ "input that cannot be read is a failure", failed_input_is_no_end },
	{ "input that may not be read is none", no_input_is_an_end },
	{ "signals are the command's", signals_are_the_commands },
	{ "a command that heeds no signal is killed",
	    command_that_heeds_no_signal_is_killed },
	{ "signals that the caller ignores stay ignored",
	    ignored_signals_stay_ignored },
	{ "a holder that is killed is lost", killed_holder_is_lost },
	{ "liars are told apart in time", liars_are_told_apart },
	{ "no link is followed to a socket", no_link_is_followed },
	{ "what is in the socket's way is waited out",
	    what_is_in_the_way_is_waited_out },
	{ "an absent socket times out", absent_socket_times_out },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
