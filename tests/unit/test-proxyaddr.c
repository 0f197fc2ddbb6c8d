/* SPDX-License-Identifier: MIT */
/* proxyaddr: which addresses a session may reach. */
#include "guest/proxyaddr.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "check.h"

static void
judge_each_range(void)
{
	static const struct {
		const char *address;
		enum proxyaddr_kind kind;
	} rows[] = {
		{ "1.1.1.1", PROXYADDR_GLOBAL },
		{ "9.255.255.255", PROXYADDR_GLOBAL },
		{ "11.0.0.0", PROXYADDR_GLOBAL },
		{ "172.15.255.255", PROXYADDR_GLOBAL },
		{ "172.32.0.0", PROXYADDR_GLOBAL },
		{ "100.63.255.255", PROXYADDR_GLOBAL },
		{ "223.255.255.255", PROXYADDR_GLOBAL },
		{ "2606:4700::1111", PROXYADDR_GLOBAL },
		{ "2001:200::1", PROXYADDR_GLOBAL },
		{ "10.0.0.1", PROXYADDR_SPECIAL },
		{ "172.16.0.1", PROXYADDR_SPECIAL },
		{ "172.31.255.255", PROXYADDR_SPECIAL },
		{ "192.168.0.1", PROXYADDR_SPECIAL },
		{ "100.64.0.1", PROXYADDR_SPECIAL },
		{ "192.0.2.1", PROXYADDR_SPECIAL },
		{ "198.18.0.1", PROXYADDR_SPECIAL },
		{ "fd00::1", PROXYADDR_SPECIAL },
		{ "fec0::1", PROXYADDR_SPECIAL },
		{ "4000::1", PROXYADDR_SPECIAL },
		{ "2001:db8::1", PROXYADDR_SPECIAL },
		{ "0.0.0.0", PROXYADDR_UNREACHABLE },
		{ "127.0.0.1", PROXYADDR_UNREACHABLE },
		{ "127.255.255.255", PROXYADDR_UNREACHABLE },
		{ "169.254.169.254", PROXYADDR_UNREACHABLE },
		{ "224.0.0.1", PROXYADDR_UNREACHABLE },
		{ "255.255.255.255", PROXYADDR_UNREACHABLE },
		{ "100.100.100.200", PROXYADDR_UNREACHABLE },
		{ "168.63.129.16", PROXYADDR_UNREACHABLE },
		{ "::", PROXYADDR_UNREACHABLE },
		{ "::1", PROXYADDR_UNREACHABLE },
		{ "fe80::1", PROXYADDR_UNREACHABLE },
		{ "febf::1", PROXYADDR_UNREACHABLE },
		{ "ff02::1", PROXYADDR_UNREACHABLE },
		{ "fd00:ec2::254", PROXYADDR_UNREACHABLE },
		/* With an IPv4 address in it: never global. */
		{ "::ffff:1.1.1.1", PROXYADDR_SPECIAL },
		{ "::ffff:10.0.0.1", PROXYADDR_SPECIAL },
		{ "::ffff:127.0.0.1", PROXYADDR_UNREACHABLE },
		{ "::ffff:169.254.169.254", PROXYADDR_UNREACHABLE },
		{ "::ffff:0:127.0.0.1", PROXYADDR_UNREACHABLE },
		{ "::127.0.0.1", PROXYADDR_UNREACHABLE },
		{ "64:ff9b::1.1.1.1", PROXYADDR_SPECIAL },
		{ "64:ff9b::169.254.169.254", PROXYADDR_UNREACHABLE },
		{ "64:ff9b:1::127.0.0.1", PROXYADDR_UNREACHABLE },
		{ "2002:0101:0101::1", PROXYADDR_SPECIAL },
		{ "2002:7f00:0001::1", PROXYADDR_UNREACHABLE },
		/* Teredo: the client's address is inverted. */
		{ "2001:0:0101:0101::80ff:fffe", PROXYADDR_UNREACHABLE },
		{ "2001:0:7f00:1::", PROXYADDR_UNREACHABLE },
		/* The host's own. */
		{ "203.0.112.7", PROXYADDR_UNREACHABLE },
		{ "::ffff:203.0.112.7", PROXYADDR_UNREACHABLE },
		{ "64:ff9b::203.0.112.7", PROXYADDR_UNREACHABLE },
		{ "2a00:1::7", PROXYADDR_UNREACHABLE },
		{ "2a00:1::8", PROXYADDR_GLOBAL },
	};
	struct proxyaddr own[2];
	CHECK(proxyaddr_parse("203.0.112.7", &own[0]));
	CHECK(proxyaddr_parse("2a00:1::7", &own[1]));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxyaddr a;
		CHECK(proxyaddr_parse(rows[i].address, &a));
		if (proxyaddr_judge(&a, own, ARRAY_SIZE(own)) != rows[i].kind)
			CHECK_STR(rows[i].address, "judged otherwise");
	}
}

static void
only_whole_addresses_parse(void)
{
	static const char *const bad[] = { "", "1", "1.2.3", "1.2.3.4.5",
		"0177.0.0.1", "0x7f.1", "2130706433", "1.2.3.4 ", " 1.2.3.4",
		"1.2.3.256", "[::1]", "fe80::1%lo", ":::", "1.2.3.04" };
	struct proxyaddr a;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (proxyaddr_parse(bad[i], &a))
			CHECK_STR(NULL, bad[i]);
}

static void
printed_as_requests_have_it(void)
{
	struct proxyaddr a;
	char text[PROXYADDR_TEXT];
	CHECK(proxyaddr_parse("2001:DB8:0:0::1", &a));
	proxyaddr_print(&a, text);
	CHECK_STR(text, "[2001:db8::1]");
	CHECK(proxyaddr_parse("1.2.3.4", &a));
	proxyaddr_print(&a, text);
	CHECK_STR(text, "1.2.3.4");
}

static void
sockets_have_address_and_port(void)
{
	struct proxyaddr a;
	struct sockaddr_storage sa;
	CHECK(proxyaddr_parse("1.2.3.4", &a));
	CHECK_INT(proxyaddr_socket(&a, 443, &sa), sizeof(struct sockaddr_in));
	CHECK_INT(memcmp(&sa, "\x02\x00\x01\xbb\x01\x02\x03\x04", 8), 0);
	CHECK(proxyaddr_parse("::2", &a));
	CHECK_INT(proxyaddr_socket(&a, 80, &sa), sizeof(struct sockaddr_in6));
	CHECK_INT(((const unsigned char *)&sa)[8 + 15], 2);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "each range is judged up to its ends", judge_each_range },
		{ "only a whole address parses", only_whole_addresses_parse },
		{ "an address has one form", printed_as_requests_have_it },
		{ "a socket's address has address and port",
		    sockets_have_address_and_port },
	};
	return check_run(tests, ARRAY_SIZE(tests));
}
