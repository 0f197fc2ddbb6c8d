/* SPDX-License-Identifier: MIT */
/*
 * npmrc: the npm settings about package sources: registries, scopes,
 * credentials, proxies, certificates.
 */
#ifndef DRYDOCK_NPMRC_H
#define DRYDOCK_NPMRC_H

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
 * named neither by registry= nor by a scope's @scope:registry=.  Without
 * registry=, npm's default registry is used.
 */
void npmrc_keep_used(struct strbuf *npmrc);

#endif /* DRYDOCK_NPMRC_H */
