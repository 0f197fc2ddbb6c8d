/* SPDX-License-Identifier: MIT */
/*
 * npmrc: the npm settings that say where packages come from: registry,
 * registries and credentials of scopes and hosts, proxies, certificates.
 */
#ifndef DRYDOCK_NPMRC_H
#define DRYDOCK_NPMRC_H

struct strbuf;

/*
 * Appends those lines of a file as "key=value", ${NAME} replaced from the
 * environment as npm does it.  The value of cafile, a path of this host, goes
 * to *cafile (owned, replaced) instead.
 */
void npmrc_parse(const char *text, const char *const *environ_,
    struct strbuf *out, char **cafile);

/* The same for npm_config_* variables, whose case does not matter. */
void npmrc_from_environment(
    const char *const *environ_, struct strbuf *out, char **cafile);

/*
 * Removes the credentials ("//host/path/:name=...") of registries that neither
 * registry= nor a scope's @scope:registry= names.  Without registry= npm's own
 * is in use.
 */
void npmrc_keep_used(struct strbuf *npmrc);

#endif /* DRYDOCK_NPMRC_H */
