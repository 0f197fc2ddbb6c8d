/* SPDX-License-Identifier: MIT */
/* proxyconf: the files that the session's proxy reads. */
#include "plan/proxyconf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "guest/proxyaddr.h"
#include "guest/proxylist.h"
#include "host/allowlist.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64
#define ADDRESSES_MAX ((size_t)1 << 20)

/* An older drydock's proxy reads this file, and no other of the list. */
#define OLDER "squid.conf"

static const char *const kinds[] = {
	[ALLOW_NAME] = PROXYLIST_NAME,
	[ALLOW_BELOW] = PROXYLIST_BELOW,
	[ALLOW_ADDRESS] = PROXYLIST_ADDRESS,
};

void
proxyconf_hosts(const struct allowlist *list, struct strbuf *out)
{
	strbuf_addstr(out, "# Written by drydock for one session.\n");
	for (size_t i = 0; i < list->nr; i++) {
		const struct allow_entry *e = &list->v[i];

		strbuf_addf(out, "%s %s %s %u %s\n",
		    e->plain_http ? PROXYLIST_HTTP : PROXYLIST_CONNECT,
		    kinds[e->kind], e->host, e->port,
		    e->private_ok ? PROXYLIST_PRIVATE : PROXYLIST_PUBLIC);
	}
}

/*
 * Appends the address of one interface.  A failure is fatal, because a session
 * could reach an address that is missing from the list.
 */
static int
add_address(
    const struct sockaddr *sa, struct strvec *addresses, struct diag *dg)
{
	char text[INET6_ADDRSTRLEN];
	struct proxyaddr parsed;
	const void *address;

	if (sa == NULL)
		return 0;
	if (sa->sa_family == AF_INET)
		address =
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	else if (sa->sa_family == AF_INET6)
		address =
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	else
		return 0;
	if (inet_ntop(sa->sa_family, address, text, sizeof(text)) == NULL)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "write an address of the host's");
	/* Leaving these out avoids needless changes of the file. */
	if (proxyaddr_parse(text, &parsed) &&
	    proxyaddr_judge(&parsed, NULL, 0) == PROXYADDR_UNREACHABLE)
		return 0;
	strvec_push(addresses, text);
	return 0;
}

int
proxyconf_host_addresses(struct strvec *addresses, struct diag *dg)
{
	struct ifaddrs *list;
	int rc = 0;

	if (getifaddrs(&list) != 0)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "list the host's addresses");
	for (const struct ifaddrs *a = list; rc == 0 && a != NULL;
	     a = a->ifa_next)
		rc = add_address(a->ifa_addr, addresses, dg);
	freeifaddrs(list);
	return rc;
}

int
proxyconf_write_addresses(int conf_fd, bool *ret_changed, struct diag *dg)
{
	cleanup_strvec struct strvec addresses = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf before = STRBUF_INIT;
	cleanup_diag struct diag absent = DIAG_INIT;

	if (proxyconf_host_addresses(&addresses, dg) != 0)
		return -1;
	strvec_sort(&addresses);
	strbuf_addstr(&text, "# The host's own addresses.\n");
	for (size_t i = 0; i < addresses.nr; i++)
		if (i == 0 || strcmp(addresses.v[i - 1], addresses.v[i]) != 0)
			strbuf_addf(&text, "%s\n", addresses.v[i]);
	/* A file that cannot be read is replaced. */
	*ret_changed = fs_read_file(conf_fd, PROXYLIST_ADDRESSES, ADDRESSES_MAX,
			   &before, &absent) != 0 ||
	    strcmp(before.buf, text.buf) != 0;
	if (!*ret_changed)
		return 0;
	return fs_replace_file(
	    conf_fd, PROXYLIST_ADDRESSES, text.buf, text.len, 0644, dg);
}

int
proxyconf_write_boot(int conf_fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf id = STRBUF_INIT;
	cleanup_close int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open " BOOT_ID);
	if (fs_read_fd(fd, BOOT_ID, BOOT_ID_MAX, &id, dg) != 0)
		return -1;
	return fs_replace_file(
	    conf_fd, PROXYLIST_BOOT, id.buf, id.len, 0644, dg);
}

int
proxyconf_write(int conf_fd, const struct allowlist *list, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool changed;

	/* Written first: a new proxy must not start without the addresses. */
	if (proxyconf_write_addresses(conf_fd, &changed, dg) != 0)
		return -1;
	proxyconf_hosts(list, &text);
	return fs_replace_file(
	    conf_fd, PROXYLIST_HOSTS, text.buf, text.len, 0644, dg);
}

int
proxyconf_write_parent(int conf_fd, const char *upstream_proxy, struct diag *dg)
{
	cleanup_allow_entry struct allow_entry e = { .host = NULL };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!upstream_read(upstream_proxy, &e)) {
		if (unlinkat(conf_fd, PROXYLIST_PARENT, 0) != 0 &&
		    errno != ENOENT)
			return diag_set_errno(
			    dg, DIAG_IO, errno, "remove " PROXYLIST_PARENT);
		return 0;
	}
	strbuf_addf(&text, "%s %u\n", e.host, e.port);
	return fs_replace_file(
	    conf_fd, PROXYLIST_PARENT, text.buf, text.len, 0644, dg);
}

bool
proxyconf_is_older(int conf_fd)
{
	return faccessat(conf_fd, OLDER, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
