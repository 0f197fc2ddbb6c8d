/* SPDX-License-Identifier: MIT */
/*
 * The way out: the holder's relay, the sidecar's proxy, and an upstream proxy,
 * which is this test.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"
#include "check.h"
#include "guest/proxylist.h"
#include "holder-kit.h"

/* More than the kernel's buffers on the way hold. */
#define BIG ((size_t)32 << 20)
#define MANY 200

/* The holder's relay, the sidecar, and an upstream proxy behind both. */
struct chain {
	struct kit agent, sidecar;
	char socket[200];
	char conf[200];
	char port[2][8]; /* the agent's, the upstream proxy's */
	int server; /* listens at the upstream proxy's port, or -1 */
};

/* Below the ports that the kernel gives to whoever connects meanwhile. */
static int
listen_anywhere(char ret_port[8])
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = -1;
	for (int i = 0; i < 1000 && rc == -1; i++) {
		in.sin_port =
		    htons((uint16_t)(20000 + arc4random_uniform(12000)));
		rc = bind(fd, (struct sockaddr *)&in, sizeof(in));
	}
	CHECK_INT(rc, 0);
	CHECK_INT(listen(fd, 512), 0);
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)snprintf(ret_port, 8, "%u", ntohs(in.sin_port));
	return fd;
}

/* A port that is free now. */
static void
pick_port(char ret_port[8])
{
	(void)close(listen_anywhere(ret_port));
}

static int
try_tcp(const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == -1) {
		(void)close(fd);
		return -1;
	}
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return fd;
}

static int
connect_tcp(const char *port)
{
	for (int i = 0; i < 4000; i++) {
		int fd = try_tcp(port);
		if (fd != -1)
			return fd;
		(void)poll(NULL, 0, 5);
	}
	(void)CHECK(!"connected");
	return -1;
}

static bool
start_agent(struct chain *c)
{
	const char *const more[] = { "--egress", "--port", c->port[0],
		"--socket", c->socket, NULL };
	pick_port(c->port[0]);
	(void)snprintf(
	    c->socket, sizeof(c->socket), "%s/egress.sock", check_tmpdir());
	return kit_start(&c->agent, more);
}

/* Makes the sidecar's files, and leaves the start to the caller. */
static bool
make_sidecar(struct chain *c)
{
	cleanup_free char *parent = xasprintf("127.0.0.1 %s\n", c->port[1]);
	(void)snprintf(c->conf, sizeof(c->conf), "%s/conf", check_tmpdir());
	if (mkdir(c->conf, 0700) == -1)
		CHECK_INT(errno, EEXIST);
	kit_replace_file(
	    c->conf, "hosts", "connect name a.example 443 public\n");
	kit_replace_file(c->conf, "host-addresses", "");
	kit_replace_file(c->conf, "parent", parent);
	return kit_make(&c->sidecar);
}

static bool
spawn_sidecar(struct chain *c)
{
	const char *const argv[] = { "egress", "--socket", c->socket, "--conf",
		c->conf, "--log", check_tmpdir(), NULL };
	return kit_spawn(&c->sidecar, argv);
}

static bool
start_chain(struct chain *c)
{
	c->server = listen_anywhere(c->port[1]);
	if (!start_agent(c) || !make_sidecar(c) || !spawn_sidecar(c))
		return false;
	(void)close(kit_connect(c->socket));
	return true;
}

static void
stop_chain(struct chain *c)
{
	CHECK_INT(kill(c->sidecar.pid, SIGTERM), 0);
	CHECK_INT(kit_wait(&c->sidecar), 0);
	CHECK_INT(kill(c->agent.pid, SIGTERM), 0);
	CHECK_INT(kit_wait(&c->agent), 143);
	(void)close(c->server);
}

#define ASK "CONNECT a.example:443 HTTP/1.1\r\n"
#define DONE "HTTP/1.1 200 Connection established\r\n\r\n"

/* Opens the tunnel through the upstream proxy.  Returns its end there. */
static int
open_tunnel(const struct chain *c, int client)
{
	struct timeval patience = { 20, 0 };
	int fd;
	CHECK(kit_writes(client, ASK "\r\n"));
	fd = accept4(c->server, NULL, NULL, SOCK_CLOEXEC);
	(void)setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	CHECK(kit_reads(fd, ASK "Host: a.example:443\r\n\r\n"));
	CHECK(kit_writes(fd, "HTTP/1.0 200 OK\r\nA: b\r\n\r\n"));
	CHECK(kit_reads(client, DONE));
	return fd;
}

/* A client's and the server's end of one connection through the chain. */
static bool
make_pair(const struct chain *c, int ret_fds[2])
{
	ret_fds[0] = connect_tcp(c->port[0]);
	ret_fds[1] = open_tunnel(c, ret_fds[0]);
	return CHECK(ret_fds[0] != -1 && ret_fds[1] != -1);
}

static void
half_closed_streams_go_on(void)
{
	struct chain c;
	char byte;
	if (!start_chain(&c))
		return;
	for (int first = 0; first < 2; first++) {
		int fds[2];
		if (!make_pair(&c, fds))
			break;
		CHECK(kit_passes(fds[first], fds[!first], "question"));
		CHECK_INT(shutdown(fds[first], SHUT_WR), 0);
		CHECK_INT(recv(fds[!first], &byte, 1, 0), 0);
		/* Longer than the half second that some proxies wait. */
		(void)poll(NULL, 0, 700);
		CHECK(kit_passes(fds[!first], fds[first], "answer"));
		CHECK_INT(shutdown(fds[!first], SHUT_WR), 0);
		CHECK_INT(recv(fds[first], &byte, 1, 0), 0);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
	stop_chain(&c);
}

/* The server waits, and never closes its end. */
static void
half_closed_one_that_leaves_is_closed(void)
{
	struct chain c;
	char byte;
	int servers[8];
	size_t before, n = 0;
	if (!start_chain(&c))
		return;
	before = kit_count_files(c.sidecar.pid);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++) {
		int client = kit_connect(c.socket);
		servers[i] = open_tunnel(&c, client);
		CHECK(kit_passes(client, servers[i], "question"));
		CHECK_INT(shutdown(client, SHUT_WR), 0);
		CHECK_INT(recv(servers[i], &byte, 1, 0), 0);
		(void)close(client);
	}
	for (int i = 0; i < 400; i++) {
		n = kit_count_files(c.sidecar.pid);
		if (n <= before)
			break;
		(void)poll(NULL, 0, 5);
	}
	CHECK(n <= before);
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		(void)close(servers[i]);
	stop_chain(&c);
}

static void
much_data_comes_whole(void)
{
	struct chain c;
	int fds[2];
	int status = -1;
	if (!start_chain(&c) || !make_pair(&c, fds))
		return;
	cleanup_free char *data = xmalloc(BIG);
	cleanup_free char *got = xmalloc(BIG);
	for (size_t i = 0; i < BIG; i++)
		data[i] = (char)(i * 2654435761U >> 13);
	(void)fflush(stdout);
	pid_t feeder = fork();
	if (feeder == 0) {
		bool ok = send(fds[0], data, BIG, MSG_NOSIGNAL) == (ssize_t)BIG;
		ok = shutdown(fds[0], SHUT_WR) == 0 && ok;
		_exit(ok ? 0 : 1);
	}
	/* It must wait for us, and lose nothing. */
	(void)poll(NULL, 0, 200);
	CHECK_INT(waitpid(feeder, &status, WNOHANG), 0);
	CHECK_INT(recv(fds[1], got, BIG, MSG_WAITALL), (ssize_t)BIG);
	CHECK(memcmp(data, got, BIG) == 0);
	CHECK_INT(recv(fds[1], got, 1, 0), 0);
	CHECK_INT(waitpid(feeder, &status, 0), feeder);
	CHECK_INT(status, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	stop_chain(&c);
}

static void
two_hundred_at_once(void)
{
	struct chain c;
	struct rlimit limit;
	static int fds[MANY][2];
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (!start_chain(&c))
		return;
	for (int i = 0; i < MANY; i++) {
		if (!make_pair(&c, fds[i]))
			return;
	}
	for (int i = 0; i < MANY; i++) {
		CHECK(kit_passes(fds[i][0], fds[i][1], "out"));
		CHECK(kit_passes(fds[i][1], fds[i][0], "back"));
	}
	for (int i = 0; i < MANY; i++) {
		(void)close(fds[i][0]);
		(void)close(fds[i][1]);
	}
	stop_chain(&c);
}

static void
reset_is_passed_on(void)
{
	struct chain c;
	int fds[2];
	struct linger now = { 1, 0 };
	char byte;
	if (!start_chain(&c) || !make_pair(&c, fds))
		return;
	CHECK_INT(
	    setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	(void)close(fds[1]);
	CHECK(recv(fds[0], &byte, 1, 0) <= 0);
	(void)close(fds[0]);
	stop_chain(&c);
}

static void
absent_socket_resets(void)
{
	struct chain c = { .server = -1 };
	char byte;
	if (!start_agent(&c))
		return;
	for (int i = 0; i < 2; i++) {
		int fd = connect_tcp(c.port[0]);
		CHECK_INT(recv(fd, &byte, 1, 0), -1);
		CHECK_INT(errno, ECONNRESET);
		(void)close(fd);
		/* The second time there is a socket that nobody listens at. */
		CHECK_INT(mknod(c.socket, S_IFSOCK | 0600, 0), i == 0 ? 0 : -1);
	}
	/* And as soon as there is somebody, it works. */
	c.server = listen_anywhere(c.port[1]);
	if (!make_sidecar(&c) || !spawn_sidecar(&c))
		return;
	(void)close(kit_connect(c.socket));
	int fds[2];
	if (make_pair(&c, fds))
		CHECK(kit_passes(fds[0], fds[1], "now"));
	stop_chain(&c);
}

/* Without a proxy at all: the agent's relay can only reset. */
static void
upstream_proxy_that_is_down_is_said(void)
{
	struct chain c;
	if (!start_chain(&c))
		return;
	(void)close(c.server);
	int fd = connect_tcp(c.port[0]);
	CHECK(kit_writes(fd, ASK "\r\n"));
	CHECK(kit_reads(fd, "HTTP/1.1 503 Service Unavailable\r\n"));
	(void)close(fd);
	c.server = -1;
	stop_chain(&c);
}

/* The upstream proxy's own refusal, and what is no answer at all. */
static void
upstream_proxy_refuses(void)
{
	static const char *const answers[] = {
		"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
		"SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\n", ""
	};
	struct chain c;
	if (!start_chain(&c))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		int client = connect_tcp(c.port[0]);
		CHECK(kit_writes(client, ASK "\r\n"));
		int fd = accept4(c.server, NULL, NULL, SOCK_CLOEXEC);
		CHECK(kit_reads(fd, ASK "Host: a.example:443\r\n\r\n"));
		CHECK(kit_writes(fd, answers[i]));
		(void)close(fd);
		CHECK(kit_reads(client, "HTTP/1.1 502 Bad Gateway\r\n"));
		(void)close(client);
	}
	stop_chain(&c);
}

/* Names are judged as ever; the client has no credentials for it. */
static void
upstream_proxy_gets_whole_urls(void)
{
	struct chain c;
	cleanup_free char *parent = NULL;
	c.server = listen_anywhere(c.port[1]);
	parent = xasprintf("127.0.0.1 %s\n", c.port[1]);
	if (!start_agent(&c) || !make_sidecar(&c))
		return;
	kit_replace_file(c.conf, "parent", parent);
	kit_replace_file(c.conf, "hosts", "http name a.example 8080 public\n");
	if (!spawn_sidecar(&c))
		return;
	(void)close(kit_connect(c.socket));
	int client = connect_tcp(c.port[0]);
	CHECK(kit_writes(client, ASK "\r\n"));
	CHECK(
	    kit_reads(client, "HTTP/1.1 403 drydock refused a.example:443: "));
	(void)close(client);
	client = connect_tcp(c.port[0]);
	CHECK(kit_writes(client,
	    "GET http://A.example.:8080/x?y HTTP/1.1\r\n"
	    "Proxy-Authorization: Basic b3RoZXI6\r\n\r\n"));
	int fd = accept4(c.server, NULL, NULL, SOCK_CLOEXEC);
	CHECK(kit_reads(fd,
	    "GET http://a.example:8080/x?y HTTP/1.1\r\n"
	    "Host: a.example:8080\r\n"
	    "Connection: close\r\n\r\n"));
	CHECK(kit_writes(fd, "HTTP/1.1 200 OK\r\n\r\nx"));
	(void)close(fd);
	CHECK(
	    kit_reads(client, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx"));
	(void)close(client);
	stop_chain(&c);
}

static bool
limit_files(const struct kit *kit)
{
	struct rlimit few = { 100, 100 };
	(void)kit;
	return setrlimit(RLIMIT_NOFILE, &few) == 0;
}

/* More connections than descriptors: the rest waits for its turn. */
static void
few_descriptors_are_enough(void)
{
	static int fds[60];
	struct chain c = { .server = -1 };
	c.server = listen_anywhere(c.port[1]);
	if (!start_agent(&c) || !make_sidecar(&c))
		return;
	c.sidecar.in_child = limit_files;
	if (!spawn_sidecar(&c))
		return;
	(void)close(kit_connect(c.socket));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_tcp(c.port[0]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int fd = open_tunnel(&c, fds[i]);
		CHECK(kit_passes(fds[i], fd, "hello"));
		(void)close(fds[i]);
		(void)close(fd);
	}
	stop_chain(&c);
}

/* The proxy starts in the boot that the file names, and in no later one. */
static void
a_later_boot_starts_no_proxy(void)
{
	struct chain c = { .server = -1 };
	struct stat st;
	(void)snprintf(
	    c.socket, sizeof(c.socket), "%s/egress.sock", check_tmpdir());
	(void)snprintf(c.port[1], sizeof(c.port[1]), "1");
	if (!make_sidecar(&c))
		return;
	kit_replace_file(c.conf, PROXYLIST_BOOT, "another\n");
	if (!spawn_sidecar(&c))
		return;
	CHECK_INT(kit_wait(&c.sidecar), 0);
	CHECK_INT(stat(c.socket, &st), -1);
}

static void
socket_is_for_every_user(void)
{
	struct chain c;
	struct stat st;
	if (!start_chain(&c))
		return;
	CHECK_INT(stat(c.socket, &st), 0);
	CHECK_INT(st.st_mode & 0777, 0666);
	stop_chain(&c);
}

/* A list that cannot be read at the start serves nobody. */
static void
unreadable_list_is_said(void)
{
	static const struct {
		const char *name;
		const char *text; /* NULL: no file */
		const char *why;
	} rows[] = {
		{ "hosts", NULL, "there is no hosts" },
		{ "hosts", "connect name *.a.example 443 public\n",
		    "hosts:1: not understood" },
		{ "host-addresses", NULL, "there is no host-addresses" },
		{ "parent", "", "parent is empty" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct chain c = { .server = -1 };
		cleanup_strbuf struct strbuf err = STRBUF_INIT;
		cleanup_free char *want =
		    xasprintf("drydock: %s\n", rows[i].why);
		cleanup_free char *path = NULL;
		(void)snprintf(c.socket, sizeof(c.socket), "%s/egress.sock",
		    check_tmpdir());
		(void)snprintf(c.port[1], sizeof(c.port[1]), "1");
		if (!make_sidecar(&c))
			return;
		path = xasprintf("%s/%s", c.conf, rows[i].name);
		if (rows[i].text == NULL)
			CHECK_INT(unlink(path), 0);
		else
			kit_replace_file(c.conf, rows[i].name, rows[i].text);
		if (!spawn_sidecar(&c))
			return;
		CHECK_INT(kit_wait(&c.sidecar), 65);
		kit_read_error(&c.sidecar, &err);
		CHECK_STR(err.buf, want);
	}
}

static const struct check_test tests[] = {
	{ "half-closed streams go on for as long as they like",
	    half_closed_streams_go_on },
	{ "a half-closed one that leaves is closed",
	    half_closed_one_that_leaves_is_closed },
	{ "after another boot the proxy does not start",
	    a_later_boot_starts_no_proxy },
	{ "every user can connect to the socket", socket_is_for_every_user },
	{ "much data comes whole, and a slow end is waited for",
	    much_data_comes_whole },
	{ "two hundred connections at once", two_hundred_at_once },
	{ "a reset is passed on", reset_is_passed_on },
	{ "an absent or stale socket resets, until it is there",
	    absent_socket_resets },
	{ "an upstream proxy that is down is said",
	    upstream_proxy_that_is_down_is_said },
	{ "an upstream proxy that refuses is said", upstream_proxy_refuses },
	{ "an upstream proxy gets whole URLs and no credentials",
	    upstream_proxy_gets_whole_urls },
	{ "few descriptors are enough", few_descriptors_are_enough },
	{ "a list that cannot be read is said, and serves nobody",
	    unreadable_list_is_said },
};

int
main(void)
{
	return check_run(tests, ARRAY_SIZE(tests));
}
