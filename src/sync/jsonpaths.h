/* SPDX-License-Identifier: MIT */
/*
 * jsonpaths: a set of places in a JSON document, as jq's path() names them.
 *
 * It is walked from the root as a document is read: a node stands for a place
 * that is in the set or on the way to one.
 */
#ifndef DRYDOCK_JSONPATHS_H
#define DRYDOCK_JSONPATHS_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct jsonpaths;

#define JSONPATHS_NONE ((size_t)0) /* no place of the set is below */
#define JSONPATHS_ROOT ((size_t)1)

/*
 * Reads an array of paths, arrays of strings and of numbers from 0.  Anything
 * else, and the root itself as a place, is DIAG_CONFIG.
 */
int jsonpaths_parse(const char *text, size_t len, struct jsonpaths **ret_paths,
    struct diag *dg);
void jsonpaths_free(struct jsonpaths *paths);
void jsonpaths_freep(struct jsonpaths **paths);

size_t jsonpaths_member(
    const struct jsonpaths *paths, size_t node, const void *key, size_t len);
size_t jsonpaths_element(
    const struct jsonpaths *paths, size_t node, size_t index);

/* Whether the node itself is in the set. */
bool jsonpaths_has(const struct jsonpaths *paths, size_t node);

#define cleanup_jsonpaths __attribute__((cleanup(jsonpaths_freep)))

#endif /* DRYDOCK_JSONPATHS_H */
