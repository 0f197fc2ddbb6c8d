/* SPDX-License-Identifier: MIT */
/*
 * inspect: what the answers of `docker inspect` for containers and for images
 * have in common.
 */
#ifndef DRYDOCK_INSPECT_H
#define DRYDOCK_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct engine;
struct json;
struct strbuf;
struct strvec;

/* Parses an array of objects; anything else is DIAG_ENGINE. */
int inspect_parse(const char *text, size_t len, const char *what,
    struct json **ret_root, struct diag *dg);

/* Append; null and absent are empty, anything but strings is false. */
bool inspect_strings(const struct json *array, struct strvec *out);
bool inspect_labels(const struct json *object, struct strvec *out);

/*
 * Runs `docker inspect --type KIND NAMES...` (kind is "container" or "image",
 * names are not empty) and parses the array that it prints.  *ret_unknown gets
 * the names that the engine reliably does not know; the array has as many
 * objects as there are others.  Any other answer is DIAG_ENGINE.
 */
int inspect_ask(const struct engine *engine, const char *kind,
    const struct strvec *names, struct json **ret_root,
    struct strvec *ret_unknown, struct diag *dg);

#endif /* DRYDOCK_INSPECT_H */
