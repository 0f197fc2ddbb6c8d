/* SPDX-License-Identifier: MIT */
/*
 * packagehosts: the hosts that the configuration of this host's package
 * managers names.
 *
 * npm: the registry and the scopes' registries of /etc/npmrc and the user's
 * ~/.npmrc; without a registry, the one that packagehosts_keep_npm() kept.  apt:
 * the http and https mirrors of its sources.  No program is run, and the
 * environment does not count.  The files decide what a session can reach:
 * trusted_open() reads them.  Credentials are not kept.
 */
#ifndef DRYDOCK_PACKAGEHOSTS_H
#define DRYDOCK_PACKAGEHOSTS_H

#include "base/strvec.h"

struct diag;
struct paths;

struct packagehosts {
	struct strvec lines; /* "[http://]HOST[:PORT]", not checked */
	struct strvec files; /* which file names each of these lines */
	struct strvec notes; /* what is missing, and what the user can do */
	/* npm's "registry=URL" and "@scope:registry=URL", without a user */
	struct strvec settings;
};

#define PACKAGEHOSTS_INIT                                          \
	{                                                          \
		STRVEC_INIT, STRVEC_INIT, STRVEC_INIT, STRVEC_INIT \
	}

/*
 * manager is "npm" or "apt"; any other is DIAG_CONFIG.  An absent file names
 * nothing.  One that cannot be read or that others can change is an error.
 */
int packagehosts_read(struct packagehosts *ret, const char *manager,
    const struct paths *paths, struct diag *dg);

/*
 * Keeps the registry that npm uses without a configuration, in the open state
 * directory.  A url that cannot be one is DIAG_DATA.
 */
int packagehosts_keep_npm(
    const struct paths *paths, const char *url, struct diag *dg);

void packagehosts_release(struct packagehosts *p);

#define cleanup_packagehosts __attribute__((cleanup(packagehosts_release)))

#endif /* DRYDOCK_PACKAGEHOSTS_H */
