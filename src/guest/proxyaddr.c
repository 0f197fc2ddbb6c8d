/* SPDX-License-Identifier: MIT */
/* proxyaddr: the table of the ranges that are not global unicast. */
#include "guest/proxyaddr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * All ranges that are not global unicast: the special-purpose registries of RFC
 * 6890 and its successors, multicast, and the IPv6 ranges that contain an IPv4
 * address.  Of IPv6, only 2000::/3 is global; judge() adds that.
 */
static const char *const special[] = { "0.0.0.0/8", "10.0.0.0/8",
	"100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	/* Teredo, benchmarks, ORCHID, documentation, 6to4 and others. */
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48",
	"3fff::/20" };

/*
 * Never a destination, even for a line with "private".  The last five are
 * metadata services of clouds; these are not link-local.
 */
static const char *const unreachable[] = { "0.0.0.0/8", "127.0.0.0/8",
	"169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128",
	"fe80::/10", "ff00::/8", "100.100.100.200/32", "168.63.129.16/32",
	"192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128" };

/* The ranges whose addresses contain an IPv4 address, and its first byte. */
static const struct {
	const char *range;
	size_t at;
	bool inverted;
} containing[] = {
	{ "::/96", 12, false }, /* IPv4-compatible */
	{ "::ffff:0:0/96", 12, false }, /* IPv4-mapped */
	{ "::ffff:0:0:0/96", 12, false }, /* IPv4-translated */
	{ "64:ff9b::/96", 12, false }, /* NAT64 */
	{ "64:ff9b:1::/48", 12, false }, /* NAT64 of one network */
	{ "2002::/16", 2, false }, /* 6to4 */
	{ "2001::/32", 4, false }, /* Teredo: the server */
	{ "2001::/32", 12, true }, /* Teredo: the client */
};

bool
proxyaddr_parse(const char *text, struct proxyaddr *ret)
{
	struct proxyaddr a = { .family = AF_INET };
	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		a.family = AF_INET6;
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return false;
	}
	*ret = a;
	return true;
}

void
proxyaddr_print(const struct proxyaddr *a, char text[PROXYADDR_TEXT])
{
	char plain[INET6_ADDRSTRLEN] = "";
	(void)inet_ntop(a->family, a->bytes, plain, sizeof(plain));
	(void)snprintf(
	    text, PROXYADDR_TEXT, a->family == AF_INET6 ? "[%s]" : "%s", plain);
}

/* range is ADDRESS/BITS, of one of the tables. */
static bool
is_in(const struct proxyaddr *a, const char *range)
{
	const char *slash = strchr(range, '/');
	unsigned long bits = strtoul(slash + 1, NULL, 10);
	char text[INET6_ADDRSTRLEN];
	struct proxyaddr net;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(slash - range), range);
	if (!proxyaddr_parse(text, &net) || net.family != a->family ||
	    memcmp(a->bytes, net.bytes, bits / 8) != 0)
		return false;
	if (bits % 8 == 0)
		return true;
	return (a->bytes[bits / 8] ^ net.bytes[bits / 8]) >> (8 - bits % 8) ==
	    0;
}

static bool
is_in_any(const struct proxyaddr *a, const char *const *ranges, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (is_in(a, ranges[i]))
			return true;
	return false;
}

static bool
is_own(const struct proxyaddr *a, const struct proxyaddr *own, size_t nown)
{
	size_t len = a->family == AF_INET ? 4 : 16;
	for (size_t i = 0; i < nown; i++)
		if (a->family == own[i].family &&
		    memcmp(a->bytes, own[i].bytes, len) == 0)
			return true;
	return false;
}

/* The judgement of the address itself, without an address in it. */
static enum proxyaddr_kind
judge(const struct proxyaddr *a, const struct proxyaddr *own, size_t nown)
{
	if (is_in_any(a, unreachable, ARRAY_SIZE(unreachable)) ||
	    is_own(a, own, nown))
		return PROXYADDR_UNREACHABLE;
	if (is_in_any(a, special, ARRAY_SIZE(special)) ||
	    (a->family == AF_INET6 && !is_in(a, "2000::/3")))
		return PROXYADDR_SPECIAL;
	return PROXYADDR_GLOBAL;
}

enum proxyaddr_kind
proxyaddr_judge(
    const struct proxyaddr *a, const struct proxyaddr *own, size_t nown)
{
	enum proxyaddr_kind kind = judge(a, own, nown);
	for (size_t i = 0; i < ARRAY_SIZE(containing); i++) {
		struct proxyaddr part = { .family = AF_INET };
		if (!is_in(a, containing[i].range))
			continue;
		for (size_t b = 0; b < 4; b++)
			part.bytes[b] =
			    (unsigned char)(a->bytes[containing[i].at + b] ^
				(containing[i].inverted ? 0xff : 0));
		if (judge(&part, own, nown) == PROXYADDR_UNREACHABLE)
			kind = PROXYADDR_UNREACHABLE;
	}
	return kind;
}

socklen_t
proxyaddr_socket(
    const struct proxyaddr *a, uint16_t port, struct sockaddr_storage *ret_sa)
{
	memset(ret_sa, 0, sizeof(*ret_sa));
	if (a->family == AF_INET) {
		struct sockaddr_in in = { .sin_family = AF_INET,
			.sin_port = htons(port) };
		memcpy(&in.sin_addr, a->bytes, sizeof(in.sin_addr));
		memcpy(ret_sa, &in, sizeof(in));
		return sizeof(in);
	}
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	memcpy(&in6.sin6_addr, a->bytes, sizeof(in6.sin6_addr));
	memcpy(ret_sa, &in6, sizeof(in6));
	return sizeof(in6);
}
