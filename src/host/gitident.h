/* SPDX-License-Identifier: MIT */
/*
 * gitident: the user's name and address, as git has them for a project, and the
 * directories that the user told git to trust.
 *
 * $XDG_CONFIG_HOME/git/config and then ~/.gitconfig count, with what they
 * include; the last value wins.  git reads them in a child with an environment
 * of ours and a deadline.  The project's own configuration does not count and
 * is not run; where its .git is tells which conditional includes apply.
 */
#ifndef DRYDOCK_GITIDENT_H
#define DRYDOCK_GITIDENT_H

#include "base/strvec.h"

struct diag;
struct paths;
struct strbuf;

struct gitident {
	char *name; /* owned; NULL: not set */
	char *email; /* owned */
	struct strvec safe; /* owned; values of safe.directory */
};

#define GITIDENT_INIT                   \
	{                               \
		NULL, NULL, STRVEC_INIT \
	}

/*
 * Both files; absent ones are nothing.  project is its real path.  Fails
 * (DIAG_CONFIG) when git is not installed, refuses a file, or is too slow;
 * what the file before it said is kept then.
 */
int gitident_load(struct gitident *ident, const struct paths *paths,
    const char *project, struct diag *dg);

/* Appends it as a .gitconfig; nothing when nothing is known. */
void gitident_write(const struct gitident *ident, struct strbuf *out);

void gitident_release(struct gitident *ident);

#define cleanup_gitident __attribute__((cleanup(gitident_release)))

#endif /* DRYDOCK_GITIDENT_H */
