/* SPDX-License-Identifier: MIT */
/*
 * patchtext: judges a unified diff before patch(1) reads it.
 *
 * patch(1) looks for diffs of several forms in any text, runs ed(1) for one of
 * them, and takes names from several lines.  Only what "diff -ruN a b" writes
 * is accepted: "diff " lines, "--- a/NAME" and "+++ b/NAME" with a tab and a
 * time, hunks whose counts and places agree, and "\ No newline at end of file".
 * In both names of a file NAME is the same, relative, without "..", "." or
 * empty components, and printable ASCII without blanks, quotes and backslashes:
 * diff quotes other names.  A name occurs once.  The epoch as a time says that
 * the file does not exist.
 */
#ifndef DRYDOCK_PATCHTEXT_H
#define DRYDOCK_PATCHTEXT_H

#include <stddef.h>

#include "base/strvec.h"

struct diag;

#define PATCHTEXT_MAX_SIZE ((size_t)16 * 1024 * 1024)

/*
 * Judges a text; what is its file's name in messages.  Appends the names of the
 * files that it changes to ret_names, in the text's order.  A text that is not
 * accepted is DIAG_DATA; the message names the line.
 */
int patchtext_judge(const char *text, size_t len, const char *what,
    struct strvec *ret_names, struct diag *dg);

#endif /* DRYDOCK_PATCHTEXT_H */
