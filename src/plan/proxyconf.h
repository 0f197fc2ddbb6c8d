/* SPDX-License-Identifier: MIT */
/*
 * proxyconf: writes the list of the session's proxy (guest/proxylist.h).
 *
 * conf_fd is sidecar/conf of the session, which the sidecar has, read-only, at
 * /etc/drydock-egress.  A running proxy reads a replaced file at once.
 */
#ifndef DRYDOCK_PROXYCONF_H
#define DRYDOCK_PROXYCONF_H

#include <stdbool.h>

struct allowlist;
struct diag;
struct strbuf;
struct strvec;

/* Writes the hosts, and the host's own addresses, which are never reached. */
int proxyconf_write(int conf_fd, const struct allowlist *list, struct diag *dg);

/*
 * Writes the upstream proxy of a value of the setting upstream_proxy, or
 * removes the file for the empty value.  A running proxy uses it at once.
 */
int proxyconf_write_parent(
    int conf_fd, const char *upstream_proxy, struct diag *dg);

/* Appends the text of the file with the hosts. */
void proxyconf_hosts(const struct allowlist *list, struct strbuf *out);

/*
 * Appends the addresses of the host's interfaces (getifaddrs(3)).  Those that
 * the proxy refuses on every host, such as loopback and link-local ones, are
 * left out: link-local ones change with each container.  A failure is DIAG_IO.
 */
int proxyconf_host_addresses(struct strvec *addresses, struct diag *dg);

/*
 * Replaces the file of addresses if the host's addresses differ from it.
 * *ret_changed is true if the file was replaced.
 */
int proxyconf_write_addresses(int conf_fd, bool *ret_changed, struct diag *dg);

/* Writes PROXYLIST_BOOT, which permits the proxy to run in this boot. */
int proxyconf_write_boot(int conf_fd, struct diag *dg);

/*
 * Returns true if an older drydock made the session.  Its proxy keeps the hosts
 * that it had; the addresses it still reads.
 */
bool proxyconf_is_older(int conf_fd);

#endif /* DRYDOCK_PROXYCONF_H */
