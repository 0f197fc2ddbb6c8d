/* SPDX-License-Identifier: MIT */
/*
 * The sidecar's proxy, with a server of the test's own.  127.0.0.1 is let
 * through, and libc's resolver is replaced by a table.
 */
#include "guest/proxy.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "check.h"
#include "guest/egress.h"
#include "guest/proxyaddr.h"
#include "guest/proxyhead.h"
#include "guest/proxylog.h"
#include "holder-kit.h"

enum proxyaddr_kind __real_proxyaddr_judge(
    const struct proxyaddr *a, const struct proxyaddr *own, size_t nown);
enum proxyaddr_kind __wrap_proxyaddr_judge(
    const struct proxyaddr *a, const struct proxyaddr *own, size_t nown);
int __wrap_res_nquery(res_state state, const char *name, int class, int type,
    unsigned char *answer, int len);

/* The server's address, and two that nothing listens at. */
enum proxyaddr_kind
__wrap_proxyaddr_judge(
    const struct proxyaddr *a, const struct proxyaddr *own, size_t nown)
{
	static const unsigned char loopback[] = { 127, 0, 0 };

	return a->family == AF_INET &&
		memcmp(a->bytes, loopback, sizeof(loopback)) == 0
	    ? PROXYADDR_GLOBAL
	    : __real_proxyaddr_judge(a, own, nown);
}

/* What DNS has.  Addresses of both families, with blanks between them. */
static const struct {
	const char *name, *addresses;
} zone[] = {
	{ "one.example", "127.0.0.1" },
	/* Of several addresses, the first may refuse. */
	{ "second.example", "127.0.0.2 127.0.0.1" },
	{ "below.b.example", "127.0.0.1" },
	{ "mixed.example", "127.0.0.1 10.0.0.1" },
	{ "six.example", "127.0.0.1 fd00::1" },
	{ "mapped.example", "::ffff:127.0.0.1" },
	{ "nat64.example", "64:ff9b::127.0.0.1" },
	{ "cgnat.example", "100.64.0.1" },
	{ "own.example", "203.0.112.7" },
	{ "meta.example", "169.254.169.254" },
};

/* One question, and an answer record for each address of the type. */
static int
write_answer(
    const char *name, int type, const char *addresses, unsigned char *answer)
{
	static const unsigned char header[NS_HFIXEDSZ] = { 0, 0, 0x80, 0, 0,
		1 };
	unsigned char *at = answer + NS_HFIXEDSZ;
	cleanup_free char *copy = xstrdup(addresses);
	char *rest = copy;
	char *word;
	unsigned char nr = 0;

	memcpy(answer, header, sizeof(header));
	at += ns_name_compress(name, at, NS_MAXCDNAME, NULL, NULL);
	ns_put16((unsigned)type, at);
	ns_put16(ns_c_in, at + 2);
	at += 4;
	while ((word = strsep(&rest, " ")) != NULL) {
		struct proxyaddr a;
		size_t size;

		if (!proxyaddr_parse(word, &a) ||
		    (a.family == AF_INET) != (type == ns_t_a))
			continue;
		size = a.family == AF_INET ? 4 : 16;
		ns_put16(0xc000 | NS_HFIXEDSZ, at);
		ns_put16((unsigned)type, at + 2);
		ns_put16(ns_c_in, at + 4);
		ns_put32(0, at + 6);
		ns_put16((unsigned)size, at + 10);
		memcpy(at + 12, a.bytes, size);
		at += 12 + size;
		nr++;
	}
	answer[7] = nr;
	return (int)(at - answer);
}

int
__wrap_res_nquery(res_state state, const char *name, int class, int type,
    unsigned char *answer, int len)
{
	const char *asked = getenv("ASKED");
	FILE *f = fopen(asked, "ae");

	(void)class;
	(void)len;
	if (strcmp(name, "silent.example") == 0) {
		(void)alarm(KIT_SECONDS);
		(void)pause();
	}
	if (f != NULL) {
		(void)fprintf(f, "%s\n", name);
		(void)fclose(f);
	}
	for (size_t i = 0; i < ARRAY_SIZE(zone); i++)
		if (strcmp(zone[i].name, name) == 0)
			return write_answer(
			    name, type, zone[i].addresses, answer);
	state->res_h_errno =
	    strcmp(name, "late.example") == 0 ? TRY_AGAIN : HOST_NOT_FOUND;
	return -1;
}

struct bed {
	pid_t pid; /* the sidecar */
	int server; /* listens at 127.0.0.1 */
	unsigned port;
	char *socket, *conf, *log, *asked; /* owned */
};

static void
read_file(const char *path, struct strbuf *out)
{
	char buf[4096];
	ssize_t n;
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	strbuf_reset(out);
	while (fd != -1 && (n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(out, buf, (size_t)n);
}

static void
write_hosts(const struct bed *b, const char *more)
{
	static const char *const names[] = { "one.example", "second.example",
		"mixed.example", "six.example", "mapped.example",
		"nat64.example", "cgnat.example", "own.example", "none.example",
		"late.example", "silent.example" };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		strbuf_addf(
		    &text, "connect name %s %u public\n", names[i], b->port);
	strbuf_addf(&text,
	    "connect below b.example %u public\n"
	    "http name one.example %u public\n"
	    "connect name meta.example %u private\n%s",
	    b->port, b->port, b->port, more);
	kit_replace_file(b->conf, "hosts", text.buf);
}

static void
bed_open(struct bed *b)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { 20, 0 };
	socklen_t len = sizeof(in);

	*b = (struct bed){ .server =
			       socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	CHECK_INT(bind(b->server, (struct sockaddr *)&in, sizeof(in)), 0);
	CHECK_INT(listen(b->server, 64), 0);
	CHECK_INT(getsockname(b->server, (struct sockaddr *)&in, &len), 0);
	(void)setsockopt(
	    b->server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	b->port = ntohs(in.sin_port);
	b->socket = xasprintf("%s/s", check_tmpdir());
	b->conf = xasprintf("%s/conf", check_tmpdir());
	b->log = xasprintf("%s/log", check_tmpdir());
	b->asked = xasprintf("%s/asked", check_tmpdir());
	CHECK_INT(mkdir(b->conf, 0700), 0);
	CHECK_INT(mkdir(b->log, 0700), 0);
	CHECK_INT(setenv("ASKED", b->asked, 1), 0);
	write_hosts(b, "");
	kit_replace_file(b->conf, "host-addresses", "203.0.112.7\n");
	(void)fflush(stdout);
	b->pid = fork();
	if (b->pid == 0) {
		struct diag dg = DIAG_INIT;
		const struct egress_spec spec = { b->socket, b->conf, b->log,
			NULL, 0 };

		(void)close(b->server);
		(void)signal(SIGPIPE, SIG_IGN);
		_exit(egress_run(&spec, &dg) == 0 ? 0 : 1);
	}
	(void)close(kit_connect(b->socket));
}

static void
bed_close(struct bed *b)
{
	int status = -1;

	CHECK_INT(kill(b->pid, SIGTERM), 0);
	CHECK_INT(waitpid(b->pid, &status, 0), b->pid);
	CHECK_INT(status, 0);
	(void)close(b->server);
	free(b->socket);
	free(b->conf);
	free(b->log);
	free(b->asked);
}

/* Reads to the end. */
static bool
ends_with(int fd, const char *text, struct strbuf *out)
{
	char buf[4096];
	ssize_t n;

	strbuf_reset(out);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		strbuf_add(out, buf, (size_t)n);
	return n == 0 && out->len >= strlen(text) &&
	    strcmp(out->buf + out->len - strlen(text), text) == 0;
}

/* Returned: the request for a tunnel to the server's port of a host. */
static char *
connect_to(const struct bed *b, const char *host)
{
	return xasprintf("CONNECT %s:%u HTTP/1.1\r\n\r\n", host, b->port);
}

/* Sends a request; out gets the whole answer. */
static void
ask(const struct bed *b, const char *request, struct strbuf *out)
{
	cleanup_close int fd = kit_connect(b->socket);

	CHECK(kit_writes(fd, request));
	CHECK(ends_with(fd, "", out));
}

#define DONE "HTTP/1.1 200 Connection established\r\n\r\n"

/* Opens a tunnel; returns the client's end. */
static int
tunnel(const struct bed *b, const char *host, int *ret_server)
{
	cleanup_free char *request = connect_to(b, host);
	int fd = kit_connect(b->socket);

	CHECK(kit_writes(fd, request));
	CHECK(kit_reads(fd, DONE));
	*ret_server = accept4(b->server, NULL, NULL, SOCK_CLOEXEC);
	return fd;
}

static bool
has(const struct strbuf *text, const char *part)
{
	return CHECK(strstr(text->buf, part) != NULL);
}

static void
test_tunnel(void)
{
	static const char *const names[] = { "one.example", "ONE.example.",
		"second.example", "below.b.example" };
	cleanup_strbuf struct strbuf rest = STRBUF_INIT;
	struct bed b;
	int server;

	bed_open(&b);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int client = tunnel(&b, names[i], &server);

		CHECK(kit_writes(client, "question"));
		CHECK(kit_reads(server, "question"));
		/* The answer comes when the client has long finished. */
		CHECK_INT(shutdown(client, SHUT_WR), 0);
		CHECK(ends_with(server, "", &rest));
		(void)poll(NULL, 0, 300);
		CHECK(kit_writes(server, "answer"));
		(void)close(server);
		CHECK(ends_with(client, "answer", &rest));
		(void)close(client);
	}
	bed_close(&b);
}

/* Bytes behind the head belong to the tunnel. */
static void
test_early_bytes(void)
{
	struct bed b;
	int client, server;
	cleanup_free char *request = NULL;

	bed_open(&b);
	request = xasprintf(
	    "CONNECT one.example:%u HTTP/1.1\r\n\r\nearly\r\n\r\n", b.port);
	client = kit_connect(b.socket);
	CHECK(kit_writes(client, request));
	CHECK(kit_reads(client, DONE));
	server = accept4(b.server, NULL, NULL, SOCK_CLOEXEC);
	CHECK(kit_reads(server, "early\r\n\r\n"));
	(void)close(client);
	(void)close(server);
	bed_close(&b);
}

static void
test_refusals(void)
{
	static const struct {
		const char *request; /* %u is the port */
		const char *parts[3];
	} rows[] = {
		{ "CONNECT ready.drydock.invalid:443 HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 drydock refused ready.drydock.invalid:443: "
		      "it is not on the allowlist\r\n",
			"\r\nX-Drydock-Refused: list\r\n",
			"drydock refused CONNECT ready.drydock.invalid: this "
			"session's allowlist does not have it." } },
		{ "CONNECT one.example:1 HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 drydock refused one.example:1: the "
		      "allowlist has another port or protocol\r\n",
			"\r\nX-Drydock-Refused: port\r\n", "\n" } },
		{ "GET http://one.example/ HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 drydock refused http://one.example: ",
			"\r\nX-Drydock-Refused: port\r\n",
			"drydock refused GET one.example: " } },
		{ "CONNECT mixed.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 drydock refused mixed.example:",
			": it leads to a private or special address\r\n",
			"\r\nX-Drydock-Refused: address\r\n" } },
		{ "CONNECT six.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 ", "Refused: address\r\n", "\n" } },
		{ "CONNECT mapped.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 ", "Refused: address\r\n", "\n" } },
		{ "CONNECT nat64.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 ", "Refused: address\r\n", "\n" } },
		{ "CONNECT cgnat.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 ", "Refused: address\r\n", "\n" } },
		{ "CONNECT own.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 ", "Refused: address\r\n", "\n" } },
		/* Also with "private". */
		{ "CONNECT meta.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 403 ", "Refused: address\r\n", "\n" } },
		{ "CONNECT none.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 503 Service Unavailable\r\n",
			"none.example:", ": DNS has no address for it\n" } },
		{ "CONNECT late.example:%u HTTP/1.1\r\n\r\n",
		    { "HTTP/1.1 504 Gateway Timeout\r\n",
			"late.example:", ": DNS did not answer\n" } },
		{ "POST http://one.example:%u/ HTTP/1.1\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		    { "HTTP/1.1 411 Length Required\r\n", "\r\n\r\n", "\n" } },
		{ "GET / HTTP/1.1\r\nHost: one.example\r\n\r\n",
		    { "HTTP/1.1 400 Bad Request\r\n", "\r\n\r\n", "\n" } },
	};
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	struct bed b;

	bed_open(&b);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf request = STRBUF_INIT;
		const char *port = strstr(rows[i].request, "%u");

		if (port == NULL)
			strbuf_addstr(&request, rows[i].request);
		else
			strbuf_addf(&request, "%.*s%u%s",
			    (int)(port - rows[i].request), rows[i].request,
			    b.port, port + 2);
		ask(&b, request.buf, &got);
		for (size_t p = 0; p < ARRAY_SIZE(rows[i].parts); p++)
			has(&got, rows[i].parts[p]);
		has(&got, "\r\nConnection: close\r\n");
	}
	/* Nobody was connected to. */
	(void)fcntl(b.server, F_SETFL, O_NONBLOCK);
	CHECK_INT(accept(b.server, NULL, NULL), -1);
	CHECK_INT(errno, EAGAIN);
	bed_close(&b);
}

/* A name that is not listed is not asked for. */
static void
test_no_lookup(void)
{
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	struct bed b;
	cleanup_free char *request = NULL;

	bed_open(&b);
	request = connect_to(&b, "b.example");
	ask(&b, "CONNECT data.evil.example:443 HTTP/1.1\r\n\r\n", &got);
	ask(&b, "CONNECT one.example:444 HTTP/1.1\r\n\r\n", &got);
	ask(&b, request, &got);
	CHECK_INT(access(b.asked, F_OK), -1);
	free(request);
	request = connect_to(&b, "none.example");
	ask(&b, request, &got);
	read_file(b.asked, &got);
	CHECK_STR(got.buf, "none.example\nnone.example\n");
	bed_close(&b);
}

/* More lookups than run at once, and clients that leave during one. */
static void
test_many_lookups(void)
{
	enum {
		MANY = 60
	};
	struct bed b;
	int clients[MANY];
	cleanup_free char *request = NULL;

	bed_open(&b);
	request = connect_to(&b, "one.example");
	for (size_t i = 0; i < MANY; i++) {
		clients[i] = kit_connect(b.socket);
		CHECK(kit_writes(clients[i], request));
		if (i % 3 == 0)
			(void)close(clients[i]);
	}
	for (size_t i = 0; i < MANY; i++) {
		if (i % 3 == 0)
			continue;
		CHECK(kit_reads(clients[i], DONE));
		(void)close(clients[i]);
	}
	bed_close(&b);
}

/* Names whose server does not answer, one more than may wait. */
static void
test_too_many_lookups(void)
{
	enum {
		FULL = LOOKUP_RUNNING + LOOKUP_WAITING
	};
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	struct pollfd p[FULL + 1];
	struct bed b;
	cleanup_free char *request = NULL;
	cleanup_free char *good = NULL;
	size_t refused = 0;

	bed_open(&b);
	request = connect_to(&b, "silent.example");
	good = connect_to(&b, "one.example");
	for (size_t i = 0; i <= FULL; i++) {
		p[i] = (struct pollfd){ kit_connect(b.socket), POLLIN, 0 };
		CHECK(kit_writes(p[i].fd, request));
	}
	/* The proxy takes them in any order. */
	CHECK_INT(poll(p, ARRAY_SIZE(p), 20000), 1);
	while (refused < FULL && p[refused].revents == 0)
		refused++;
	CHECK(ends_with(p[refused].fd, "", &got));
	has(&got, "HTTP/1.1 503 Service Unavailable\r\n");
	has(&got, ": too many names are being resolved\n");
	ask(&b, good, &got);
	has(&got, ": too many names are being resolved\n");
	for (size_t i = 0; i <= FULL; i++)
		(void)close(p[i].fd);
	p[0].fd = kit_connect(b.socket);
	CHECK(kit_writes(p[0].fd, good));
	CHECK(kit_reads(p[0].fd, DONE));
	(void)close(p[0].fd);
	bed_close(&b);
}

static void
test_closed_port(void)
{
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	struct bed b;
	cleanup_free char *request = NULL;

	bed_open(&b);
	request = connect_to(&b, "one.example");
	(void)close(b.server);
	ask(&b, request, &got);
	has(&got, "HTTP/1.1 503 Service Unavailable\r\n");
	has(&got, ": Connection refused\n");
	bed_close(&b);
}

/* One request with its body, and one answer; nothing else. */
static void
test_exchange(void)
{
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	struct bed b;
	cleanup_free char *request = NULL;
	cleanup_free char *want = NULL;
	int client, server;

	bed_open(&b);
	request = xasprintf("POST http://one.example:%u/x HTTP/1.1\r\n"
			    "Host: evil.example\r\nContent-Length: 5\r\n"
			    "Proxy-Connection: keep-alive\r\n\r\nab",
	    b.port);
	want = xasprintf("POST /x HTTP/1.1\r\nHost: one.example:%u\r\n"
			 "Content-Length: 5\r\nConnection: close\r\n\r\nab",
	    b.port);
	client = kit_connect(b.socket);
	CHECK(kit_writes(client, request));
	server = accept4(b.server, NULL, NULL, SOCK_CLOEXEC);
	CHECK(kit_reads(server, want));
	/* Only three bytes are the body's. */
	CHECK(
	    kit_writes(client, "cdeGET http://evil.example/ HTTP/1.1\r\n\r\n"));
	CHECK(kit_reads(server, "cde"));
	CHECK(kit_writes(server, "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTT"));
	CHECK(kit_reads(client, "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTT"));
	CHECK(kit_writes(client, "more"));
	CHECK(kit_writes(
	    server, "P/1.1 404 No\r\nB: c\r\n\r\nHTTP/1.1 200 x\r\n"));
	CHECK(kit_reads(client,
	    "P/1.1 404 No\r\nConnection: close\r\nB: c\r\n\r\n"
	    "HTTP/1.1 200 x\r\n"));
	/* The client's end is not passed on: it is no end of the exchange. */
	CHECK_INT(shutdown(client, SHUT_WR), 0);
	(void)fcntl(server, F_SETFL, O_NONBLOCK);
	(void)poll(NULL, 0, 100);
	CHECK_INT(recv(server, (char[1]){ 0 }, 1, 0), -1);
	CHECK_INT(errno, EAGAIN);
	(void)close(server);
	CHECK(ends_with(client, "", &got));
	CHECK_INT(got.len, 0);
	(void)close(client);
	bed_close(&b);
}

/* A body that is cut off is no whole request to the server. */
static void
test_cut_body(void)
{
	struct bed b;
	cleanup_free char *request = NULL;
	int client, server;
	char buf[512];

	bed_open(&b);
	request = xasprintf("POST http://one.example:%u/ HTTP/1.1\r\n"
			    "Content-Length: 5\r\n\r\nab",
	    b.port);
	client = kit_connect(b.socket);
	CHECK(kit_writes(client, request));
	server = accept4(b.server, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(shutdown(client, SHUT_WR), 0);
	while (recv(server, buf, sizeof(buf), 0) > 0)
		continue;
	CHECK_INT(errno, ECONNRESET);
	(void)close(client);
	(void)close(server);
	bed_close(&b);
}

static void
test_log(void)
{
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	cleanup_strbuf struct strbuf want = STRBUF_INIT;
	struct bed b;
	cleanup_free char *path = NULL;
	cleanup_free char *request = NULL;
	int server;
	char *rest;
	char *line;

	bed_open(&b);
	(void)close(tunnel(&b, "one.example", &server));
	(void)close(server);
	ask(&b, "CONNECT x.example:443 HTTP/1.1\r\n\r\n", &got);
	ask(&b, "GET http://X.example/a/b?secret HTTP/1.1\r\n\r\n", &got);
	ask(&b, "GET http://\033[2J/ HTTP/1.1\r\n\r\n", &got);
	request = connect_to(&b, "own.example");
	ask(&b, request, &got);
	strbuf_addf(&want,
	    "200 CONNECT one.example:%u CONNECTED -\n"
	    "403 CONNECT x.example:443 DENIED ERR_DRYDOCK_REFUSED\n"
	    "403 GET http://x.example/a/b DENIED ERR_DRYDOCK_REFUSED\n"
	    "400 NONE error:invalid-request NONE -\n"
	    "403 CONNECT own.example:%u DENIED ERR_DRYDOCK_ADDRESS\n",
	    b.port, b.port);
	path = xasprintf("%s/" PROXYLOG_NEW, b.log);
	read_file(path, &got);
	/* Without the times. */
	rest = want.buf;
	for (char *at = got.buf; (line = strsep(&at, "\n")) != NULL;) {
		const char *expected = strsep(&rest, "\n");

		if (*line == '\0')
			break;
		CHECK(strtoll(line, &line, 10) > 1000000000);
		CHECK_STR(line + 1, expected);
	}
	CHECK_STR(rest, NULL);
	bed_close(&b);
}

/* Asks until the answer begins with want. */
static bool
turns_to(const struct bed *b, const char *request, const char *want)
{
	cleanup_strbuf struct strbuf got = STRBUF_INIT;

	for (int i = 0; i < 1000; i++) {
		ask(b, request, &got);
		if (strncmp(got.buf, want, strlen(want)) == 0)
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

static void
test_reload(void)
{
	cleanup_strbuf struct strbuf log = STRBUF_INIT;
	struct bed b;
	cleanup_free char *request = NULL;
	cleanup_free char *line = NULL;
	cleanup_free char *path = NULL;
	int client, server;

	bed_open(&b);
	request = connect_to(&b, "none2.example");
	line = xasprintf("connect name none2.example %u public\n", b.port);
	path = xasprintf("%s/" PROXYLOG_NEW, b.log);
	client = tunnel(&b, "one.example", &server);
	CHECK(turns_to(&b, request, "HTTP/1.1 403 "));
	write_hosts(&b, line);
	CHECK(turns_to(&b, request, "HTTP/1.1 503 "));
	/* The last good list stays, and both logs say why. */
	kit_replace_file(b.conf, "hosts", "connect name * 443 public\n");
	for (int i = 0; i < 1000 && strstr(log.buf, "\n# ") == NULL; i++) {
		(void)poll(NULL, 0, 10);
		read_file(path, &log);
	}
	has(&log,
	    " the list is unchanged, as the new one cannot be read: "
	    "hosts:1: not understood\n");
	CHECK(turns_to(&b, request, "HTTP/1.1 503 "));
	kit_replace_file(b.conf, "hosts", "");
	CHECK(turns_to(&b, request, "HTTP/1.1 403 "));
	/* A connection that was allowed goes on. */
	CHECK(kit_writes(client, "still"));
	CHECK(kit_reads(server, "still"));
	(void)close(client);
	(void)close(server);
	bed_close(&b);
}

/* An address of the host's that comes while the proxy runs. */
static void
test_new_address(void)
{
	struct bed b;
	cleanup_free char *request = NULL;

	bed_open(&b);
	write_hosts(&b, "connect address 198.51.100.7 1 private\n");
	request = xstrdup("CONNECT 198.51.100.7:1 HTTP/1.1\r\n\r\n");
	kit_replace_file(b.conf, "host-addresses", "198.51.100.7\n");
	CHECK(turns_to(&b, request, "HTTP/1.1 403 "));
	bed_close(&b);
}

static void
test_endless_head(void)
{
	cleanup_strbuf struct strbuf head = STRBUF_INIT;
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	struct bed b;

	bed_open(&b);
	strbuf_addstr(&head, "GET http://one.example/ HTTP/1.1\r\n");
	while (head.len <= PROXY_HEAD_MAX)
		strbuf_addstr(&head, "A: 0123456789012345678901234567890\r\n");
	ask(&b, head.buf, &got);
	has(&got, "HTTP/1.1 431 ");
	bed_close(&b);
}

/* A head may come in pieces of any size. */
static void
test_slow_head(void)
{
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	static const char head[] = "CONNECT x.example:443 HTTP/1.1\r\n\r\n";
	struct bed b;
	int fd;

	bed_open(&b);
	fd = kit_connect(b.socket);
	for (size_t i = 0; i < strlen(head); i++) {
		CHECK_INT(send(fd, head + i, 1, MSG_NOSIGNAL), 1);
		(void)poll(NULL, 0, 1);
	}
	CHECK(ends_with(fd, "", &got));
	has(&got, "HTTP/1.1 403 ");
	(void)close(fd);
	bed_close(&b);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "a tunnel leads to each name that the list has",
		    test_tunnel },
		{ "bytes behind the head are the tunnel's", test_early_bytes },
		{ "each refusal says what and why", test_refusals },
		{ "a name that is not listed is never resolved",
		    test_no_lookup },
		{ "many lookups at once", test_many_lookups },
		{ "more lookups than may wait", test_too_many_lookups },
		{ "a port that nothing listens at is said", test_closed_port },
		{ "plain HTTP is one request and one answer", test_exchange },
		{ "a body that is cut off breaks the request", test_cut_body },
		{ "the log has each request, and no query", test_log },
		{ "a new list is used at once, and a bad one never",
		    test_reload },
		{ "a new address of the host's is refused", test_new_address },
		{ "a head has a limit", test_endless_head },
		{ "a head may come in pieces", test_slow_head },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
