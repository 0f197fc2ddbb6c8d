/* SPDX-License-Identifier: MIT */
/* proxyaddr: addresses, and which of them a session may reach. */
#ifndef DRYDOCK_PROXYADDR_H
#define DRYDOCK_PROXYADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct proxyaddr {
	sa_family_t family; /* AF_INET or AF_INET6 */
	unsigned char bytes[16]; /* 4 of them for AF_INET */
};

/* Parses what inet_pton(3) accepts; an IPv6 address without brackets. */
bool proxyaddr_parse(const char *text, struct proxyaddr *ret);

/* Writes the address as inet_ntop(3) does, an IPv6 address in brackets. */
#define PROXYADDR_TEXT (INET6_ADDRSTRLEN + 2)
void proxyaddr_print(const struct proxyaddr *a, char text[PROXYADDR_TEXT]);

enum proxyaddr_kind {
	PROXYADDR_GLOBAL, /* global unicast */
	PROXYADDR_SPECIAL, /* only for a line with "private" */
	PROXYADDR_UNREACHABLE, /* never */
};

/*
 * own: the addresses of the host, which are unreachable.  An IPv6 address that
 * contains an IPv4 address is never global, and it is unreachable if that one
 * is.
 */
enum proxyaddr_kind proxyaddr_judge(
    const struct proxyaddr *a, const struct proxyaddr *own, size_t nown);

/* Returns the length of *ret_sa. */
socklen_t proxyaddr_socket(
    const struct proxyaddr *a, uint16_t port, struct sockaddr_storage *ret_sa);

#endif /* DRYDOCK_PROXYADDR_H */
