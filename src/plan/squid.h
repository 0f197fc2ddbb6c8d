/* SPDX-License-Identifier: MIT */
/*
 * squid: the sidecar's configuration, from an allowlist.
 *
 * Default deny, CONNECT only, exact names, and no name is resolved before it
 * is known to be listed.
 */
#ifndef DRYDOCK_SQUID_H
#define DRYDOCK_SQUID_H

#include <stdbool.h>

struct allowlist;
struct diag;
struct strbuf;
struct strvec;

/*
 * Asking for this host and port must give SQUID_REFUSED_STATUS and the header
 * line below, without a DNS query: then the proxy is ready and refuses.
 */
#define SQUID_READY_AUTHORITY "ready.drydock.invalid:443"
#define SQUID_REFUSED_STATUS 403
#define SQUID_REFUSED_HEADER "X-Squid-Error: ERR_DRYDOCK_REFUSED 0"

/*
 * Appends the text.  The addresses in the file SQUID_ADDRESSES are refused
 * whatever the list says.
 */
void squid_config(const struct allowlist *list, struct strbuf *out);

/*
 * Appends each address of the host's interfaces (getifaddrs), or fails.  Those
 * that squid_config() refuses for any host are left out: loopback and
 * link-local ones, which change with each container.
 */
int squid_host_addresses(struct strvec *addresses, struct diag *dg);

/* The host's addresses, beside squid.conf; the sidecar watches it. */
#define SQUID_ADDRESSES "host-addresses"

/*
 * Replaces SQUID_ADDRESSES in conf_fd where the host has other addresses now;
 * *ret_changed says so.
 */
int squid_write_addresses(int conf_fd, bool *ret_changed, struct diag *dg);

/*
 * Writes squid.conf, SQUID_ADDRESSES and the refusal page into conf_fd, the
 * directory that the sidecar has at /etc/drydock-egress: sidecar/conf of the
 * session.
 */
int squid_write(int conf_fd, const struct allowlist *list, struct diag *dg);

#endif /* DRYDOCK_SQUID_H */
