/* SPDX-License-Identifier: MIT */
/* Both relays between them: 127.0.0.1 to a socket, the socket to 127.0.0.1. */
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
#include "guest/proxylog.h"
#include "holder-kit.h"

/* More than the kernel's buffers on the way hold. */
#define BIG ((size_t)32 << 20)
#define MANY 200

/* The holder's relay, the sidecar's, and a server behind both. */
struct chain {
	struct kit agent, sidecar;
	char socket[200];
	char port[2][8]; /* the agent's, the proxy's */
	int server; /* listens at the proxy's port, or -1 */
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

static bool
start_sidecar(struct chain *c, const char *script)
{
	const char *const argv[] = { "egress", "--socket", c->socket, "--port",
		c->port[1], "--", "/bin/sh", "-c", script, NULL };
	return kit_make(&c->sidecar) && kit_spawn(&c->sidecar, argv);
}

static bool
start_chain(struct chain *c)
{
	c->server = listen_anywhere(c->port[1]);
	if (!start_agent(c) || !start_sidecar(c, "exec sleep 1000"))
		return false;
	(void)close(kit_connect(c->socket));
	(void)close(accept(c->server, NULL, NULL));
	return true;
}

static void
stop_chain(struct chain *c)
{
	CHECK_INT(kill(c->sidecar.pid, SIGTERM), 0);
	CHECK_INT(kit_wait(&c->sidecar), 143);
	CHECK_INT(kill(c->agent.pid, SIGTERM), 0);
	CHECK_INT(kit_wait(&c->agent), 143);
	(void)close(c->server);
}

/* A client's and the server's end of one connection through the chain. */
static bool
make_pair(const struct chain *c, int ret_fds[2])
{
	ret_fds[0] = connect_tcp(c->port[0]);
	ret_fds[1] = accept4(c->server, NULL, NULL, SOCK_CLOEXEC);
	struct timeval patience = { 20, 0 };
	(void)setsockopt(
	    ret_fds[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return CHECK(ret_fds[0] != -1 && ret_fds[1] != -1);
}

static bool
passes(int from, int to, const char *text)
{
	char buf[64] = "";
	size_t len = strlen(text);
	return send(from, text, len, MSG_NOSIGNAL) == (ssize_t)len &&
	    recv(to, buf, len, MSG_WAITALL) == (ssize_t)len &&
	    memcmp(buf, text, len) == 0;
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
		CHECK(passes(fds[first], fds[!first], "question"));
		CHECK_INT(shutdown(fds[first], SHUT_WR), 0);
		CHECK_INT(recv(fds[!first], &byte, 1, 0), 0);
		/* Longer than the half second that socat waits. */
		(void)poll(NULL, 0, 700);
		CHECK(passes(fds[!first], fds[first], "answer"));
		CHECK_INT(shutdown(fds[!first], SHUT_WR), 0);
		CHECK_INT(recv(fds[first], &byte, 1, 0), 0);
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
	stop_chain(&c);
}

/* What the client gets for this request and this answer of the proxy's. */
static void
converse(const struct chain *c, const char *request, const char *answer,
    const char *want)
{
	char got[1024] = "";
	int fds[2];
	if (!make_pair(c, fds))
		return;
	CHECK(passes(fds[0], fds[1], request));
	CHECK_INT(send(fds[1], answer, strlen(answer), MSG_NOSIGNAL),
	    (ssize_t)strlen(answer));
	CHECK_INT(shutdown(fds[1], SHUT_WR), 0);
	(void)recv(fds[0], got, sizeof(got) - 1, MSG_WAITALL);
	CHECK_STR(got, want);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* The first line names the host; everything else passes as it is. */
static void
a_refusal_names_the_host(void)
{
#define ASK "CONNECT a.example:443 HTTP/1.1\r\n\r\n"
#define TAIL "Content-Length: 1\r\n\r\nx"
#define REFUSED "X-Squid-Error: ERR_DRYDOCK_REFUSED 0\r\n" TAIL
#define PORT "X-Squid-Error: ERR_DRYDOCK_PORT 0\r\n" TAIL
#define FORBIDDEN "HTTP/1.1 403 Forbidden\r\n"
	static const struct {
		const char *request;
		const char *answer;
		const char *want; /* NULL: the answer */
	} rows[] = {
		{ ASK, FORBIDDEN REFUSED,
		    "HTTP/1.1 403 drydock refused a.example:443: it is not on "
		    "the allowlist\r\n" REFUSED },
		{ ASK, FORBIDDEN PORT,
		    "HTTP/1.1 403 drydock refused a.example:443: the allowlist "
		    "has another port or protocol\r\n" PORT },
		/* Not drydock's refusal, not a CONNECT, no plain host. */
		{ ASK, FORBIDDEN TAIL, NULL },
		{ ASK, FORBIDDEN TAIL "\r\n" REFUSED, NULL },
		{ ASK, "HTTP/1.1 200 OK\r\n" REFUSED, NULL },
		{ ASK, "HTTP/1.1 403 Forb", NULL },
		{ ASK, "", NULL },
		{ "GET http://a.example/ HTTP/1.1\r\n\r\n", FORBIDDEN REFUSED,
		    NULL },
		{ "CONNECT a\033[2J:443 HTTP/1.1\r\n\r\n", FORBIDDEN REFUSED,
		    NULL },
		{ "CONNECT a.example:443", FORBIDDEN REFUSED, NULL },
	};
	struct chain c;
	if (!start_chain(&c))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		converse(&c, rows[i].request, rows[i].answer,
		    rows[i].want != NULL ? rows[i].want : rows[i].answer);
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
		CHECK(passes(fds[i][0], fds[i][1], "out"));
		CHECK(passes(fds[i][1], fds[i][0], "back"));
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
	if (!start_sidecar(&c, "exec sleep 1000"))
		return;
	(void)close(kit_connect(c.socket));
	(void)close(accept(c.server, NULL, NULL));
	int fds[2];
	if (make_pair(&c, fds))
		CHECK(passes(fds[0], fds[1], "now"));
	stop_chain(&c);
}

static void
proxy_that_is_down_resets(void)
{
	struct chain c;
	char byte;
	if (!start_chain(&c))
		return;
	(void)close(c.server);
	int fd = connect_tcp(c.port[0]);
	CHECK(recv(fd, &byte, 1, 0) <= 0);
	(void)close(fd);
	c.server = -1;
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
	if (!start_agent(&c))
		return;
	const char *const argv[] = { "egress", "--socket", c.socket, "--port",
		c.port[1], "--", "/bin/sleep", "1000", NULL };
	if (!kit_make(&c.sidecar))
		return;
	c.sidecar.in_child = limit_files;
	if (!kit_spawn(&c.sidecar, argv))
		return;
	(void)close(kit_connect(c.socket));
	(void)close(accept(c.server, NULL, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_tcp(c.port[0]);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		int fd = accept(c.server, NULL, NULL);
		CHECK(passes(fds[i], fd, "hello"));
		(void)close(fds[i]);
		(void)close(fd);
	}
	stop_chain(&c);
}

/* The proxy starts in the boot that the file names, and in no later one. */
static void
a_later_boot_starts_no_proxy(void)
{
	for (int later = 0; later < 2; later++) {
		struct chain c = { .server = -1 };
		cleanup_free char *addresses =
		    xasprintf("%s/host-addresses", check_tmpdir());
		cleanup_free char *boot =
		    xasprintf("%s/boot-id", check_tmpdir());
		cleanup_free char *command =
		    xasprintf(later ? "echo another >%s"
				    : "cat /proc/sys/kernel/random/boot_id >%s",
			boot);
		const char *const argv[] = { "egress", "--socket", c.socket,
			"--port", "1", "--addresses", addresses, "--",
			"/bin/sh", "-c", "exit 7", NULL };
		pid_t pid;
		(void)fflush(stdout);
		pid = fork();
		if (pid == 0) {
			(void)execl("/bin/sh", "sh", "-c", command, NULL);
			_exit(127);
		}
		CHECK_INT(waitpid(pid, NULL, 0), pid);
		(void)snprintf(c.socket, sizeof(c.socket), "%s/egress.sock",
		    check_tmpdir());
		if (!kit_make(&c.sidecar) || !kit_spawn(&c.sidecar, argv))
			return;
		CHECK_INT(kit_wait(&c.sidecar), later ? 0 : 7);
		CHECK_INT(unlink(boot), 0);
	}
}

static void
sidecar_ends_as_its_proxy(void)
{
	static const struct {
		const char *script;
		int signal, status;
	} rows[] = {
		{ "exit 7", 0, 7 },
		{ "kill -9 $$", 0, 137 },
		{ "trap 'exit 0' TERM; echo $$ >$READY; while :; do "
		  "sleep .05; done",
		    SIGTERM, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct chain c = { .server = -1 };
		char ready[200];
		struct stat st;
		(void)snprintf(
		    ready, sizeof(ready), "%s/ready", check_tmpdir());
		CHECK_INT(setenv("READY", ready, 1), 0);
		(void)snprintf(c.socket, sizeof(c.socket), "%s/egress.sock",
		    check_tmpdir());
		pick_port(c.port[1]);
		if (!start_sidecar(&c, rows[i].script))
			return;
		while (rows[i].signal != 0 && stat(ready, &st) == -1)
			(void)poll(NULL, 0, 5);
		if (rows[i].signal != 0) {
			CHECK_INT(stat(c.socket, &st), 0);
			CHECK_INT(st.st_mode & 0777, 0666);
			CHECK_INT(kill(c.sidecar.pid, rows[i].signal), 0);
		}
		CHECK_INT(kit_wait(&c.sidecar), rows[i].status);
	}
}

static void
absent_proxy_is_said(void)
{
	struct chain c = { .server = -1 };
	cleanup_strbuf struct strbuf err = STRBUF_INIT;
	(void)snprintf(
	    c.socket, sizeof(c.socket), "%s/egress.sock", check_tmpdir());
	const char *const argv[] = { "egress", "--socket", c.socket, "--",
		"/no/such/squid", NULL };
	if (!kit_make(&c.sidecar) || !kit_spawn(&c.sidecar, argv))
		return;
	CHECK_INT(kit_wait(&c.sidecar), 74);
	kit_read_error(&c.sidecar, &err);
	CHECK_STR(err.buf,
	    "drydock: run /no/such/squid: No such file or directory\n");
}

/* What stands in for the proxy: a byte to the file for each HUP. */
static int
count_hups(const char *path)
{
	sigset_t set;
	int sig;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGHUP, SIG_DFL);
	for (;;) {
		if (write(fd, "x", 1) != 1 || sigwait(&set, &sig) != 0)
			return 1;
	}
}

static bool
grows_to(const char *path, off_t size)
{
	struct stat st;
	for (int i = 0; i < 4000; i++) {
		if (stat(path, &st) == 0 && st.st_size >= size)
			return true;
		(void)poll(NULL, 0, 5);
	}
	return false;
}

static void
write_addresses(const char *path, const char *text)
{
	cleanup_free char *temp = xasprintf("%s.new", path);
	FILE *f = fopen(temp, "we");
	CHECK(f != NULL && fputs(text, f) >= 0);
	CHECK(f != NULL && fclose(f) == 0);
	CHECK_INT(rename(temp, path), 0);
}

/* late: the directory is made later, so that there is none to watch. */
static void
reload_on_change(bool late)
{
	struct chain c = { .server = -1 };
	cleanup_free char *dir = xasprintf("%s/conf", check_tmpdir());
	cleanup_free char *file = xasprintf("%s/addresses", dir);
	cleanup_free char *hups = xasprintf("%s/hups", check_tmpdir());
	char self[PATH_MAX] = "";
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	const char *const argv[] = { "egress", "--socket", c.socket, "--port",
		c.port[1], "--addresses", file, "--", self, "hups", hups,
		NULL };
	(void)snprintf(
	    c.socket, sizeof(c.socket), "%s/egress.sock", check_tmpdir());
	pick_port(c.port[1]);
	if (!late) {
		CHECK_INT(mkdir(dir, 0700), 0);
		write_addresses(file, "192.0.2.1\n");
	}
	if (!kit_make(&c.sidecar) || !kit_spawn(&c.sidecar, argv))
		return;
	CHECK(grows_to(hups, 1));
	if (late)
		CHECK_INT(mkdir(dir, 0700), 0);
	write_addresses(file, "192.0.2.1\n192.0.2.2\n");
	CHECK(grows_to(hups, 2));
	write_addresses(file, "192.0.2.2\n");
	CHECK(grows_to(hups, 3));
	CHECK_INT(kill(c.sidecar.pid, SIGTERM), 0);
	CHECK_INT(kit_wait(&c.sidecar), 143);
}

static void
proxy_reloads(void)
{
	reload_on_change(false);
}

static void
proxy_reloads_without_inotify(void)
{
	reload_on_change(true);
}

/* What stands in for the proxy: lines "1" to the number, then it waits. */
static int
write_lines(const char *path, unsigned long nr)
{
	FILE *f = fopen(path, "we");
	for (unsigned long i = 1; f != NULL && i <= nr; i++)
		(void)fprintf(f, "%01000lu\n", i);
	if (f == NULL || fclose(f) != 0)
		return 1;
	for (;;)
		(void)pause();
}

/* Which lines a file has, and what its first says was dropped before. */
struct lines {
	unsigned long first, last, dropped;
};

static struct lines
read_lines(const char *path)
{
	static const char head[] = PROXYLOG_DROPPED;
	struct lines l = { 0, 0, 0 };
	char line[2000];
	FILE *f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, head, strlen(head)) == 0) {
			l.dropped = strtoul(line + strlen(head), NULL, 10);
			continue;
		}
		/* The last one may be on its way. */
		if (strchr(line, '\n') == NULL)
			break;
		l.last = strtoul(line, NULL, 10);
		CHECK(l.first == 0 || strlen(line) == 1001);
		if (l.first == 0)
			l.first = l.last;
	}
	if (f != NULL)
		(void)fclose(f);
	return l;
}

/* Nothing between the two files is lost, and each line is counted once. */
static void
log_keeps_the_newest(void)
{
	static const unsigned long runs[] = { 100, 3000, 9000 };
	unsigned long written = 0;
	cleanup_free char *dir = xasprintf("%s/log", check_tmpdir());
	cleanup_free char *path = xasprintf("%s/access.log", dir);
	cleanup_free char *new = xasprintf("%s/" PROXYLOG_NEW, dir);
	cleanup_free char *old = xasprintf("%s/" PROXYLOG_OLD, dir);
	char self[PATH_MAX] = "";
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	CHECK_INT(mkdir(dir, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		struct chain c = { .server = -1 };
		char number[24];
		struct stat st;
		struct lines last = { 0, 0, 0 };
		struct lines before;
		const char *const argv[] = { "egress", "--socket", c.socket,
			"--port", c.port[1], "--log", path, "--", self, "lines",
			path, number, NULL };
		(void)snprintf(number, sizeof(number), "%lu", runs[i]);
		(void)snprintf(c.socket, sizeof(c.socket), "%s/egress.sock",
		    check_tmpdir());
		pick_port(c.port[1]);
		if (!kit_make(&c.sidecar) || !kit_spawn(&c.sidecar, argv))
			return;
		for (int n = 0; n < 4000 && last.last != runs[i]; n++) {
			(void)poll(NULL, 0, 5);
			last = read_lines(new);
		}
		CHECK_INT(last.last, runs[i]);
		CHECK_INT(kill(c.sidecar.pid, SIGTERM), 0);
		CHECK_INT(kit_wait(&c.sidecar), 143);
		written += runs[i];
		CHECK_INT(stat(new, &st), 0);
		CHECK(st.st_size <= (off_t)PROXYLOG_HALF + 1001);
		if (i == 0) {
			CHECK_INT(stat(old, &st), -1);
			continue;
		}
		before = read_lines(old);
		CHECK_INT(stat(old, &st), 0);
		CHECK(st.st_size > (off_t)PROXYLOG_HALF - 1001);
		CHECK(st.st_size <= (off_t)PROXYLOG_HALF + 1001);
		CHECK_INT(before.last + 1, last.first);
		if (i == 2)
			CHECK_INT(last.dropped + before.last - before.first +
				1 + last.last - last.first + 1,
			    written);
	}
}

static const struct check_test tests[] = {
	{ "half-closed streams go on for as long as they like",
	    half_closed_streams_go_on },
	{ "after another boot the proxy does not start",
	    a_later_boot_starts_no_proxy },
	{ "a refusal names the host, and nothing else is changed",
	    a_refusal_names_the_host },
	{ "much data comes whole, and a slow end is waited for",
	    much_data_comes_whole },
	{ "two hundred connections at once", two_hundred_at_once },
	{ "a reset is passed on", reset_is_passed_on },
	{ "an absent or stale socket resets, until it is there",
	    absent_socket_resets },
	{ "a proxy that is down resets", proxy_that_is_down_resets },
	{ "few descriptors are enough", few_descriptors_are_enough },
	{ "the sidecar ends as its proxy does", sidecar_ends_as_its_proxy },
	{ "an absent proxy is said", absent_proxy_is_said },
	{ "the proxy hears of other addresses", proxy_reloads },
	{ "and where nothing can be watched", proxy_reloads_without_inotify },
	{ "of the log the newest lines are kept, the rest is counted",
	    log_keeps_the_newest },
};

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "hups") == 0)
		return count_hups(argv[2]);
	if (argc == 4 && strcmp(argv[1], "lines") == 0)
		return write_lines(argv[2], strtoul(argv[3], NULL, 10));
	return check_run(tests, ARRAY_SIZE(tests));
}
