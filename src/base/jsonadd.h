/* SPDX-License-Identifier: MIT */
/*
 * jsonadd: adds members to a JSON document and keeps its other bytes.
 */
#ifndef DRYDOCK_JSONADD_H
#define DRYDOCK_JSONADD_H

#include <stddef.h>

struct diag;
struct json;
struct strbuf;

/*
 * Appends text to out, and adds to the end of its top object the members of the
 * object defaults that it lacks.  An empty text counts as {}.  A text that is
 * not a JSON object is DIAG_DATA; what names it in the message.  After a
 * failure out is unchanged.
 */
int jsonadd_missing(const char *text, size_t len, const char *what,
    const struct json *defaults, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_JSONADD_H */
