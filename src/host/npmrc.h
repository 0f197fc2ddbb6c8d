/* SPDX-License-Identifier: MIT */
/*
 * npmrc: the npm settings about package sources: registries, scopes,
 * credentials, proxies, certificates.
 */
#ifndef DRYDOCK_NPMRC_H
#define DRYDOCK_NPMRC_H

#include <stdbool.h>

struct strbuf;

/*
 * Appends the relevant lines of a file as "key=value".  ${NAME} is replaced
 * from the environment as npm does.  The value of cafile is a path of this
 * host; it is not appended but stored in *cafile (owned, replaced).
 */
void npmrc_parse(const char *text, const char *const *environ_,
    struct strbuf *out, char **cafile);

/* Like npmrc_parse(), for npm_config_* variables in any case. */
void npmrc_from_environment(
    const char *const *environ_, struct strbuf *out, char **cafile);

/*
 * Removes the credentials ("//host/path/:name=...") of registries that are
 * named neither by the last registry= nor by a scope's @scope:registry=.  This
 * includes the credentials of npm's default registry if registry= is absent.
 * Returns false if registry= is absent and credentials were removed.
 */
bool npmrc_keep_used(struct strbuf *npmrc);

#endif /* DRYDOCK_NPMRC_H */
