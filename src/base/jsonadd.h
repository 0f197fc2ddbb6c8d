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
 * Appends text to out, with those members of the object defaults added at the
 * end of its top object that it does not have.  An empty text counts as {}.
 * DIAG_DATA: text is not a JSON object; what names it in the message.  After a
 * failure out is unchanged.
 */
int jsonadd_missing(const char *text, size_t len, const char *what,
    const struct json *defaults, struct strbuf *out, struct diag *dg);

#endif /* DRYDOCK_JSONADD_H */
