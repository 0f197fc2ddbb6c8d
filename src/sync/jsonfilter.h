/* SPDX-License-Identifier: MIT */
/*
 * jsonfilter: a JSON document without some of its parts, the rest to the byte.
 *
 * jq's path expressions choose what goes; what stays is the source's own
 * bytes.  A second pass of the same filter changes nothing.
 */
#ifndef DRYDOCK_JSONFILTER_H
#define DRYDOCK_JSONFILTER_H

#include <stddef.h>

struct diag;
struct jsonfilter;
struct strbuf;
struct strvec;

/*
 * Compiles path expressions.  They may use home and project, strings; project
 * is null when it is NULL here.  One that does not compile is DIAG_CONFIG.
 */
int jsonfilter_new(const struct strvec *drop, const char *home,
    const char *project, struct jsonfilter **ret_filter, struct diag *dg);
void jsonfilter_freep(struct jsonfilter **filter);

/*
 * Appends what is left of text to out.  Text that is cut off or otherwise no
 * JSON (RFC 8259), holds bad UTF-8, is nested deeper than JSON_LOOSE_DEPTH,
 * or has a duplicate key in what is left is DIAG_DATA "WHAT: line N: why"; out
 * is left as it was then.  An escaped half of a surrogate pair, which
 * JavaScript writes, is copied like all else; to the path expressions it is
 * U+FFFD.
 */
int jsonfilter_run(struct jsonfilter *filter, const char *text, size_t len,
    const char *what, struct strbuf *out, struct diag *dg);

#define cleanup_jsonfilter __attribute__((cleanup(jsonfilter_freep)))

#endif /* DRYDOCK_JSONFILTER_H */
