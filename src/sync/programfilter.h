/* SPDX-License-Identifier: MIT */
/*
 * programfilter: drops the values of a JSON document that need a program that
 * an image does not have, and copies the rest byte for byte.
 */
#ifndef DRYDOCK_PROGRAMFILTER_H
#define DRYDOCK_PROGRAMFILTER_H

#include <stddef.h>

struct diag;
struct strbuf;
struct strvec;

/*
 * Each path expression (jq) leads to strings that name a program.  If programs
 * does not have such a name, the value that contains the string is left out,
 * and "KEY (PROGRAM)" is appended to ret_left_out.  /bin/NAME and /usr/bin/NAME
 * count as NAME.  A string with characters that no program's name has, such as
 * a path or a variable, is ignored.
 *
 * text is valid JSON without duplicate keys, as from jsonfilter_run().  An
 * expression that does not compile is DIAG_CONFIG.
 */
int programfilter_run(const struct strvec *expressions,
    const struct strvec *programs, const char *text, size_t len,
    const char *what, struct strbuf *out, struct strvec *ret_left_out,
    struct diag *dg);

#endif /* DRYDOCK_PROGRAMFILTER_H */
