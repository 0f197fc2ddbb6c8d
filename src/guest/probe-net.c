/* SPDX-License-Identifier: MIT */
/* Attempts by sockets: interfaces, routes, names, families, engines, proxies. */
#include "guest/prove.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/xalloc.h"

enum {
	DNS_PORT = 53,
	DNS_WAIT_MS = 300,
	PROXY_PORT = 3128,
	PROXY_WAIT_MS = 5000,
	FAMILIES = 64, /* more than the kernel has */
};

void
probe_loopback(struct prove *p)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *all = if_nameindex();
	bool up = false;

	if (fd == -1 || all == NULL) {
		probe_report(p, VERDICT_UNKNOWN, "if_nameindex", "-", "%s",
		    strerror(errno));
		return;
	}
	for (const struct if_nameindex *i = all; i->if_index != 0; i++) {
		struct ifreq request = { .ifr_flags = 0 };

		(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s",
		    i->if_name);
		if (strcmp(i->if_name, "lo") == 0 ||
		    (ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
			(request.ifr_flags & IFF_UP) == 0))
			continue;
		up = true;
		probe_report(
		    p, VERDICT_BROKEN, "ioctl(SIOCGIFFLAGS)", i->if_name, "up");
	}
	if (!up)
		probe_report(p, VERDICT_HELD, "ioctl(SIOCGIFFLAGS)",
		    "all interfaces", "none but lo is up");
	if_freenameindex(all);
}

static const int unreachable[] = { ENETUNREACH, 0 };

/* A route exists when connect(2) of a datagram socket finds one. */
static void
try_route(const struct prove *p, int type, const char *address, uint16_t port)
{
	cleanup_close int fd =
	    socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	char target[64];
	int rc;

	(void)snprintf(target, sizeof(target), "%s:%u", address, port);
	(void)inet_pton(AF_INET, address, &to.sin_addr);
	rc = connect(fd, (const struct sockaddr *)&to, sizeof(to));
	if (rc == -1 && (errno == EINPROGRESS || errno == ECONNREFUSED))
		probe_report(p, VERDICT_BROKEN, "connect", target,
		    "has a route: %s", strerror(errno));
	else
		probe_must_fail(p, "connect", target, rc == -1, unreachable);
}

void
probe_gateway(struct prove *p)
{
	char text[PROBE_TEXT_MAX];
	const char *line;

	probe_read("/proc/net/route", text);
	line = strchr(text, '\n');
	if (line == NULL)
		probe_report(p, VERDICT_UNKNOWN, "read", "/proc/net/route",
		    "%s", "cannot be read");
	else if (line[1] != '\0')
		probe_report(p, VERDICT_BROKEN, "read", "/proc/net/route", "%s",
		    "has routes");
	else
		probe_report(p, VERDICT_HELD, "read", "/proc/net/route", "%s",
		    "no route");
	try_route(p, SOCK_DGRAM, "192.0.2.1", 9);
	try_route(p, SOCK_DGRAM, "172.17.0.1", 9);
}

void
probe_metadata(struct prove *p)
{
	try_route(p, SOCK_STREAM, "169.254.169.254", 80);
}

/* A query for the root's name servers. */
static const unsigned char dns_query[] = { 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	0, 0, 2, 0, 1 };

/* A name server on loopback is the session's own and must not answer. */
static void
ask_loopback(const struct prove *p, int type, const char *address)
{
	cleanup_close int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(DNS_PORT) };
	struct pollfd in = { fd, POLLIN, 0 };
	unsigned char answer[512];

	(void)inet_pton(AF_INET, address, &to.sin_addr);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1) {
		static const int none[] = { ECONNREFUSED, 0 };

		probe_must_fail(p, "connect", address, true, none);
		return;
	}
	(void)send(fd, dns_query, sizeof(dns_query), MSG_NOSIGNAL);
	if (type == SOCK_STREAM ||
	    (poll(&in, 1, DNS_WAIT_MS) == 1 &&
		recv(fd, answer, sizeof(answer), 0) >= 0))
		probe_report(p, VERDICT_BROKEN, "query", address, "answered");
	else
		probe_report(p, VERDICT_HELD, "query", address, "no answer");
}

static void
probe_dns(const struct prove *p, int type)
{
	char text[PROBE_TEXT_MAX];
	char *save = NULL;
	size_t n = 0;

	probe_read("/etc/resolv.conf", text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char address[INET_ADDRSTRLEN];
		struct in_addr parsed;

		if (sscanf(line, "nameserver %15s", address) != 1 ||
		    inet_pton(AF_INET, address, &parsed) != 1)
			continue;
		n++;
		if (ntohl(parsed.s_addr) >> 24 == IN_LOOPBACKNET)
			ask_loopback(p, type, address);
		else
			try_route(p, type, address, DNS_PORT);
	}
	if (n == 0)
		try_route(p, type, "192.0.2.53", DNS_PORT);
	ask_loopback(p, type, "127.0.0.11");
}

void
probe_dns_udp(struct prove *p)
{
	probe_dns(p, SOCK_DGRAM);
}

void
probe_dns_tcp(struct prove *p)
{
	probe_dns(p, SOCK_STREAM);
}

void
probe_ipv6(struct prove *p)
{
	static const int refusals[] = { ENETUNREACH, EADDRNOTAVAIL,
		EAFNOSUPPORT, 0 };
	cleanup_close int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		.sin6_port = htons(9) };
	char text[PROBE_TEXT_MAX];
	char *save = NULL;

	(void)inet_pton(AF_INET6, "2001:db8::1", &to.sin6_addr);
	probe_must_fail(p, "connect", "[2001:db8::1]:9",
	    fd == -1 ||
		connect(fd, (const struct sockaddr *)&to, sizeof(to)) == -1,
	    refusals);
	probe_read("/proc/net/if_inet6", text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		size_t len = strlen(line);

		if (len > 3 && strcmp(line + len - 3, " lo") == 0)
			continue;
		probe_report(p, VERDICT_BROKEN, "read", "/proc/net/if_inet6",
		    "an address beside loopback's");
		break;
	}
}

static void
try_socket(const struct prove *p, int family, int type, int protocol,
    const char *target)
{
	cleanup_close int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	probe_must_fail(p, "socket", target, fd == -1, probe_filtered);
}

void
probe_raw(struct prove *p)
{
	try_socket(p, AF_INET, SOCK_RAW, IPPROTO_ICMP, "AF_INET, SOCK_RAW");
	try_socket(p, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, "AF_INET6, SOCK_RAW");
	try_socket(p, AF_PACKET, SOCK_RAW, 0, "AF_PACKET, SOCK_RAW");
}

void
probe_families(struct prove *p)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW,
		SOCK_SEQPACKET };
	bool held = true;

	for (int family = 0; held && family < FAMILIES; family++) {
		if (family == AF_UNIX || family == AF_INET ||
		    family == AF_INET6 || family == AF_NETLINK)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
			cleanup_close int fd = -1;
			char target[64];

			fd = socket(family, types[i] | SOCK_CLOEXEC, 0);
			if (fd == -1 && errno == EPERM)
				continue;
			held = false;
			(void)snprintf(target, sizeof(target),
			    "family %d, type %d", family, types[i]);
			probe_report(p, VERDICT_BROKEN, "socket", target,
			    "is not filtered: %s",
			    fd == -1 ? strerror(errno) : "succeeded");
			break;
		}
	}
	if (held)
		probe_report(p, VERDICT_HELD, "socket",
		    "every family but unix, inet, inet6 and netlink", "%s",
		    strerror(EPERM));
}

void
probe_vsock(struct prove *p)
{
	try_socket(p, AF_VSOCK, SOCK_STREAM, 0, "AF_VSOCK, SOCK_STREAM");
	try_socket(p, AF_VSOCK, SOCK_DGRAM, 0, "AF_VSOCK, SOCK_DGRAM");
}

static void
try_unix(const struct prove *p, const char *path)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int rc;

	if (strlen(path) >= sizeof(to.sun_path)) {
		rc = access(path, F_OK);
		probe_must_fail(p, "access", path, rc == -1, probe_absent);
		return;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	rc = connect(fd, (const struct sockaddr *)&to, sizeof(to));
	if (rc == -1 && (errno == ECONNREFUSED || errno == EACCES))
		probe_report(p, VERDICT_BROKEN, "connect", path, "is there: %s",
		    strerror(errno));
	else
		probe_must_fail(p, "connect", path, rc == -1, probe_absent);
}

void
probe_engine(struct prove *p)
{
	static const char *const paths[] = { "/run/docker.sock",
		"/var/run/docker.sock", "/run/containerd/containerd.sock",
		"/run/podman/podman.sock" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		try_unix(p, paths[i]);
	try_unix(p, p->facts[PROVE_ENGINE]);
}

/* Returns the answer's status, or -1. */
static int
ask_proxy(const char *authority)
{
	cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(PROXY_PORT),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct pollfd in = { fd, POLLIN, 0 };
	char text[512];
	static const char http[] = "HTTP/1.1 ";
	ssize_t n;

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return -1;
	n = snprintf(text, sizeof(text),
	    "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", authority, authority);
	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n ||
	    poll(&in, 1, PROXY_WAIT_MS) != 1)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return strncmp(text, http, strlen(http)) == 0
	    ? (int)strtol(text + strlen(http), NULL, 10)
	    : -1;
}

void
probe_proxy(struct prove *p)
{
	static const char *const targets[] = { "drydock-prove.test:443",
		"169.254.169.254:80", "10.0.0.1:443", "127.0.0.1:22",
		"[::1]:443" };

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		int status = ask_proxy(targets[i]);

		if (status == -1)
			probe_report(p, VERDICT_UNKNOWN, "CONNECT", targets[i],
			    "no answer");
		else
			probe_report(p,
			    status == 403 ? VERDICT_HELD : VERDICT_BROKEN,
			    "CONNECT", targets[i], "%d", status);
	}
}

void
probe_other_proxy(struct prove *p)
{
	cleanup_free char *path =
	    xasprintf("%s/egress/egress.sock", p->facts[PROVE_ELSEWHERE]);

	try_unix(p, path);
}
