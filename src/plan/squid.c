/* SPDX-License-Identifier: MIT */
/* squid: the configuration of the egress proxy. */
#include "plan/squid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "host/allowlist.h"

#define PAGE "ERR_DRYDOCK_REFUSED"
#define PAGE_PORT "ERR_DRYDOCK_PORT"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64
#define ADDRESSES_MAX ((size_t)1 << 20)

/*
 * All ranges that are not global unicast: the special-purpose registries of RFC
 * 6890 and its successors, multicast, and the IPv6 ranges that embed an IPv4
 * address.  An embedded address would bypass the IPv4 ranges.
 */
static const char *const special[] = { "0.0.0.0/8", "10.0.0.0/8",
	"100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	/* Outside 2000::/3; add_below_3() adds ::/3. */
	"4000::/2", "8000::/1",
	/* Teredo, benchmarks, ORCHID, documentation, 6to4 and others. */
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48",
	"3fff::/20" };

/*
 * Never a destination, even for a line with "private".  The last five are
 * metadata services of clouds; these are not link-local.
 */
static const char *const unreachable[] = { "0.0.0.0/8", "127.0.0.0/8",
	"169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128",
	"fe80::/10", "ff00::/8", "100.100.100.200", "168.63.129.16",
	"192.0.0.192", "fd00:ec2::254", "fd20:ce::254" };

static const char preamble[] =
    "# Written by drydock for one session.\n"
    "http_port 127.0.0.1:3128\n"
    "visible_hostname drydock\n"
    "httpd_suppress_version_string on\n"
    "forwarded_for delete\n"
    "via off\n"
    "uri_whitespace deny\n"
    "email_err_data off\n"
    "global_internal_static off\n"
    "icp_port 0\n"
    "htcp_port 0\n"
    "snmp_port 0\n"
    "hosts_file none\n"
    "pid_filename none\n"
    "coredump_dir none\n"
    "pinger_enable off\n"
    "netdb_filename none\n"
    "cache deny all\n"
    "cache_mem 0\n"
    "memory_pools off\n"
    "max_filedescriptors 4096\n"
    "shutdown_lifetime 0 seconds\n"
    "connect_timeout 30 seconds\n"
    "read_timeout 1 hour\n"
    "client_lifetime 30 days\n"
    /*
     * Squid would resolve an answer with TTL 0 again between the check of the
     * address and the connection.  This directive is also the minimum TTL of
     * positive answers.
     */
    "negative_dns_ttl 10 seconds\n"
    "error_directory /etc/drydock-egress\n"
    "cache_log /var/log/squid/cache.log\n"
    "logfile_rotate 0\n"
    /*
     * The defaults contain the client's name (%>A).  Squid would query DNS for
     * it at each first connection.
     */
    "url_rewrite_extras \"%>a\"\n"
    "store_id_extras \"%>a\"\n"
    "logformat drydock %ts %>Hs %rm %ru %Ss %err_code\n"
    "access_log stdio:/var/log/squid/access.log logformat=drydock"
    " on-error=drop\n"
    "\n";

/*
 * One line for the client.  Squid replaces %M and %H by the request's method
 * and host.  The host is the agent's text, so that no command has it.
 */
#define REFUSED "drydock refused %M %H: "
#define PAGE_END "\n<!-- %s -->\n"
static const struct {
	const char *name;
	const char *text;
} pages[] = {
	{ PAGE,
	    REFUSED "this session's allowlist does not have it. The user can "
		    "allow it on the host, where \"drydock egress\" shows the "
		    "command." PAGE_END },
	{ PAGE_PORT,
	    REFUSED "the allowlist has this host for another port or protocol. "
		    "The user can allow this one on the host, where \"drydock "
		    "egress\" shows the command." PAGE_END },
	{ SQUID_PAGE_ADDRESS,
	    REFUSED "it leads to a private or special address. The user can "
		    "put \"private\" behind its line of the allowlist; the "
		    "host itself, loopback and metadata addresses stay "
		    "refused." PAGE_END },
};

static void
add_list(struct strbuf *out, const char *name, const char *const *v, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(out, "acl %s dst %s\n", name, v[i]);
}

/*
 * Adds ::/3 without ::ffff:0:0/96, the form in which Squid stores every IPv4
 * address.  For each bit from 3 to 95, adds the range that first differs from
 * ::ffff:0:0 at that bit.
 */
static void
add_below_3(struct strbuf *out, const char *name)
{
	static const struct in6_addr mapped = {
		.s6_addr = { [10] = 0xff, [11] = 0xff }
	};
	char text[INET6_ADDRSTRLEN];

	for (unsigned bit = 3; bit < 96; bit++) {
		struct in6_addr a = mapped;
		unsigned flip = 0x80u >> (bit % 8);

		a.s6_addr[bit / 8] ^= (uint8_t)flip;
		a.s6_addr[bit / 8] &= (uint8_t)(0u - flip);
		memset(&a.s6_addr[bit / 8 + 1], 0, 15 - bit / 8);
		(void)inet_ntop(AF_INET6, &a, text, sizeof(text));
		strbuf_addf(out, "acl %s dst %s/%u\n", name, text, bit + 1);
	}
}

/* The groups of entries that have an any-of acl. */
enum member {
	MEMBER_LINE, /* host, port and protocol */
	MEMBER_PRIVATE, /* the same, for lines with "private" */
	MEMBER_HOST, /* only the host */
};

/* "any-of" needs at least one member; "nothing" never matches (port 0). */
static void
add_any_of(struct strbuf *out, const struct allowlist *list, const char *name,
    enum member member)
{
	strbuf_addf(out, "acl %s any-of nothing", name);
	for (size_t i = 0; i < list->nr; i++)
		if (member != MEMBER_PRIVATE || list->v[i].private_ok)
			strbuf_addf(out, " %s%zu",
			    member == MEMBER_HOST ? "host" : "line", i);
	strbuf_addch(out, '\n');
}

static void
add_entry(struct strbuf *out, size_t i, const struct allow_entry *e)
{
	/*
	 * -n: no reverse lookup.  A name without a leading dot matches only
	 * itself.  A name with one also matches the name after the dot, which
	 * "apex" excludes.
	 */
	if (e->kind == ALLOW_BELOW) {
		strbuf_addf(out, "acl below%zu dstdomain -n .%s\n", i, e->host);
		strbuf_addf(out, "acl apex%zu dstdomain -n %s\n", i, e->host);
		strbuf_addf(
		    out, "acl host%zu all-of below%zu !apex%zu\n", i, i, i);
	} else {
		strbuf_addf(out, "acl host%zu dstdomain -n %s\n", i, e->host);
	}
	strbuf_addf(out, "acl port%zu port %u\n", i, e->port);
	strbuf_addf(out, "acl line%zu all-of %s host%zu port%zu\n", i,
	    e->plain_http ? "plain" : "CONNECT", i, i);
}

void
squid_config(const struct allowlist *list, struct strbuf *out)
{
	strbuf_addstr(out, preamble);
	strbuf_addstr(out,
	    "acl nothing port 0\n"
	    /*
	     * Squid takes any character in a host, and cuts a label of more
	     * than 63 when it asks DNS.
	     */
	    "acl odd dstdom_regex -n -i [^.]{64} ^.{254} [^][a-z0-9.:_-]\n"
	    "acl http proto HTTP\n"
	    "acl plain all-of !CONNECT http\n");
	for (size_t i = 0; i < list->nr; i++)
		add_entry(out, i, &list->v[i]);
	add_any_of(out, list, "listed", MEMBER_LINE);
	add_any_of(out, list, "private", MEMBER_PRIVATE);
	add_any_of(out, list, "host", MEMBER_HOST);
	add_list(out, "special", special, ARRAY_SIZE(special));
	add_below_3(out, "special");
	add_list(out, "unreachable", unreachable, ARRAY_SIZE(unreachable));
	strbuf_addstr(out,
	    "acl unreachable dst \"/etc/drydock-egress/" SQUID_ADDRESSES
	    "\"\n");
	/*
	 * Check names before addresses: "dst" queries DNS, and a query could
	 * carry data out.  The last acl of a rule chooses the page.
	 */
	strbuf_addstr(out,
	    "deny_info " PAGE " all\n"
	    "deny_info " PAGE_PORT " host\n"
	    "deny_info " SQUID_PAGE_ADDRESS " unreachable\n"
	    "deny_info " SQUID_PAGE_ADDRESS " special\n"
	    "http_access deny manager all\n"
	    "http_access deny odd all\n"
	    "http_access deny !listed host\n"
	    "http_access deny !listed all\n"
	    "http_access deny unreachable\n"
	    "http_access deny !private special\n"
	    "http_access allow listed\n"
	    "http_access deny all\n");
}

/*
 * Returns true if "unreachable" covers the address.  Leaving it out avoids
 * needless changes of the file.
 */
static bool
is_covered(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		uint32_t a =
		    ntohl(((const struct sockaddr_in *)(const void *)sa)
			      ->sin_addr.s_addr);

		return a >> 24 == 127 || a >> 16 == 0xa9fe;
	}
	const struct in6_addr *six =
	    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

	return IN6_IS_ADDR_LOOPBACK(six) || IN6_IS_ADDR_LINKLOCAL(six);
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
	if (is_covered(sa))
		return 0;
	if (inet_ntop(sa->sa_family, address, text, sizeof(text)) == NULL)
		return diag_set_errno(
		    dg, DIAG_IO, errno, "write an address of the host's");
	strvec_push(addresses, text);
	return 0;
}

int
squid_host_addresses(struct strvec *addresses, struct diag *dg)
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

/* Replaces the file if its contents change, or always. */
static int
write_addresses(int conf_fd, bool always, bool *ret_changed, struct diag *dg)
{
	cleanup_strvec struct strvec addresses = STRVEC_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf before = STRBUF_INIT;
	cleanup_diag struct diag absent = DIAG_INIT;

	if (squid_host_addresses(&addresses, dg) != 0)
		return -1;
	strvec_sort(&addresses);
	strbuf_addstr(&text, "# The host's own addresses.\n");
	for (size_t i = 0; i < addresses.nr; i++)
		if (i == 0 || strcmp(addresses.v[i - 1], addresses.v[i]) != 0)
			strbuf_addf(&text, "%s\n", addresses.v[i]);
	/* A file that cannot be read is replaced. */
	*ret_changed = always ||
	    fs_read_file(conf_fd, SQUID_ADDRESSES, ADDRESSES_MAX, &before,
		&absent) != 0 ||
	    strcmp(before.buf, text.buf) != 0;
	if (!*ret_changed)
		return 0;
	return fs_replace_file(
	    conf_fd, SQUID_ADDRESSES, text.buf, text.len, 0644, dg);
}

int
squid_write_addresses(int conf_fd, bool *ret_changed, struct diag *dg)
{
	return write_addresses(conf_fd, false, ret_changed, dg);
}

int
squid_write_boot(int conf_fd, struct diag *dg)
{
	cleanup_strbuf struct strbuf id = STRBUF_INIT;
	cleanup_close int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return diag_set_errno(dg, DIAG_IO, errno, "open " BOOT_ID);
	if (fs_read_fd(fd, BOOT_ID, BOOT_ID_MAX, &id, dg) != 0)
		return -1;
	return fs_replace_file(conf_fd, SQUID_BOOT, id.buf, id.len, 0644, dg);
}

int
squid_write(int conf_fd, const struct allowlist *list, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	bool changed;

	squid_config(list, &text);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (fs_replace_file(conf_fd, pages[i].name, pages[i].text,
			strlen(pages[i].text), 0644, dg) != 0)
			return -1;
	if (fs_replace_file(
		conf_fd, "squid.conf", text.buf, text.len, 0644, dg) != 0)
		return -1;
	/* Written last: its new inode makes a running proxy read all files. */
	return write_addresses(conf_fd, true, &changed, dg);
}
