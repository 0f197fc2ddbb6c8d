/* SPDX-License-Identifier: MIT */
/* forward and ports, against older, newer and lying holders and companions. */
#include "session/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
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
#include "base/loop.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "guest/wire.h"
#include "host/paths.h"
#include "host/settings.h"
#include "session/ports.h"
#include "session/record.h"

#include "base/moment.h"
#include "check.h"

#define ID "abcd1234"
#define INNER 3000
#define SECONDS 20
#define HELLO(oldest, flags, newest) \
	"\1\0\0\0\10\0\0\0" oldest "\0\0\0" flags "\0" newest "\0"
#define STARTED "\5\0\0\0\0\0\0\0"
#define BYTES(s) s, sizeof(s) - 1

static void
limit_wait(int fd)
{
	struct timeval patience = { SECONDS, 0 };

	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* A socket that listens in the session's directory. */
static int
listen_at(int session_fd, const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/%s",
	    session_fd, name);
	(void)unlink(un.sun_path);
	CHECK_INT(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	CHECK_INT(listen(fd, 8), 0);
	limit_wait(fd);
	return fd;
}

/* A contained session that has no process recorded: no companion starts. */
static int
make_session(struct paths *paths)
{
	cleanup_record struct record record = {
		.id = xstrdup(ID),
		.project = xstrdup("/p"),
		.agent = xstrdup("shell"),
		.mode = xstrdup("contained"),
		.mode_reason = xstrdup("default"),
		.kind = xstrdup("shell"),
		.engine_id = xstrdup("E"),
		.engine_data_root = xstrdup("/d"),
		.engine_socket = xstrdup("/s"),
		.created_at = moment_now(),
	};
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd;

	paths_init(paths);
	paths->uid = geteuid();
	paths->state_dir = xasprintf("%s/state", check_tmpdir());
	CHECK_INT(mkdir(paths->state_dir, 0700), 0);
	paths->state_fd =
	    open(paths->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(mkdirat(paths->state_fd, "sessions", 0700), 0);
	CHECK_INT(mkdirat(paths->state_fd, "sessions/" ID, 0700), 0);
	fd = openat(paths->state_fd, "sessions/" ID,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(mkdirat(fd, "run", 0700), 0);
	CHECK_INT(mkdirat(fd, "egress", 0711), 0);
	CHECK_INT(record_write(fd, &record, &dg), 0);
	return fd;
}

/*
 * Answers each connection with bytes: at once as a holder, or a request's line,
 * which closes it, as a companion.
 */
static pid_t
answer_all(int listener, const void *bytes, size_t len, bool closes)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	for (;;) {
		char request[256];
		int c = accept(listener, NULL, NULL);

		if (c == -1)
			_exit(0);
		if (closes)
			(void)recv(c, request, sizeof(request), 0);
		(void)send(c, bytes, len, MSG_NOSIGNAL);
		if (closes)
			(void)close(c);
	}
}

static void
end_child(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* Takes the lock, as a companion does. */
static pid_t
keep_lock(int session_fd)
{
	int pipe_fds[2];
	char c;
	pid_t pid;

	CHECK_INT(pipe(pipe_fds), 0);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = openat(session_fd, "companion",
		    O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
			CHECK_INT(write(pipe_fds[1], "x", 1), 1);
		for (;;)
			(void)pause();
	}
	(void)close(pipe_fds[1]);
	CHECK_INT(read(pipe_fds[0], &c, 1), 1);
	(void)close(pipe_fds[0]);
	return pid;
}

static void
versions_are_told_apart(void)
{
	static const struct {
		const char *hello; /* of the holder */
		size_t len;
		const char *answer; /* of the companion; NULL: has no socket */
		enum diag_class class;
		const char *said;
		uint16_t outer; /* without a failure */
	} rows[] = {
		{ BYTES(HELLO("\1", "\1", "\0")), NULL, DIAG_ENGINE,
		    "whose holder serves no ports", 0 },
		{ BYTES(HELLO("\1", "\1", "\2")), NULL, DIAG_ENGINE,
		    "whose holder serves no ports", 0 },
		{ BYTES(HELLO("\1", "\0", "\3")), NULL, DIAG_BUSY,
		    "is being started", 0 },
		{ BYTES(HELLO("\4", "\1", "\5")), NULL, DIAG_DATA,
		    "the holder speaks version 4", 0 },
		{ BYTES(HELLO("\1", "\1", "\3")), NULL, DIAG_ENGINE,
		    "is an older drydock's, which serves no ports", 0 },
		{ BYTES(HELLO("\1", "\1", "\11")), "ok 8080", DIAG_NONE, NULL,
		    8080 },
		{ BYTES(HELLO("\1", "\1", "\3")), "no 98", DIAG_IO,
		    "port 3000 of the host is taken", 0 },
		{ BYTES(HELLO("\1", "\1", "\3")), "no 22", DIAG_ENGINE,
		    "is an older drydock's, which serves no ports", 0 },
		{ BYTES(HELLO("\1", "\1", "\3")), "", DIAG_DATA,
		    "gave no answer", 0 },
		{ BYTES(HELLO("\1", "\1", "\3")), "no 99999999999", DIAG_DATA,
		    "gave no answer", 0 },
		{ BYTES(HELLO("\1", "\1", "\3")), "ok 80808", DIAG_DATA,
		    "gave no answer", 0 },
		{ BYTES(HELLO("\1", "\1", "\3")), "ok ", DIAG_DATA,
		    "gave no answer", 0 },
	};
	static const char *const none[] = { NULL };
	cleanup_paths struct paths paths;
	cleanup_close int session_fd = make_session(&paths);
	cleanup_close int holder = listen_at(session_fd, "run/holder.sock");
	cleanup_close int proxy = listen_at(session_fd, "egress/egress.sock");
	struct settings settings = { .ssh_agent = false };
	struct engine engine = ENGINE_INIT;
	const struct join_spec spec = { &paths, &settings, none, &engine };
	pid_t lock = keep_lock(session_fd);

	(void)proxy;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_diag struct diag dg = DIAG_INIT;
		struct port port = { INNER, INNER, 0 };
		pid_t own =
		    answer_all(holder, rows[i].hello, rows[i].len, false);
		cleanup_close int control = rows[i].answer == NULL
		    ? -1
		    : listen_at(session_fd, "companion.sock");
		pid_t companion = control == -1
		    ? 0
		    : answer_all(control, rows[i].answer,
			  strlen(rows[i].answer), true);

		CHECK_INT(forward_add(&spec, ID, &port, &dg),
		    rows[i].class == DIAG_NONE ? 0 : -1);
		CHECK_INT(dg.class, rows[i].class);
		if (rows[i].said != NULL &&
		    !CHECK(dg.message != NULL &&
			strstr(dg.message, rows[i].said) != NULL))
			CHECK_STR(dg.message, rows[i].said);
		if (rows[i].class == DIAG_NONE)
			CHECK_INT(port.outer, rows[i].outer);
		end_child(own);
		end_child(companion);
	}
	end_child(lock);
}

/* Serves the list of the session, as a companion; *ret_outer is the port. */
static pid_t
serve_ports(int session_fd, uint16_t *ret_outer)
{
	int pipe_fds[2];
	pid_t pid;

	CHECK_INT(pipe(pipe_fds), 0);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct loop *loop = xcalloc(1, sizeof(*loop));
		struct ports *ports = xcalloc(1, sizeof(*ports));
		cleanup_strbuf struct strbuf answer = STRBUF_INIT;
		uint16_t outer = 0;

		loop_init(loop);
		ports_open(ports, loop, session_fd);
		if (ports_request(ports, "port add 3000:0", &answer))
			outer = (uint16_t)strtoul(answer.buf + 3, NULL, 10);
		CHECK_INT(
		    write(pipe_fds[1], &outer, sizeof(outer)), sizeof(outer));
		loop_run(loop);
		_exit(0);
	}
	(void)close(pipe_fds[1]);
	CHECK_INT(read(pipe_fds[0], ret_outer, sizeof(*ret_outer)),
	    sizeof(*ret_outer));
	(void)close(pipe_fds[0]);
	return pid;
}

static int
connect_port(uint16_t port)
{
	const struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK_INT(connect(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	limit_wait(fd);
	return fd;
}

/*
 * A holder gets the frame for a port only if it offered the version, and a
 * client's connection breaks at the first wrong byte.
 */
static void
holders_get_what_they_know(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool asked; /* the port is requested */
		const char *data; /* that the client gets; NULL: is reset */
	} rows[] = {
		{ BYTES(HELLO("\1", "\1", "\0")), false, NULL },
		{ BYTES(HELLO("\1", "\1", "\2")), false, NULL },
		{ BYTES(HELLO("\4", "\1", "\5")), false, NULL },
		{ BYTES("\2\0\0\0\2\0\0\0no"), false, NULL },
		{ BYTES(STARTED), false, NULL },
		{ BYTES("\1\0\0\0\377\377\377\377"), false, NULL },
		{ BYTES("GET / HTTP/1.1\r\n"), false, NULL },
		{ BYTES(HELLO("\1", "\1", "\3") HELLO("\1", "\1", "\3")), true,
		    NULL },
		{ BYTES(HELLO("\1", "\1", "\3") "\2\0\0\0\2\0\0\0no"), true,
		    NULL },
		{ BYTES(HELLO("\1", "\1", "\3") STARTED "data"), true, "data" },
		{ BYTES(HELLO("\1", "\1", "\11") STARTED "x"), true, "x" },
	};
	cleanup_paths struct paths paths;
	cleanup_close int session_fd = make_session(&paths);
	cleanup_close int holder = listen_at(session_fd, "run/holder.sock");
	uint16_t outer = 0;
	pid_t server = serve_ports(session_fd, &outer);

	CHECK(outer != 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static const char port[] = "\17\0\0\0\2\0\0\0\270\13";
		cleanup_close int client = connect_port(outer);
		cleanup_close int fd = accept(holder, NULL, NULL);
		char got[128] = "";
		ssize_t n = 0;

		limit_wait(fd);
		CHECK_INT(send(fd, rows[i].bytes, rows[i].len, MSG_NOSIGNAL),
		    rows[i].len);
		if (rows[i].data != NULL) {
			n = recv(
			    client, got, strlen(rows[i].data), MSG_WAITALL);
			CHECK_INT(n, strlen(rows[i].data));
			CHECK_STR(got, rows[i].data);
			n = recv(fd, got, 26, MSG_WAITALL);
		} else {
			CHECK_INT(recv(client, got, 1, 0), -1);
			CHECK_INT(errno, ECONNRESET);
			n = recv(fd, got, sizeof(got), MSG_WAITALL);
		}
		/* The hello, with no digest, and the port. */
		CHECK_INT(n > 0 ? n : 0, rows[i].asked ? 26 : 0);
		if (rows[i].asked && n == 26)
			CHECK_INT(memcmp(got + 16, port, sizeof(port) - 1), 0);
	}
	end_child(server);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "an older holder or companion is named",
		    versions_are_told_apart },
		{ "a holder gets no frame that it does not know",
		    holders_get_what_they_know },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
