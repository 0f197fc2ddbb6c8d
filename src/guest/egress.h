/* SPDX-License-Identifier: MIT */
/* egress: the sidecar's process: the session's proxy, and its list. */
#ifndef DRYDOCK_EGRESS_H
#define DRYDOCK_EGRESS_H

struct diag;

struct egress_spec {
	const char *socket; /* path to listen on */
	const char *conf; /* directory of the files of guest/proxylist.h */
	const char *log; /* directory of the log: guest/proxylog.h */
	/* as libc reads it; NULL: the host is not told the name servers */
	const char *resolv_conf;
	int lease_ms; /* wait this long for the session's lease; 0: forever */
};

/*
 * Serves until TERM or INT.  When a file of the list is replaced, or on HUP,
 * the list is read again: a list that cannot be read leaves the last good one
 * in force, which stderr and the log say.  The first one must be readable.
 *
 * If PROXYLIST_BOOT names another boot than this one, nothing is served and 0 is
 * returned at once: the engine's restart policy does not try again.  The same if
 * lease_ms is set and the lease is not taken in that time, or is lost: see
 * guest/lease.h.
 */
int egress_run(const struct egress_spec *spec, struct diag *dg);

#endif /* DRYDOCK_EGRESS_H */
