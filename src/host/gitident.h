/* SPDX-License-Identifier: MIT */
/*
 * gitident: the user's git name and e-mail address for a project, and the
 * directories that the user marked as safe.directory.
 *
 * git reads $XDG_CONFIG_HOME/git/config and then ~/.gitconfig, with their
 * includes; the last value wins.  git runs as a child with an environment that
 * drydock builds, and with a deadline.  The project's own configuration is
 * neither read nor run.  Only the location of the project's git directory is
 * used, to evaluate conditional includes.
 */
#ifndef DRYDOCK_GITIDENT_H
#define DRYDOCK_GITIDENT_H

#include <stdbool.h>

#include "base/strvec.h"

struct diag;
struct paths;
struct strbuf;

struct gitident {
	char *name; /* owned; NULL: not set */
	char *email; /* owned */
	char *sign_format; /* owned; gpg.format */
	char *sign_key; /* owned; user.signingKey */
	bool sign_commits, sign_tags;
	struct strvec safe; /* owned; values of safe.directory */
};

#define GITIDENT_INIT                \
	{                            \
		.safe = STRVEC_INIT, \
	}

/*
 * Loads both files; an absent file is skipped.  project is its real path.
 * Fails with DIAG_CONFIG when git is not installed, rejects a file, or exceeds
 * its deadline.  ident then keeps the values of the files before the failed
 * one.
 */
int gitident_load(struct gitident *ident, const struct paths *paths,
    const char *project, struct diag *dg);

/*
 * Returned: "key::TYPE BASE64", the public key with which the user's git signs
 * by ssh, if its fingerprint is in keys; else NULL.  Only the public key's file
 * is read.
 */
char *gitident_signing_key(const struct gitident *ident,
    const struct paths *paths, const struct strvec *keys);

/*
 * Appends ident as text of a .gitconfig.  With a signing key (or NULL), git
 * signs what it signs on the host.
 */
void gitident_write(
    const struct gitident *ident, const char *signing_key, struct strbuf *out);
void gitident_release(struct gitident *ident);

#define cleanup_gitident __attribute__((cleanup(gitident_release)))

#endif /* DRYDOCK_GITIDENT_H */
