/* SPDX-License-Identifier: MIT */
/*
 * npmmanifest: a package.json, its sections of dependencies, and the overrides
 * in it that are the user's own.
 */
#ifndef DRYDOCK_NPMMANIFEST_H
#define DRYDOCK_NPMMANIFEST_H

#include <stdbool.h>

struct diag;
struct json;
struct strbuf;

#define NPMMANIFEST_SECTIONS 4

/* dependencies, devDependencies, optionalDependencies, peerDependencies */
extern const char *const npmmanifest_sections[NPMMANIFEST_SECTIONS];

/* Parses an object: DIAG_DATA.  A byte order mark is DIAG_CONFIG. */
int npmmanifest_parse(
    const struct strbuf *text, struct json **ret_root, struct diag *dg);

/* Returns true if the value is a redirect's: "file:" and a path of ours. */
bool npmmanifest_is_ours(const struct json *value);

/*
 * Fails with DIAG_CONFIG if "overrides" is no object, is empty, or names the
 * package at any depth, as a key or as a value: npm may take that before the
 * redirect.  Redirects at the top of the object are no conflict.
 */
int npmmanifest_judge_overrides(
    const struct json *root, const char *name, struct diag *dg);

#endif /* DRYDOCK_NPMMANIFEST_H */
