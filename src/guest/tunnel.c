/* SPDX-License-Identifier: MIT */
/* Connects through the proxy, and copies both directions. */
#include "guest/tunnel.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/listen.h"
#include "base/strbuf.h"
#include "base/xalloc.h"

#define HEAD_MAX ((size_t)65536)
#define HOST_MAX ((size_t)255)
#define CHUNK ((size_t)65536)

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Copies until the end of from, or until to accepts no more. */
static void
copy(int from, int to)
{
	cleanup_free char *buf = xmalloc(CHUNK);
	for (;;) {
		ssize_t n = read(from, buf, CHUNK);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0 || write_all(to, buf, (size_t)n) == -1)
			return;
	}
}

/* Nothing in it can start another header line, or another request. */
static int
check_host(const char *host, const char *port, struct diag *dg)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
	size_t len = strlen(host);
	size_t digits = strlen(port);
	if (len == 0 || len > HOST_MAX || strspn(host, letters) != len)
		return diag_set(dg, DIAG_USAGE, "%s: not a host name", host);
	if (digits == 0 || digits > 5 || strspn(port, "0123456789") != digits)
		return diag_set(dg, DIAG_USAGE, "%s: not a port", port);
	return 0;
}

static int
send_request(int fd, const char *host, const char *port, struct diag *dg)
{
	bool v6 = strchr(host, ':') != NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name =
	    xasprintf("%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
	strbuf_addf(
	    &text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", name, name);
	if (write_all(fd, text.buf, text.len) == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "write to the proxy");
	return 0;
}

/* Reads the head of the answer, and no byte after it. */
static int
read_head(int fd, struct strbuf *head, struct diag *dg)
{
	while (head->len < 4 ||
	    memcmp(head->buf + head->len - 4, "\r\n\r\n", 4) != 0) {
		char c;
		ssize_t n = read(fd, &c, 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "read from the proxy");
		if (n == 0)
			return diag_set(
			    dg, DIAG_IO, "the proxy closed the connection");
		if (head->len == HEAD_MAX)
			return diag_set(dg, DIAG_DATA,
			    "the proxy's answer is over %zu bytes", HEAD_MAX);
		strbuf_addch(head, c);
	}
	return 0;
}

static int
check_answer(
    const char *head, const char *host, const char *port, struct diag *dg)
{
	static const char http[] = "HTTP/1.";
	const char *status = strchr(head, ' ');
	if (strncmp(head, http, sizeof(http) - 1) != 0 || status == NULL)
		return diag_set(
		    dg, DIAG_DATA, "the proxy's answer is not HTTP");
	if (strncmp(status, " 200 ", 5) == 0)
		return 0;
	cleanup_free char *words =
	    xstrndup(status + 1, strcspn(status + 1, "\r\n"));
	return diag_set(
	    dg, DIAG_POLICY, "the proxy refused %s:%s: %s", host, port, words);
}

static int
connect_proxy(uint16_t port, int *ret_fd, struct diag *dg)
{
	struct address proxy;
	cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address_loopback(&proxy, port);
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&proxy.sa, proxy.len) == -1)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "connect to the session's proxy");
	*ret_fd = steal_fd(&fd);
	return 0;
}

int
tunnel_run(
    const char *host, const char *port, uint16_t proxy_port, struct diag *dg)
{
	cleanup_strbuf struct strbuf head = STRBUF_INIT;
	cleanup_close int fd = -1;
	if (check_host(host, port, dg) != 0 ||
	    connect_proxy(proxy_port, &fd, dg) != 0 ||
	    send_request(fd, host, port, dg) != 0 ||
	    read_head(fd, &head, dg) != 0 ||
	    check_answer(head.buf, host, port, dg) != 0)
		return -1;
	/* A process for each direction: neither waits for the other. */
	pid_t pid = fork();
	if (pid == -1)
		return diag_set_errno(dg, DIAG_IO, errno, "fork");
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		copy(STDIN_FILENO, fd);
		(void)shutdown(fd, SHUT_WR);
		_exit(0);
	}
	copy(fd, STDOUT_FILENO);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
