/* SPDX-License-Identifier: MIT */
/*
 * hostconf: how this host reaches packages, for a build's steps alone.
 *
 * Its package sources with their keys, apt's network settings and credentials,
 * npm's registry settings, proxies, and the certificates it trusts.  A build
 * gets it as one secret (a gzip'ed tar); no image keeps any of it but the
 * certificates that the user added.
 */
#ifndef DRYDOCK_HOSTCONF_H
#define DRYDOCK_HOSTCONF_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "base/strvec.h"

struct diag;
struct paths;

struct hostconf {
	char *codename; /* owned; of the release, "" where not Debian itself */
	struct strvec sources; /* as aptsources.h has them */
	struct strbuf apt_conf; /* lines of apt.conf(5) about the network */
	struct strbuf apt_auth; /* apt_auth.conf(5) */
	struct strbuf npmrc;
	struct strbuf ca; /* PEM */
	struct strbuf trusted; /* PEM: what the image is to trust */
	struct strvec proxies; /* HTTP_PROXY=... and the like */
};

#define HOSTCONF_INIT                                                     \
	{                                                                 \
		NULL, STRVEC_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, \
		    STRBUF_INIT, STRBUF_INIT, STRVEC_INIT                 \
	}

/* What the host lacks, or the caller may not read, is left out. */
void hostconf_read(struct hostconf *ret, const struct paths *paths,
    const char *const *environ_);

/* Whether something in it is this host's own loopback, where only builds in
 * the host's network reach it: a proxy or a mirror on the machine itself. */
bool hostconf_is_local(const struct hostconf *hc);

/*
 * Appends the tar to out.  More than BuildKit takes as a secret (500 kB) is
 * DIAG_CONFIG.
 */
int hostconf_pack(
    const struct hostconf *hc, struct strbuf *out, struct diag *dg);
void hostconf_release(struct hostconf *hc);

#define cleanup_hostconf __attribute__((cleanup(hostconf_release)))

#endif /* DRYDOCK_HOSTCONF_H */
