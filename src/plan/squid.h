/* SPDX-License-Identifier: MIT */
/*
 * squid: the sidecar's configuration, from an allowlist.
 *
 * Default deny, CONNECT only, exact names, and no name is resolved before it
 * is known to be listed.
 */
#ifndef DRYDOCK_SQUID_H
#define DRYDOCK_SQUID_H

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

/* Appends the text; host_addresses are refused whatever the list says. */
void squid_config(const struct allowlist *list,
    const struct strvec *host_addresses, struct strbuf *out);

/* Appends every address of the host's interfaces (getifaddrs), or fails. */
int squid_host_addresses(struct strvec *addresses, struct diag *dg);

/*
 * Writes squid.conf and the refusal page into conf_fd, the directory that the
 * sidecar has at /etc/drydock-egress: sidecar/conf of the session.
 */
int squid_write(int conf_fd, const struct allowlist *list, struct diag *dg);

#endif /* DRYDOCK_SQUID_H */
