/* SPDX-License-Identifier: MIT */
/*
 * jsonfilter: removes parts of a JSON document and copies the rest byte for
 * byte.
 *
 * jq path expressions choose the parts to remove.  The filter is idempotent: a
 * second run changes nothing.
 */
#ifndef DRYDOCK_JSONFILTER_H
#define DRYDOCK_JSONFILTER_H

#include <stddef.h>

struct diag;
struct jsonfilter;
struct strbuf;
struct strvec;

/*
 * Compiles path expressions.  They may use the strings home and project;
 * project is null in jq if it is NULL here.  An expression that does not
 * compile is DIAG_CONFIG.
 */
int jsonfilter_new(const struct strvec *drop, const char *home,
    const char *project, struct jsonfilter **ret_filter, struct diag *dg);
void jsonfilter_freep(struct jsonfilter **filter);

/*
 * Appends the filtered text to out.  DIAG_DATA ("WHAT: line N: why"): text is
 * truncated or not valid JSON (RFC 8259), has invalid UTF-8, is nested deeper
 * than JSON_LOOSE_DEPTH, or has a duplicate key in the part that is kept.
 * After a failure out is unchanged.
 *
 * JavaScript writes escaped lone surrogates.  They are copied unchanged; the
 * path expressions see them as U+FFFD.
 */
int jsonfilter_run(struct jsonfilter *filter, const char *text, size_t len,
    const char *what, struct strbuf *out, struct diag *dg);

/*
 * Appends the text to out without the values that need a program which an image
 * does not have.
 *
 * Each path expression (jq) leads to strings that name a program.  If programs
 * does not have such a name, the value that contains the string is left out,
 * and "KEY (PROGRAM)" is appended to ret_left_out.  /bin/NAME and /usr/bin/NAME
 * count as NAME.  A string with characters that no program's name has, such as
 * a path or a variable, is ignored.
 *
 * text is valid JSON without duplicate keys, as from jsonfilter_run().  An
 * expression that does not compile is DIAG_CONFIG.
 */
int jsonfilter_run_programs(const struct strvec *expressions,
    const struct strvec *programs, const char *text, size_t len,
    const char *what, struct strbuf *out, struct strvec *ret_left_out,
    struct diag *dg);

#define cleanup_jsonfilter __attribute__((cleanup(jsonfilter_freep)))

#endif /* DRYDOCK_JSONFILTER_H */
