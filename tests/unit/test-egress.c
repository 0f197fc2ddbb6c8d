/* SPDX-License-Identifier: MIT */
/* egress: what counts as the proxy's own refusal, and a proxy that is none. */
#include "session/egress.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "guest/refusal.h"

#include "check.h"

#define HEADER REFUSAL_HEADER "list"
#define OURS HEADER "\r\n"
/* Of a sidecar that an older drydock started. */
#define OLDER "X-Squid-Error: ERR_DRYDOCK_REFUSED 0"

static void
test_refusals(void)
{
	static const struct {
		const char *head;
		bool ours;
	} rows[] = {
		{ "HTTP/1.1 403 Forbidden\r\n" OURS "\r\n", true },
		{ "HTTP/1.1 403 Forbidden\r\nA: b\r\n" OURS "C: d\r\n\r\nbody",
		    true },
		{ "HTTP/1.1 403 Forbidden\r\n" OLDER "\r\n\r\n", true },
		{ "HTTP/1.1 403 Forbidden\r\n" OLDER "1\r\n\r\n", false },
		{ "HTTP/1.1 403 Forbidden\r\n" REFUSAL_HEADER "port\r\n\r\n",
		    false },
		{ "HTTP/1.1 403 Forbidden\r\n\r\n", false },
		{ "HTTP/1.1 403 Forbidden\r\nX" OURS "\r\n", false },
		{ "HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\n" OURS, false },
		{ "HTTP/1.1 403 Forbidden\r\n" OURS, false },
		{ "HTTP/1.1 403 Forbidden\r\n" HEADER "1\r\n\r\n", false },
		{ "HTTP/1.1 503 Service Unavailable\r\n" OURS "\r\n", false },
		{ "HTTP/1.1 200 OK\r\n" OURS "\r\n", false },
		{ "HTTP/1.1 4030 x\r\n" OURS "\r\n", false },
		{ "", false },
		{ "\r\n\r\n", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_true(__FILE__, __LINE__, rows[i].head,
		    egress_is_refusal(rows[i].head, strlen(rows[i].head)) ==
			rows[i].ours);
}

/* A listener that answers each request with the same text, then hangs up. */
struct server {
	int fd;
	const char *answer; /* NULL: none, ever */
	int connections;
};

static void *
serve(void *arg)
{
	struct server *s = arg;

	for (int i = 0; i < s->connections; i++) {
		cleanup_close int fd = accept(s->fd, NULL, NULL);
		char request[512];

		(void)!read(fd, request, sizeof(request));
		(void)send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
	}
	return NULL;
}

static int
listen_in(int dir)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path),
	    "/proc/self/fd/%d/egress.sock", dir);
	CHECK_INT(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	CHECK_INT(listen(fd, 8), 0);
	return fd;
}

static void
test_ready(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = listen_in(dir);
	struct server server = { fd, "HTTP/1.1 403 Forbidden\r\n" OURS "\r\n",
		1 };
	cleanup_diag struct diag dg = DIAG_INIT;
	atomic_bool stop = false;
	pthread_t thread;

	CHECK_INT(pthread_create(&thread, NULL, serve, &server), 0);
	CHECK_INT(egress_wait_ready(dir, 10000, &stop, &dg), 0);
	(void)pthread_join(thread, NULL);
}

static void
test_never(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag mute = DIAG_INIT;
	cleanup_diag struct diag open = DIAG_INIT;
	struct server server = { -1, "HTTP/1.1 200 OK\r\n\r\n", 1 };
	cleanup_close int fd = -1;
	atomic_bool stop = false;
	pthread_t thread;

	CHECK_INT(egress_wait_ready(dir, 50, &stop, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	CHECK(strstr(dg.message, "nothing listens") != NULL);
	fd = listen_in(dir);
	CHECK_INT(egress_wait_ready(dir, 50, &stop, &mute), -1);
	CHECK(strstr(mute.message, "does not answer") != NULL);
	/* The question above is still in the queue. */
	server.fd = fd;
	server.connections = 2;
	stop = true;
	CHECK_INT(pthread_create(&thread, NULL, serve, &server), 0);
	CHECK_INT(egress_wait_ready(dir, 10000, &stop, &open), -1);
	(void)pthread_join(thread, NULL);
	CHECK_INT(open.class, DIAG_ENGINE);
}

/* egress/ is the agent's to write: the proxy of elsewhere is no answer. */
static void
test_link(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int fd = listen_in(dir);
	struct server server = { fd, "HTTP/1.1 403 Forbidden\r\n" OURS "\r\n",
		1 };
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_diag struct diag last = DIAG_INIT;
	atomic_bool stop = false;
	pthread_t thread;

	CHECK_INT(renameat(dir, "egress.sock", dir, "other.sock"), 0);
	CHECK_INT(symlinkat("other.sock", dir, "egress.sock"), 0);
	CHECK_INT(pthread_create(&thread, NULL, serve, &server), 0);
	CHECK_INT(egress_wait_ready(dir, 50, &stop, &dg), -1);
	CHECK_INT(dg.class, DIAG_ENGINE);
	/* The server was not asked; by its own name it answers. */
	CHECK_INT(renameat(dir, "other.sock", dir, "egress.sock"), 0);
	CHECK_INT(egress_wait_ready(dir, 10000, &stop, &last), 0);
	(void)pthread_join(thread, NULL);
}

static void
test_log(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_diag struct diag dg = DIAG_INIT;
	int fd;

	(void)diag_set(&dg, DIAG_ENGINE, "not ready");
	egress_add_log(dir, &dg);
	CHECK_STR(dg.detail, NULL);
	CHECK_INT(symlinkat("/etc/passwd", dir, "requests.log"), 0);
	egress_add_log(dir, &dg);
	CHECK_STR(dg.detail, NULL);
	CHECK_INT(unlinkat(dir, "requests.log", 0), 0);
	CHECK_INT(mkfifoat(dir, "requests.log", 0600), 0);
	egress_add_log(dir, &dg);
	CHECK_STR(dg.detail, NULL);
	CHECK_INT(unlinkat(dir, "requests.log", 0), 0);
	fd = openat(dir, "requests.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(write(fd, "FATAL: no\n", 10), 10);
	(void)close(fd);
	egress_add_log(dir, &dg);
	CHECK(dg.detail != NULL && strstr(dg.detail, "FATAL: no") != NULL);
}

static void
write_file(int dir, const char *name, const char *text)
{
	cleanup_close int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK_INT(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void
test_requests(void)
{
	cleanup_close int dir =
	    open(check_tmpdir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(egress_read_requests(dir, &out, &dg), 0);
	CHECK_STR(out.buf, "");
	CHECK_INT(mkfifoat(dir, "access.log", 0600), 0);
	write_file(dir, "requests.log", "3\n");
	write_file(dir, "requests.log.1", "1\n2\n");
	CHECK_INT(egress_read_requests(dir, &out, &dg), 0);
	CHECK_STR(out.buf, "1\n2\n3\n");
	/* An older sidecar's log is a file. */
	strbuf_reset(&out);
	CHECK_INT(unlinkat(dir, "access.log", 0), 0);
	write_file(dir, "access.log", "0\n");
	CHECK_INT(egress_read_requests(dir, &out, &dg), 0);
	CHECK_STR(out.buf, "0\n1\n2\n3\n");
	CHECK_INT(unlinkat(dir, "requests.log", 0), 0);
	CHECK_INT(symlinkat("/etc/passwd", dir, "requests.log"), 0);
	CHECK_INT(egress_read_requests(dir, &out, &dg), -1);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "only the proxy's own refusal counts", test_refusals },
		{ "a proxy that refuses is ready", test_ready },
		{ "a proxy that is silent or open is not", test_never },
		{ "a link in the proxy's place is not followed", test_link },
		{ "requests are read from both files", test_requests },
		{ "the proxy's log is attached, and nothing else", test_log },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
