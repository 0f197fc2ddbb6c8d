/* SPDX-License-Identifier: MIT */
/* The real holder: statuses, streams, viewers, and clients that mean harm. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/monotime.h"
#include "base/xalloc.h"
#include "check.h"
#include "holder-kit.h"

#define BIG ((size_t)8 << 20)

static void
statuses_come_back(void)
{
	static const struct {
		const char *argv[4];
		const char *cwd;
		int status;
		const char *text;
	} rows[] = {
		{ { "true" }, NULL, 0, "" },
		{ { "false" }, NULL, 1, "" },
		{ { "sh", "-c", "exit 42" }, NULL, 42, "" },
		{ { "sh", "-c", "exit 255" }, NULL, 255, "" },
		{ { "sh", "-c", "kill -9 $$" }, NULL, 137, "" },
		{ { "sh", "-c", "kill -TERM $$" }, NULL, 143, "" },
		{ { "no-such-command" }, NULL, 127,
		    "no-such-command: not found" },
		{ { "/etc/passwd" }, NULL, 126,
		    "/etc/passwd: Permission denied" },
		{ { "true" }, "/no/such/dir", 126,
		    "change to /no/such/dir: No such file or directory" },
	};
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		size_t row = i / 2;
		struct kit_go go = { i % 2 == 1, false, rows[row].argv, NULL,
			rows[row].cwd };
		if (!kit_start(&kit, NULL))
			return;
		int fd = kit_greet(&kit, NULL);
		(void)kit_go(fd, &go);
		kit_collect(fd, &o);
		CHECK_INT(o.status, rows[row].status);
		CHECK_STR(o.text, rows[row].text);
		CHECK_INT(o.started, rows[row].text[0] == '\0');
		CHECK_INT(kit_wait(&kit), rows[row].status);
		kit_output_release(&o);
	}
}

/* A child that writes all of data to the command's stdin. */
static pid_t
feed(int fd, const struct strbuf *data)
{
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	bool ok = true;
	for (size_t at = 0; ok && at < data->len;) {
		size_t n = data->len - at < 50000 ? data->len - at : 50000;
		ok = kit_send_frame(fd, WIRE_INPUT, data->buf + at, n);
		at += n;
	}
	ok = ok && kit_send_frame(fd, WIRE_INPUT_END, NULL, 0);
	_exit(ok ? 0 : 1);
}

static void
fill_random(struct strbuf *data, size_t len)
{
	uint32_t x = 2463534242U;
	strbuf_reserve(data, len);
	while (data->len < len) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		strbuf_add(data, &x, sizeof(x));
	}
}

static void
streams_are_byte_clean(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	cleanup_strbuf struct strbuf data = STRBUF_INIT;
	int status = -1;
	fill_random(&data, BIG);
	int fd = kit_shell(&kit, "tee /dev/fd/2", false, true);
	if (fd == -1)
		return;
	pid_t feeder = feed(fd, &data);
	kit_collect(fd, &o);
	CHECK_INT(waitpid(feeder, &status, 0), feeder);
	CHECK_INT(status, 0);
	CHECK_INT(o.status, 0);
	CHECK_INT(o.out.len, BIG);
	CHECK_INT(o.err.len, BIG);
	CHECK(o.out.len == BIG && memcmp(o.out.buf, data.buf, BIG) == 0);
	CHECK(o.err.len == BIG && memcmp(o.err.buf, data.buf, BIG) == 0);
	CHECK_INT(kit_wait(&kit), 0);
	kit_output_release(&o);
}

static bool
is_there(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

static void
slow_reader_holds_the_command_back(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	char done[200];
	cleanup_free char *script = NULL;
	(void)snprintf(done, sizeof(done), "%s/done", check_tmpdir());
	script =
	    xasprintf("head -c %zu /dev/zero; touch %s; exit 3", BIG, done);
	int fd = kit_shell(&kit, script, false, true);
	if (fd == -1)
		return;
	(void)usleep(300000);
	CHECK(!is_there(done));
	kit_collect(fd, &o);
	CHECK_INT(o.out.len, BIG);
	CHECK_INT(o.status, 3);
	CHECK_INT(kit_wait(&kit), 3);
	kit_output_release(&o);
}

static void
client_gone_ends_the_command(void)
{
	static const struct {
		const char *script;
		int status;
		bool tty, ends, fill;
	} rows[] = {
		{ "trap 'exit 7' HUP; echo ready; while :; do sleep .05; done",
		    7, false, false, false },
		{ "echo ready; exec sleep 1000", 129, false, false, true },
		{ "trap 'exit 8' HUP; echo ready; while :; do sleep .05; done",
		    8, true, true, false },
		{ "echo ready; exec sleep 1000", 129, true, true, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		cleanup_free char *many = xcalloc(1, WIRE_PAYLOAD_MAX);
		int fd =
		    kit_shell(&kit, rows[i].script, rows[i].tty, rows[i].ends);
		if (fd == -1)
			return;
		CHECK(kit_read_until(fd, &o, "ready"));
		cleanup_strbuf struct strbuf frame = STRBUF_INIT;
		wire_add(&frame, WIRE_INPUT, many, WIRE_PAYLOAD_MAX);
		ssize_t n = rows[i].fill ? 1 : 0;
		while (n > 0)
			n = send(fd, frame.buf, frame.len,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)close(fd);
		CHECK_INT(kit_wait(&kit), rows[i].status);
		kit_output_release(&o);
	}
}

static void
terminal_outlives_its_viewer(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output again = KIT_OUTPUT_INIT;
	struct wire_hello hello;
	cleanup_strbuf struct strbuf frames = STRBUF_INIT;
	int fd = kit_shell(&kit,
	    "tty -s && stty size; echo first; read x; stty size; echo got $x;"
	    "exit 9",
	    true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "first"));
	CHECK(strstr(o.out.buf, "30 100") != NULL);
	(void)close(fd);
	fd = kit_greet(&kit, &hello);
	CHECK_INT(hello.flags, WIRE_HELLO_RUNNING | WIRE_HELLO_TTY);
	wire_add_size(&frames, WIRE_VIEW, (struct wire_size){ 40, 120 });
	CHECK(kit_send(fd, &frames));
	CHECK(kit_read_until(fd, &again, "first"));
	strbuf_reset(&frames);
	wire_add_size(&frames, WIRE_SIZE, (struct wire_size){ 41, 121 });
	wire_add(&frames, WIRE_INPUT, "word\r", 5);
	CHECK(kit_send(fd, &frames));
	kit_collect(fd, &again);
	CHECK(strstr(again.out.buf, "41 121") != NULL);
	CHECK(strstr(again.out.buf, "got word") != NULL);
	CHECK_INT(again.status, 9);
	CHECK_INT(kit_wait(&kit), 9);
	kit_output_release(&o);
	kit_output_release(&again);
}

/* The modes in which it was drawn first, those that it ends in last. */
static void
replay_has_the_modes(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output again = KIT_OUTPUT_INIT;
	cleanup_strbuf struct strbuf frames = STRBUF_INIT;
	int fd = kit_shell(&kit,
	    "printf '\\033[3;9r\\033[?6h\\033[4h\\033[5 q\\033[2J';"
	    "printf '\\033[2;4rdrawn\\033[?25;6lready'; read x; exit 9",
	    true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	(void)close(fd);
	fd = kit_greet(&kit, NULL);
	wire_add_size(&frames, WIRE_VIEW, (struct wire_size){ 40, 120 });
	CHECK(kit_send(fd, &frames));
	CHECK(kit_read_until(fd, &again, "ready"));
	CHECK(kit_send_frame(fd, WIRE_INPUT, "\r", 1));
	kit_collect(fd, &again);
	CHECK_STR(again.out.buf,
	    "\033[!p\033[0m\033[?25l\033[3;9r\033[?6h\033[2J\033[H"
	    "\033[2J\033[2;4rdrawn\033[?25;6lready\033[4h\033[5 q\r\n");
	CHECK_INT(kit_wait(&kit), 9);
	kit_output_release(&o);
	kit_output_release(&again);
}

static void
terminal_output_is_whole(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	for (int i = 1; i <= 100000; i++)
		strbuf_addf(&want, "%d\r\n", i);
	int fd = kit_shell(&kit, "seq 1 100000", true, true);
	if (fd == -1)
		return;
	kit_collect(fd, &o);
	CHECK_INT(o.out.len, want.len);
	CHECK(strcmp(o.out.buf, want.buf) == 0);
	CHECK_INT(o.status, 0);
	CHECK_INT(kit_wait(&kit), 0);
	kit_output_release(&o);
}

static void
left_behind_process_delays_nothing(void)
{
	for (int tty = 0; tty < 2; tty++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		int fd =
		    kit_shell(&kit, "trap '' HUP; sleep 1000 & echo $!; exit 6",
			tty == 1, true);
		if (fd == -1)
			return;
		kit_collect(fd, &o);
		CHECK_INT(o.status, 6);
		CHECK_INT(kit_wait(&kit), 6);
		pid_t left = (pid_t)strtol(o.out.buf, NULL, 10);
		if (CHECK(left > 1))
			CHECK_INT(kill(left, SIGKILL), 0);
		kit_output_release(&o);
	}
}

static void
command_inherits_nothing(void)
{
	/*
	 * The C library keeps signals 32 and 33 to itself; its posix_spawn()
	 * leaves them ignored (so does make's), and nobody can put them back.
	 */
	static const char *const argv[] = { "sh", "-c",
		"env | grep -v -e ^PWD= -e ^OLDPWD= -e ^SHLVL= -e ^_= |"
		"sort;"
		"ls /proc/self/fd | tr '\\n' ' '; grep -E '^Sig(Blk|Ign)' "
		"/proc/self/status | sed 's/0180000000$/0000000000/'; umask",
		NULL };
	static const char *const envp[] = { "PATH=/usr/bin:/bin", "X=y z",
		NULL };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_go go = { false, true, argv, envp, NULL };
	mode_t old = umask(027);
	bool ok = kit_start(&kit, NULL);
	(void)umask(old);
	if (!ok)
		return;
	int fd = kit_greet(&kit, NULL);
	(void)kit_go(fd, &go);
	kit_collect(fd, &o);
	CHECK_STR(o.out.buf,
	    "PATH=/usr/bin:/bin\nX=y z\n"
	    "0 1 2 3 SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0027\n");
	CHECK_INT(kit_wait(&kit), 0);
	kit_output_release(&o);
}

/* Connects and sends these bytes; the connection, for as long as it is held. */
static int
annoy(struct kit *kit, bool greet, const void *bytes, size_t len)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/holder.sock", kit->run);
	int fd = greet ? kit_greet(kit, NULL) : kit_connect(path);
	(void)send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return fd;
}

static void
hostile_clients_do_no_harm(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	cleanup_strbuf struct strbuf junk = STRBUF_INIT;
	int fds[60];
	size_t n = 0;
	int fd = kit_shell(
	    &kit, "echo ready; read x; echo got $x; exit 4", true, false);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	fill_random(&junk, 100000);
	for (int i = 0; i < 5; i++) {
		fds[n++] = annoy(&kit, false, junk.buf + i, junk.len - 100);
		fds[n++] = annoy(&kit, true, junk.buf + i, junk.len - 100);
		fds[n++] = annoy(&kit, false, "", 0);
		fds[n++] = annoy(&kit, true, "\10\0\0\0\377\377\377\377", 8);
		fds[n++] = annoy(&kit, true, "\10\0\0\0\377\377\0\0half", 12);
		fds[n++] = annoy(&kit, true, "\4", 1);
		fds[n++] = annoy(&kit, true, "\10\0\0\0\1\0\0\0x", 9);
	}
	/* The oldest are sent away first: a new viewer still comes in. */
	int late = kit_greet(&kit, NULL);
	cleanup_strbuf struct strbuf frames = STRBUF_INIT;
	wire_add_size(&frames, WIRE_VIEW, (struct wire_size){ 30, 100 });
	wire_add(&frames, WIRE_INPUT, "word\r", 5);
	CHECK(kit_send(late, &frames));
	kit_collect(late, &o);
	CHECK(strstr(o.out.buf, "got word") != NULL);
	CHECK_INT(o.status, 4);
	CHECK_INT(kit_wait(&kit), 4);
	while (n > 0)
		(void)close(fds[--n]);
	(void)close(fd);
	kit_output_release(&o);
}

/* Connections to ports come in bursts, which an earlier client shall survive. */
static void
viewers_are_dropped_last(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	int fds[18];
	int fd = kit_shell(
	    &kit, "echo ready; read x; echo got $x; exit 4", true, false);

	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &o, "ready"));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		cleanup_strbuf struct strbuf view = STRBUF_INIT;

		fds[i] = kit_greet(&kit, NULL);
		wire_add_size(&view, WIRE_VIEW, (struct wire_size){ 30, 100 });
		if (i < 10)
			CHECK(kit_send(fds[i], &view));
	}
	CHECK(kit_send_frame(fd, WIRE_INPUT, "word\r", 5));
	kit_collect(fd, &o);
	CHECK_INT(o.status, 4);
	CHECK_INT(kit_wait(&kit), 4);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	(void)close(fd);
	kit_output_release(&o);
}

static void
second_go_is_refused(void)
{
	static const char *const argv[] = { "true", NULL };
	struct kit kit;
	struct kit_output first = KIT_OUTPUT_INIT;
	struct kit_output second = KIT_OUTPUT_INIT;
	struct kit_go go = { false, true, argv, NULL, NULL };
	int fd = kit_shell(&kit, "echo ready; cat; exit 4", false, true);
	if (fd == -1)
		return;
	CHECK(kit_read_until(fd, &first, "ready"));
	int other = kit_greet(&kit, NULL);
	CHECK(kit_go(other, &go));
	kit_collect(other, &second);
	CHECK_STR(second.text, "a command was given already");
	CHECK_INT(second.status, -1);
	CHECK(kit_send_frame(fd, WIRE_INPUT_END, NULL, 0));
	kit_collect(fd, &first);
	CHECK_INT(first.status, 4);
	CHECK_INT(kit_wait(&kit), 4);
	kit_output_release(&first);
	kit_output_release(&second);
}

static void
endless_go_is_refused(void)
{
	static const char *const argv[] = { "true", NULL };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	struct kit_output next = KIT_OUTPUT_INIT;
	struct kit_go go = { false, true, argv, NULL, NULL };
	cleanup_free char *part = xcalloc(1, WIRE_PAYLOAD_MAX);
	if (!kit_start(&kit, NULL))
		return;
	int fd = kit_greet(&kit, NULL);
	for (int i = 0; i < 17; i++)
		(void)kit_send_frame(fd, WIRE_GO_PART, part, WIRE_PAYLOAD_MAX);
	kit_collect(fd, &o);
	CHECK_STR(o.text, "the go message is too long");
	/* It was no command: the next one is the first. */
	fd = kit_greet(&kit, NULL);
	CHECK(kit_go(fd, &go));
	kit_collect(fd, &next);
	CHECK_INT(next.status, 0);
	CHECK_INT(kit_wait(&kit), 0);
	kit_output_release(&o);
	kit_output_release(&next);
}

static void
told_to_end_it_ends(void)
{
	struct kit kit;
	if (!kit_start(&kit, NULL))
		return;
	int fd = kit_greet(&kit, NULL);
	CHECK_INT(kill(kit.pid, SIGTERM), 0);
	CHECK_INT(kit_wait(&kit), 143);
	(void)close(fd);
	/* One that may go on later is told no status, and leaves 143. */
	for (int bound = 0; bound < 2; bound++) {
		struct kit_output o = KIT_OUTPUT_INIT;
		fd = kit_shell(&kit, "trap 'exit 3' HUP; echo ready; read x",
		    true, bound == 1);
		CHECK(kit_read_until(fd, &o, "ready"));
		CHECK_INT(kill(kit.pid, SIGTERM), 0);
		kit_collect(fd, &o);
		CHECK_INT(o.status, bound == 1 ? 3 : -1);
		CHECK_INT(kit_wait(&kit), bound == 1 ? 3 : 143);
		kit_output_release(&o);
	}
}

static void
what_stands_at_the_socket_is_replaced(void)
{
	static const char *const argv[] = { "true", NULL };
	for (int kind = 0; kind < 3; kind++) {
		struct kit kit;
		struct kit_output o = KIT_OUTPUT_INIT;
		struct kit_go go = { false, true, argv, NULL, NULL };
		char path[300];
		if (!kit_make(&kit))
			return;
		(void)snprintf(path, sizeof(path), "%s/holder.sock", kit.run);
		CHECK_INT(kind == 0 ? mknod(path, S_IFSOCK | 0600, 0)
			: kind == 1 ? symlink("/etc/passwd", path)
				    : mkfifo(path, 0600),
		    0);
		const char *const args[] = { "hold", "--build", "--run",
			kit.run, "--policy", kit.policy, "--manifest",
			kit.manifest, NULL };
		if (!kit_spawn(&kit, args))
			return;
		int fd = kit_greet(&kit, NULL);
		CHECK(kit_go(fd, &go));
		kit_collect(fd, &o);
		CHECK_INT(kit_wait(&kit), 0);
		kit_output_release(&o);
	}
}

/* What a command can do to the socket's file, by the number of the row. */
static bool
take_socket_away(const char *run, int row)
{
	char path[300];
	char other[300];
	(void)snprintf(path, sizeof(path), "%s/holder.sock", run);
	(void)snprintf(other, sizeof(other), "%s/other", run);
	if (row == 0)
		return rename(path, other) == 0;
	if (unlink(path) == -1)
		return false;
	if (row == 1)
		return true;
	if (row == 2)
		return mknod(path, S_IFSOCK | 0600, 0) == 0;
	if (row == 3)
		return symlink("other", path) == 0;
	(void)snprintf(other, sizeof(other), "%s/holder.sock/x", run);
	return mkdir(path, 0700) == 0 && (row == 4 || mkdir(other, 0700) == 0);
}

static bool
is_socket(const char *path, ino_t not )
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_ino != not ;
}

static void
socket_that_is_taken_away_comes_back(void)
{
	for (int row = 0; row < 6; row++) {
		struct kit kit;
		struct kit_output first = KIT_OUTPUT_INIT;
		struct kit_output second = KIT_OUTPUT_INIT;
		struct wire_hello hello = { .flags = 0 };
		cleanup_strbuf struct strbuf view = STRBUF_INIT;
		char path[300];
		struct stat taken = { .st_ino = 0 };
		int fd =
		    kit_shell(&kit, "echo ready; read x; exit 7", true, false);
		if (fd == -1)
			return;
		(void)snprintf(path, sizeof(path), "%s/holder.sock", kit.run);
		CHECK(kit_read_until(fd, &first, "ready"));
		CHECK(take_socket_away(kit.run, row));
		(void)lstat(path, &taken);
		int64_t deadline = monotime_ms() + 10000;
		while (
		    !is_socket(path, taken.st_ino) && monotime_ms() < deadline)
			(void)usleep(10000);
		if (!CHECK(is_socket(path, taken.st_ino))) {
			(void)kill(kit.pid, SIGKILL);
			return;
		}
		int viewer = kit_greet(&kit, &hello);
		CHECK(hello.flags & WIRE_HELLO_RUNNING);
		wire_add_size(&view, WIRE_VIEW, (struct wire_size){ 24, 80 });
		CHECK(kit_send(viewer, &view));
		CHECK(kit_read_until(viewer, &second, "ready"));
		CHECK(kit_send_frame(viewer, WIRE_INPUT, "\n", 1));
		kit_collect(viewer, &second);
		CHECK_INT(second.status, 7);
		/* Who was there before has lost nothing. */
		kit_collect(fd, &first);
		CHECK_INT(first.status, 7);
		CHECK_INT(kit_wait(&kit), 7);
		kit_output_release(&first);
		kit_output_release(&second);
	}
}

static void
broken_guardrails_are_refused(void)
{
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	char path[300];
	if (!kit_make(&kit))
		return;
	(void)snprintf(
	    path, sizeof(path), "%s/settings.d/one.json", kit.policy);
	CHECK_INT(chmod(path, 0644), 0);
	const char *const args[] = { "hold", "--build", "--run", kit.run,
		"--policy", kit.policy, "--manifest", kit.manifest, NULL };
	if (!kit_spawn(&kit, args))
		return;
	(void)snprintf(path, sizeof(path), "%s/holder.sock", kit.run);
	int fd = kit_connect(path);
	kit_collect(fd, &o);
	CHECK(strstr(o.text, "settings.d/one.json: mode 0644") != NULL);
	CHECK_INT(kit_wait(&kit), 77);
	kit_read_error(&kit, &err);
	CHECK(strstr(err.buf, "settings.d/one.json: mode 0644") != NULL);
	kit_output_release(&o);
}

static void
without_a_command_it_ends(void)
{
	static const char *const more[] = { "--wait", "2000", NULL };
	struct kit kit;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (!kit_start(&kit, more))
		return;
	int fd = kit_greet(&kit, NULL);
	CHECK_INT(kit_wait(&kit), 75);
	kit_read_error(&kit, &err);
	CHECK_STR(err.buf, "drydock: no command was given in time\n");
	(void)close(fd);
}

/* As a launcher does that is killed before go. */
static void
client_gone_without_a_command_ends_it(void)
{
	static const char *const fewer[] = { "--wait", "30000", NULL };
	static const char *const argv[] = { "sh", "-c", "exit 3", NULL };
	const struct kit_go go = { false, true, argv, NULL, NULL };
	struct kit kit;
	struct kit_output o = KIT_OUTPUT_INIT;
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	if (!kit_start(&kit, fewer))
		return;
	int64_t before = monotime_ms();
	(void)close(kit_greet(&kit, NULL));
	CHECK_INT(kit_wait(&kit), 75);
	CHECK(monotime_ms() - before < 20000);
	kit_read_error(&kit, &err);
	CHECK_STR(err.buf, "drydock: no command was given in time\n");
	/* Not while another is there. */
	if (!kit_start(&kit, fewer))
		return;
	int other = kit_greet(&kit, NULL);
	(void)close(kit_greet(&kit, NULL));
	(void)usleep(3000000);
	(void)kit_go(other, &go);
	kit_collect(other, &o);
	CHECK_INT(o.status, 3);
	CHECK_INT(kit_wait(&kit), 3);
	kit_output_release(&o);
}

static void
bad_usage_is_said(void)
{
	static const char *const rows[][4] = {
		{ "nothing" },
		{ "hold", "--port", "0" },
		{ "hold", "--port", "65536" },
		{ "hold", "--wait", "-1" },
		{ "hold", "--run" },
		{ "egress", "x" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kit kit;
		if (!kit_make(&kit) || !kit_spawn(&kit, rows[i]))
			return;
		CHECK_INT(kit_wait(&kit), 64);
	}
}

static const struct check_test tests[] = {
	{ "statuses come back, on pipes and on a terminal",
	    statuses_come_back },
	{ "stdin, stdout and stderr are byte-clean and apart",
	    streams_are_byte_clean },
	{ "a slow reader holds the command back and loses nothing",
	    slow_reader_holds_the_command_back },
	{ "a client that is gone ends the command",
	    client_gone_ends_the_command },
	{ "a terminal outlives its viewer, and shows the next one",
	    terminal_outlives_its_viewer },
	{ "what a viewer sees has the terminal's modes", replay_has_the_modes },
	{ "what a terminal was told comes whole", terminal_output_is_whole },
	{ "a process left behind delays nothing",
	    left_behind_process_delays_nothing },
	{ "the command inherits nothing but what it was given",
	    command_inherits_nothing },
	{ "hostile clients do no harm", hostile_clients_do_no_harm },
	{ "viewers are dropped last", viewers_are_dropped_last },
	{ "a second go is refused", second_go_is_refused },
	{ "an endless go is refused", endless_go_is_refused },
	{ "told to end, it ends", told_to_end_it_ends },
	{ "what stands at the socket's place is replaced",
	    what_stands_at_the_socket_is_replaced },
	{ "a socket that the command takes away comes back",
	    socket_that_is_taken_away_comes_back },
	{ "broken guardrails are refused by name",
	    broken_guardrails_are_refused },
	{ "without a command it ends by itself", without_a_command_it_ends },
	{ "a client gone without a command ends it",
	    client_gone_without_a_command_ends_it },
	{ "bad usage is said", bad_usage_is_said },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
