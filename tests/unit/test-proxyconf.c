/* SPDX-License-Identifier: MIT */
/* The files of the session's proxy: the hosts, and the host's addresses. */
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
#include "guest/proxylist.h"
#include "host/allowlist.h"
#include "plan/proxyconf.h"

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
hosts_of(const char *lines, struct strbuf *out)
{
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(allowlist_parse(&list, ALLOW_GLOBAL, NULL, "list", lines,
		      strlen(lines), &dg),
	    0);
	CHECK_STR(dg.message, NULL);
	strbuf_reset(out);
	proxyconf_hosts(&list, out);
}

#define HEAD "# Written by drydock for one session.\n"

static void
test_hosts(void)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	hosts_of("", &text);
	CHECK_STR(text.buf, HEAD);
	hosts_of("API.Example.com\nb.example:8443 private\n*.b.example\n"
		 "http://c.example\n[2001:DB8::1]\n192.0.2.1:80\n",
	    &text);
	CHECK_STR(text.buf,
	    HEAD "connect name api.example.com 443 public\n"
		 "connect name b.example 8443 private\n"
		 "connect below b.example 443 public\n"
		 "http name c.example 80 public\n"
		 "connect address [2001:db8::1] 443 public\n"
		 "connect address 192.0.2.1 80 public\n");
}

static void
test_host_addresses(void)
{
	cleanup_strvec struct strvec addresses = STRVEC_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;

	CHECK_INT(proxyconf_host_addresses(&addresses, &dg), 0);
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
	CHECK_INT(proxyconf_host_addresses(&addresses, &dg), -1);
	names_fail = false;
	CHECK_INT(dg.class, DIAG_IO);
}

static void
test_write(void)
{
	static const char *const names[] = { PROXYLIST_HOSTS,
		PROXYLIST_ADDRESSES };
	cleanup_allowlist struct allowlist list = ALLOWLIST_INIT;
	cleanup_diag struct diag dg = DIAG_INIT;
	cleanup_close int fd = -1;
	mode_t before = umask(077);
	bool changed;

	CHECK_INT(fs_open_dir(check_tmpdir(), &fd, &dg), 0);
	CHECK_INT(proxyconf_write_boot(fd, &dg), 0);
	CHECK_INT(proxyconf_write(fd, &list, &dg), 0);
	(void)umask(before);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct stat st = { 0 };

		CHECK_INT(fstatat(fd, names[i], &st, 0), 0);
		/* The proxy may be another user than the caller. */
		CHECK_INT(st.st_mode & 07777, 0644);
	}
	CHECK_INT(faccessat(fd, PROXYLIST_BOOT, R_OK, 0), 0);
	CHECK(!proxyconf_is_older(fd));
	/* The sidecar reloads when the file changes, and only then. */
	CHECK_INT(proxyconf_write_addresses(fd, &changed, &dg), 0);
	CHECK(!changed);
	CHECK_INT(fs_replace_file(
		      fd, PROXYLIST_ADDRESSES, "192.0.2.1\n", 10, 0644, &dg),
	    0);
	CHECK_INT(proxyconf_write_addresses(fd, &changed, &dg), 0);
	CHECK(changed);
	/* What an older drydock left. */
	CHECK_INT(fs_replace_file(fd, "squid.conf", "", 0, 0644, &dg), 0);
	CHECK(proxyconf_is_older(fd));
}

int
main(void)
{
	static const struct check_test tests[] = {
		{ "each entry is a line of its own", test_hosts },
		{ "the host's own addresses are found", test_host_addresses },
		{ "an address that cannot be written is an error",
		    test_lost_address },
		{ "the files can be read by the proxy's user", test_write },
	};

	return check_run(tests, ARRAY_SIZE(tests));
}
