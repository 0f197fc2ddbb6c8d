/* SPDX-License-Identifier: MIT */
/* Connections to the loopback through the holder, and ssh's way to the proxy. */
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
#include <unistd.h>

#include "base/cleanup.h"
#include "base/monotime.h"
#include "base/xalloc.h"
#include "check.h"
#include "holder-kit.h"

#define MANY 200
#define BIG ((size_t)16 << 20)

static int
listen_on(int family, uint16_t *ret_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&in
						: (struct sockaddr *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	struct timeval patience = { KIT_SECONDS, 0 };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, sa, len) == -1 || listen(fd, MANY) == -1 ||
	    getsockname(fd, sa, &len) == -1)
		return -1;
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret_port = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
	return fd;
}

static int
accept_one(int server)
{
	struct timeval patience = { KIT_SECONDS, 0 };
	int fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);

	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* The holder's connection after PORT. */
static int
ask_port(struct kit *kit, uint16_t port)
{
	unsigned char payload[2] = { (unsigned char)port,
		(unsigned char)(port >> 8) };
	int fd = kit_greet(kit, NULL);

	CHECK(kit_send_frame(fd, WIRE_PORT, payload, sizeof(payload)));
	return fd;
}

static bool
is_started(int fd)
{
	unsigned char head[WIRE_HEADER_SIZE];

	return recv(fd, head, sizeof(head), MSG_WAITALL) == sizeof(head) &&
	    head[0] == WIRE_STARTED;
}

/* True if the other end closed both directions before ours was closed. */
static bool
is_broken(int fd)
{
	struct pollfd p = { fd, 0, 0 };

	return poll(&p, 1, KIT_SECONDS * 1000) == 1 &&
	    (p.revents & POLLHUP) != 0;
}

static bool
start(struct kit *kit, int *ret_fd)
{
	struct kit_output o = KIT_OUTPUT_INIT;

	*ret_fd = kit_shell(kit, "echo ready; read x; exit 4", true, false);
	if (*ret_fd != -1)
		CHECK(kit_read_until(*ret_fd, &o, "ready"));
	kit_output_release(&o);
	return *ret_fd != -1;
}

static void
finish(struct kit *kit, int fd)
{
	CHECK(kit_send_frame(fd, WIRE_INPUT, "word\r", 5));
	CHECK_INT(kit_wait(kit), 4);
	(void)close(fd);
}

static void
each_direction_ends_alone(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct kit kit;
	int fd;

	if (!start(&kit, &fd))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		uint16_t port;
		char byte;
		int server = listen_on(families[i], &port);

		/* A machine may have no IPv6. */
		if (server == -1 && families[i] == AF_INET6)
			continue;
		int client = ask_port(&kit, port);
		int inner = accept_one(server);

		CHECK(is_started(client));
		CHECK(kit_passes(client, inner, "question"));
		CHECK_INT(shutdown(client, SHUT_WR), 0);
		CHECK_INT(recv(inner, &byte, 1, 0), 0);
		/* The answer comes after the end of the question. */
		CHECK(kit_passes(inner, client, "answer"));
		(void)close(inner);
		CHECK_INT(recv(client, &byte, 1, 0), 0);
		(void)close(client);
		(void)close(server);
	}
	finish(&kit, fd);
}

static void
nobody_listens(void)
{
	struct kit kit;
	uint16_t port;
	char byte;
	int fd;

	if (!start(&kit, &fd))
		return;
	(void)close(listen_on(AF_INET, &port));
	int64_t begin = monotime_ms();
	int client = ask_port(&kit, port);

	CHECK_INT(recv(client, &byte, 1, 0), 0);
	CHECK(is_broken(client));
	CHECK(monotime_ms() - begin < 5000);
	(void)close(client);
	finish(&kit, fd);
}

static void
a_break_is_told_from_an_end(void)
{
	struct kit kit;
	struct linger now = { 1, 0 };
	uint16_t port;
	char byte;
	int fd;
	int server = listen_on(AF_INET, &port);

	if (!start(&kit, &fd))
		return;
	int client = ask_port(&kit, port);
	int inner = accept_one(server);

	CHECK(is_started(client));
	CHECK(kit_passes(inner, client, "half"));
	CHECK_INT(
	    setsockopt(inner, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	(void)close(inner);
	CHECK(is_broken(client));
	(void)close(client);
	/* In the other direction, too. */
	client = ask_port(&kit, port);
	inner = accept_one(server);
	CHECK(is_started(client));
	CHECK(kit_passes(client, inner, "half"));
	(void)close(client);
	CHECK_INT(recv(inner, &byte, 1, 0), -1);
	CHECK_INT(errno, ECONNRESET);
	(void)close(inner);
	(void)close(server);
	finish(&kit, fd);
}

static void
many_at_once(void)
{
	static int fds[MANY][2];
	struct kit kit;
	uint16_t port;
	int fd;
	int server = listen_on(AF_INET, &port);

	if (!start(&kit, &fd))
		return;
	for (int i = 0; i < MANY; i++) {
		fds[i][0] = ask_port(&kit, port);
		fds[i][1] = accept_one(server);
		CHECK(is_started(fds[i][0]));
	}
	for (int i = 0; i < MANY; i++) {
		CHECK(kit_passes(fds[i][0], fds[i][1], "in"));
		CHECK(kit_passes(fds[i][1], fds[i][0], "out"));
	}
	/* They end with the session, whose viewer was never displaced. */
	finish(&kit, fd);
	for (int i = 0; i < MANY; i++) {
		CHECK(is_broken(fds[i][0]));
		(void)close(fds[i][0]);
		(void)close(fds[i][1]);
	}
	(void)close(server);
}

/* The holder reads no more than it can pass on. */
static void
slow_readers_hold_back(void)
{
	struct kit kit;
	uint16_t port;
	int fd;
	int server = listen_on(AF_INET, &port);
	cleanup_free char *block = xcalloc(1, 65536);
	size_t sent = 0;
	size_t got = 0;

	if (!start(&kit, &fd))
		return;
	int client = ask_port(&kit, port);
	int inner = accept_one(server);

	CHECK(is_started(client));
	CHECK_INT(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	for (;;) {
		struct pollfd p = { client, POLLOUT, 0 };
		ssize_t n = write(client, block, 65536);

		if (n > 0)
			sent += (size_t)n;
		else if (poll(&p, 1, 300) == 0)
			break;
	}
	CHECK(sent < BIG);
	CHECK_INT(shutdown(client, SHUT_WR), 0);
	for (;;) {
		ssize_t n = read(inner, block, 65536);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	CHECK_INT((long long)got, (long long)sent);
	(void)close(inner);
	(void)close(client);
	(void)close(server);
	finish(&kit, fd);
}

/* A server that accepts nothing may keep a connection waiting for minutes. */
static void
who_leaves_while_connecting_is_forgotten(void)
{
	struct kit kit;
	uint16_t port;
	int fd;
	int server = listen_on(AF_INET, &port);
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fill[4];
	int clients[20];
	size_t before;
	int64_t deadline;

	CHECK_INT(listen(server, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fill); i++) {
		fill[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(fill[i], (struct sockaddr *)&in, sizeof(in));
	}
	if (!start(&kit, &fd))
		return;
	before = kit_count_files(kit.pid);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		clients[i] = ask_port(&kit, port);
	deadline = monotime_ms() + 10000;
	while (kit_count_files(kit.pid) < before + 2 * ARRAY_SIZE(clients) &&
	    monotime_ms() < deadline)
		(void)poll(NULL, 0, 10);
	CHECK_INT(kit_count_files(kit.pid), before + 2 * ARRAY_SIZE(clients));
	/* Who shuts one direction down is still there. */
	CHECK_INT(shutdown(clients[0], SHUT_WR), 0);
	for (size_t i = 1; i < ARRAY_SIZE(clients); i++)
		(void)close(clients[i]);
	deadline = monotime_ms() + 10000;
	while (
	    kit_count_files(kit.pid) > before + 2 && monotime_ms() < deadline)
		(void)poll(NULL, 0, 10);
	CHECK_INT(kit_count_files(kit.pid), before + 2);
	(void)close(clients[0]);
	for (size_t i = 0; i < ARRAY_SIZE(fill); i++)
		(void)close(fill[i]);
	(void)close(server);
	finish(&kit, fd);
}

static void
not_before_the_command(void)
{
	struct kit kit;
	struct wire_frame frame;
	cleanup_free struct wire_decoder *dec = xmalloc(sizeof(*dec));

	if (!kit_start(&kit, NULL))
		return;
	int client = ask_port(&kit, 80);

	wire_decoder_init(dec, WIRE_HOLDER);
	CHECK(kit_frame(client, dec, &frame));
	CHECK_INT(frame.type, WIRE_REFUSED);
	(void)close(client);
	CHECK_INT(kill(kit.pid, SIGTERM), 0);
	CHECK_INT(kit_wait(&kit), 143);
}

/* A proxy that gives one answer; then the streams are compared. */
static void
tunnel(const char *answer, const char *after, int status)
{
	char number[8];
	uint16_t port;
	int server = listen_on(AF_INET, &port);
	int in[2];
	int out[2];
	struct kit kit = { .err_fd = -1 };
	char request[256] = "";
	size_t len = 0;
	static const char want[] = "CONNECT forge.example:22 HTTP/1.1\r\n"
				   "Host: forge.example:22\r\n\r\n";
	char byte;

	(void)snprintf(number, sizeof(number), "%u", port);
	const char *const argv[] = { "connect", "--port", number, "--",
		"forge.example", "22", NULL };
	CHECK_INT(pipe2(in, O_CLOEXEC), 0);
	CHECK_INT(pipe2(out, O_CLOEXEC), 0);
	int saved[2] = { fcntl(0, F_DUPFD_CLOEXEC, 3),
		fcntl(1, F_DUPFD_CLOEXEC, 3) };
	(void)fflush(stdout);
	CHECK(dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1);
	bool ready = kit_make(&kit) && kit_spawn(&kit, argv);
	CHECK(dup2(saved[0], 0) == 0 && dup2(saved[1], 1) == 1);
	(void)close(in[0]);
	(void)close(out[1]);
	if (!ready)
		return;
	int proxy = accept_one(server);

	while (len < sizeof(want) - 1 && read(proxy, request + len, 1) == 1)
		len++;
	CHECK_STR(request, want);
	CHECK_INT(write(proxy, answer, strlen(answer)), (int)strlen(answer));
	if (after != NULL) {
		CHECK(kit_passes(in[1], proxy, "client"));
		CHECK(kit_passes(proxy, out[0], after));
		(void)close(in[1]);
		CHECK_INT(recv(proxy, &byte, 1, 0), 0);
		CHECK(kit_passes(proxy, out[0], "late"));
	}
	(void)close(proxy);
	CHECK_INT(read(out[0], &byte, 1), 0);
	CHECK_INT(kit_wait(&kit), status);
	(void)close(out[0]);
	(void)close(saved[0]);
	(void)close(saved[1]);
	(void)close(server);
}

static void
ssh_goes_through_the_proxy(void)
{
	tunnel("HTTP/1.1 200 Connection established\r\n\r\n", "server", 0);
	tunnel("HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\nbody", NULL, 77);
	tunnel("SSH-2.0-x\r\n\r\n", NULL, 65);
	tunnel("HTTP/1.1 2000 x\r\n\r\n", NULL, 77);
}

static const struct check_test tests[] = {
	{ "each direction ends alone, over both addresses",
	    each_direction_ends_alone },
	{ "a port without a server closes at once", nobody_listens },
	{ "a break is told from an end", a_break_is_told_from_an_end },
	{ "many at once, which end with the session", many_at_once },
	{ "slow readers hold back", slow_readers_hold_back },
	{ "a client that leaves while the server accepts nothing is forgotten",
	    who_leaves_while_connecting_is_forgotten },
	{ "not before the session's command", not_before_the_command },
	{ "ssh goes through the proxy", ssh_goes_through_the_proxy },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
