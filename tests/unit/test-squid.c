/* SPDX-License-Identifier: MIT */
/* The proxy's configuration: what is listed, and in which order. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "base/xalloc.h"
#include "host/allowlist.h"
#include "plan/squid.h"

/* Whether no address can be written; the checker's only state. */
static bool names_fail;

const char *__real_inet_ntop(
    int family, const void *address, char *text, socklen_t size);
const char *__wrap_inet_ntop(
    int family, const void *address, char *text, socklen_t size);

const char *
__wrap_inet_ntop(int family, const void *address, char *text, socklen_t size)
{
	if (names_fail) {
		errno = ENOSPC;
		return NULL;
	}
	return __real_inet_ntop(family, address, text, size);
}

static void
configure(const char *lines, struct strbuf *out)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(allowlist_parse(&list, ALLOW_GLOBAL, NULL, "list", lines,
		      strlen(lines), &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	squid_config(&list, out);
}

/* Where a whole line stands, or -1. */
static long
line_at(const struct strbuf *text, const char *line)
{
	cleanup_free char *whole = xasprintf("\n%s\n", line);
	const char *at = strstr(text->buf, whole);

	return at == NULL ? -1 : at - text->buf;
}

static void
test_empty(void)
{
	cleanup_strbuf struct strbuf conf = STRBUF_INIT;

	configure("", &conf);
	CHECK(line_at(&conf, "acl listed any-of nothing") != -1);
	CHECK(line_at(&conf, "acl private any-of nothing") != -1);
	CHECK(strstr(conf.buf, "dstdomain") == NULL);
}

static void
test_lines(void)
{
	cleanup_strbuf struct strbuf conf = STRBUF_INIT;

	configure("API.Example.com\nb.example:8443 private\n", &conf);
	CHECK(line_at(&conf, "acl host0 dstdomain -n api.example.com") != -1);
	CHECK(line_at(&conf, "acl port0 port 443") != -1);
	CHECK(line_at(&conf, "acl line0 all-of CONNECT host0 port0") != -1);
	CHECK(line_at(&conf, "acl host1 dstdomain -n b.example") != -1);
	CHECK(line_at(&conf, "acl port1 port 8443") != -1);
	CHECK(line_at(&conf, "acl listed any-of nothing line0 line1") != -1);
	CHECK(line_at(&conf, "acl private any-of nothing line1") != -1);
	CHECK(line_at(&conf, "acl host any-of nothing host0 host1") != -1);
	strbuf_reset(&conf);
	configure("*.b.example\nhttp://c.example\n[2001:DB8::1]\n", &conf);
	CHECK(line_at(&conf, "acl below0 dstdomain -n .b.example") != -1);
	CHECK(line_at(&conf, "acl apex0 dstdomain -n b.example") != -1);
	CHECK(line_at(&conf, "acl host0 all-of below0 !apex0") != -1);
	CHECK(line_at(&conf, "acl line0 all-of CONNECT host0 port0") != -1);
	CHECK(line_at(&conf, "acl host1 dstdomain -n c.example") != -1);
	CHECK(line_at(&conf, "acl port1 port 80") != -1);
	CHECK(line_at(&conf, "acl line1 all-of plain host1 port1") != -1);
	CHECK(line_at(&conf, "acl host2 dstdomain -n [2001:db8::1]") != -1);
}

/* A destination acl asks DNS, so no name may reach it that is not listed. */
static void
test_order(void)
{
	static const char *const rules[] = {
		"http_access deny manager all",
		"http_access deny odd all",
		"http_access deny !listed host",
		"http_access deny !listed all",
		"http_access deny unreachable",
		"http_access deny !private special",
		"http_access allow listed",
		"http_access deny all",
	};
	cleanup_strbuf struct strbuf conf = STRBUF_INIT;
	long last = 0;
	int nr = 0;

	configure("a.example\n", &conf);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		long at = line_at(&conf, rules[i]);

		CHECK(at > last);
		last = at;
	}
	for (const char *p = conf.buf; (p = strstr(p, "http_access")) != NULL;
	     p++)
		nr++;
	CHECK_INT(nr, ARRAY_SIZE(rules));
}

static void
test_addresses(void)
{
	static const char *const lines[] = {
		"acl special dst 10.0.0.0/8",
		"acl special dst 100.64.0.0/10",
		"acl special dst 172.16.0.0/12",
		"acl special dst 192.168.0.0/16",
		"acl special dst 8000::/1",
		"acl special dst 2002::/16",
		"acl special dst ::/81",
		"acl unreachable dst 127.0.0.0/8",
		"acl unreachable dst 169.254.0.0/16",
		"acl unreachable dst ::1/128",
		"acl unreachable dst 168.63.129.16",
		"acl unreachable dst fd00:ec2::254",
		"acl unreachable dst \"/etc/drydock-egress/host-addresses\"",
	};
	cleanup_strbuf struct strbuf conf = STRBUF_INIT;

	configure("", &conf);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (line_at(&conf, lines[i]) == -1)
			CHECK_STR(NULL, lines[i]);
	/* Squid holds an IPv4 address so: it would deny them all. */
	CHECK(strstr(conf.buf, "::ffff:0:0/96") == NULL);
	CHECK(strstr(conf.buf, "dst ::/3") == NULL);
}

static void
test_loopback_only(void)
{
	cleanup_strbuf struct strbuf conf = STRBUF_INIT;

	configure("", &conf);
	CHECK(line_at(&conf, "http_port 127.0.0.1:3128") != -1);
	CHECK(line_at(&conf, "cache deny all") != -1);
}

static void
test_host_addresses(void)
{
	cleanup_strvec struct strvec addresses = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(squid_host_addresses(&addresses, &dg), 0);
	/* Others change with each container, and are refused anyway. */
	CHECK(!strvec_has(&addresses, "127.0.0.1"));
	CHECK(!strvec_has(&addresses, "::1"));
	for (size_t i = 0; i < addresses.nr; i++) {
		CHECK(strchr(addresses.v[i], '%') == NULL);
		CHECK(strncmp(addresses.v[i], "fe80:", 5) != 0);
	}
}

static void
test_lost_address(void)
{
	cleanup_strvec struct strvec addresses = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	names_fail = true;
	CHECK_INT(squid_host_addresses(&addresses, &dg), -1);
	names_fail = false;
	CHECK_INT(dg.class, DIAG_IO);
}

static void
test_write(void)
{
	static const char *const names[] = { "squid.conf",
		"ERR_DRYDOCK_REFUSED", SQUID_ADDRESSES };
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	mode_t before = umask(077);
	bool changed;

	CHECK_INT(fs_open_dir(check_tmpdir(), &fd, &dg), 0);
	CHECK_INT(squid_write_boot(fd, &dg), 0);
	CHECK_INT(squid_write(fd, &list, &dg), 0);
	(void)umask(before);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat st = { 0 };

		CHECK_INT(fstatat(fd, names[i], &st, 0), 0);
		/* The proxy may be another user than the caller. */
		CHECK_INT(st.st_mode & 07777, 0644);
	}
	CHECK_INT(faccessat(fd, SQUID_BOOT, R_OK, 0), 0);
	CHECK(strstr(SQUID_REFUSED_HEADER, names[1]) != NULL);
	/* The sidecar reloads when the file changes, and only then. */
	CHECK_INT(squid_write_addresses(fd, &changed, &dg), 0);
	CHECK(!changed);
	CHECK_INT(
	    fs_replace_file(fd, SQUID_ADDRESSES, "192.0.2.1\n", 10, 0644, &dg),
	    0);
	CHECK_INT(squid_write_addresses(fd, &changed, &dg), 0);
	CHECK(changed);
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "an empty list denies everything", test_empty },
		{ "a line is a host and a port, exactly", test_lines },
		{ "names are decided before addresses", test_order },
		{ "what is no global unicast address is refused",
		    test_addresses },
		{ "the proxy listens on loopback and keeps nothing",
		    test_loopback_only },
		{ "the host's own addresses are found", test_host_addresses },
		{ "an address that cannot be written is an error",
		    test_lost_address },
		{ "the files can be read by the proxy's user", test_write },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
