/* SPDX-License-Identifier: MIT */
/*
 * squid: writes the sidecar's Squid configuration from an allowlist.
 *
 * The configuration denies by default and matches exact host names.  It allows
 * CONNECT, and plain HTTP where a line says so.  A host name is resolved only
 * after it matched the allowlist.
 */
#ifndef DRYDOCK_SQUID_H
#define DRYDOCK_SQUID_H

#include <stdbool.h>

struct allowlist;
struct diag;
struct strbuf;
struct strvec;

/*
 * The readiness probe.  A CONNECT to this authority must give
 * SQUID_REFUSED_STATUS and the header line SQUID_REFUSED_HEADER, without a DNS
 * query.
 */
#define SQUID_READY_AUTHORITY "ready.drydock.invalid:443"
#define SQUID_REFUSED_STATUS 403
#define SQUID_REFUSED_HEADER "X-Squid-Error: ERR_DRYDOCK_REFUSED 0"

/* The page, as the log names it, of a refusal for the host's address. */
#define SQUID_PAGE_ADDRESS "ERR_DRYDOCK_ADDRESS"

/*
 * Appends the text of squid.conf.  The addresses in the file SQUID_ADDRESSES
 * are refused even if the allowlist has them.
 */
void squid_config(const struct allowlist *list, struct strbuf *out);

/*
 * Appends the addresses of the host's interfaces (getifaddrs(3)).  Loopback and
 * link-local addresses are left out: squid_config() always refuses these, and
 * they change with each container.  A failure is DIAG_IO.
 */
int squid_host_addresses(struct strvec *addresses, struct diag *dg);

/*
 * The file with the host's addresses, beside squid.conf.  The sidecar watches
 * it.
 */
#define SQUID_ADDRESSES "host-addresses"

/*
 * Replaces SQUID_ADDRESSES in conf_fd if the host's addresses differ from it.
 * *ret_changed is true if the file was replaced.
 */
int squid_write_addresses(int conf_fd, bool *ret_changed, struct diag *dg);

/*
 * The file with the id of the host's boot in which the proxy may run.  The
 * engine's restart policy could start it after a later boot, without its agent.
 */
#define SQUID_BOOT "boot-id"

/* Writes SQUID_BOOT, which permits the proxy to run in this boot. */
int squid_write_boot(int conf_fd, struct diag *dg);

/*
 * Writes squid.conf, SQUID_ADDRESSES and the refusal pages into conf_fd, which
 * is sidecar/conf of the session.  The sidecar has it at /etc/drydock-egress.
 * A running proxy reads the new files without a restart.
 */
int squid_write(int conf_fd, const struct allowlist *list, struct diag *dg);

#endif /* DRYDOCK_SQUID_H */
