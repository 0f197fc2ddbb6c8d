/* SPDX-License-Identifier: MIT */
/*
 * hostconf: the settings with which this host reaches packages, for the steps
 * of a build only.
 *
 * These are the package sources with their keys, apt's network settings and
 * credentials, npm's registry settings, proxies, and the certificates that the
 * host trusts.  A build gets them as one secret (a gzip-compressed tar).  An
 * image keeps only the certificates that the user added.
 */
#ifndef DRYDOCK_HOSTCONF_H
#define DRYDOCK_HOSTCONF_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "base/strvec.h"

struct diag;
struct paths;
struct settings;

struct hostconf {
	char *codename; /* owned; Debian release; "" on other systems */
	struct strvec sources; /* in the format of aptsources.h */
	struct strbuf apt_conf; /* network settings, as lines of apt.conf(5) */
	struct strbuf apt_auth; /* apt_auth.conf(5) */
	struct strbuf npmrc;
	bool npm_withheld; /* npmrc_keep_used() returned false */
	struct strbuf ca; /* PEM */
	struct strbuf trusted; /* PEM; certificates that the image trusts */
	struct strvec proxies; /* HTTP_PROXY=... and similar variables */
};

#define HOSTCONF_INIT                                                     \
	{                                                                 \
		NULL, STRVEC_INIT, STRBUF_INIT, STRBUF_INIT, STRBUF_INIT, \
		    false, STRBUF_INIT, STRBUF_INIT, STRVEC_INIT          \
	}

/* Settings that are absent or unreadable for the caller are left out. */
void hostconf_read(struct hostconf *ret, const struct paths *paths,
    const char *const *environ_);

/*
 * Appends the certificate authorities that the user added, in PEM and nothing
 * else of their files: *.crt below /usr/local/share/ca-certificates
 * (update-ca-certificates(8)), and the file of the setting ca_file.  Sessions
 * trust them too.
 *
 * DIAG_CONFIG: ca_file is unreadable, writable for others, or has no
 * certificate.
 */
int hostconf_read_certificates(const struct settings *settings,
    const struct paths *paths, struct strbuf *ret_pem, struct diag *dg);

/*
 * Returns true if a proxy or a package source is on the host's loopback
 * address.  Only a build in the host's network can reach it.
 */
bool hostconf_is_local(const struct hostconf *hc);

/*
 * Appends the tar to out.  More than BuildKit's limit for a secret (500 kB) is
 * DIAG_CONFIG.
 */
int hostconf_pack(
    const struct hostconf *hc, struct strbuf *out, struct diag *dg);
void hostconf_release(struct hostconf *hc);

#define cleanup_hostconf __attribute__((cleanup(hostconf_release)))

#endif /* DRYDOCK_HOSTCONF_H */
