/* SPDX-License-Identifier: MIT */
/*
 * gitident: the user's name and address, read from git's files as data.
 *
 * drydock runs no git on the host.  $XDG_CONFIG_HOME/git/config and then
 * ~/.gitconfig count, the last value wins, as in git; includes are not
 * followed, other sections are not looked at.
 */
#ifndef DRYDOCK_GITIDENT_H
#define DRYDOCK_GITIDENT_H

#include <stddef.h>

struct diag;
struct paths;
struct strbuf;

struct gitident {
	char *name; /* owned; NULL: not set */
	char *email; /* owned */
};

#define GITIDENT_INIT      \
	{                  \
		NULL, NULL \
	}

/*
 * Reads one file's text over what is there.  What is not git's syntax is
 * DIAG_CONFIG "NAME: line N: why" and changes nothing.
 */
int gitident_parse(struct gitident *ident, const char *name, const char *text,
    size_t len, struct diag *dg);

/* Both files; absent ones are nothing, bad ones are a failure. */
int gitident_load(
    struct gitident *ident, const struct paths *paths, struct diag *dg);

/*
 * Appends a .gitconfig with the identity and signing switched off; nothing at
 * all when no identity is known.
 */
void gitident_write(const struct gitident *ident, struct strbuf *out);

void gitident_release(struct gitident *ident);

#define cleanup_gitident __attribute__((cleanup(gitident_release)))

#endif /* DRYDOCK_GITIDENT_H */
