/* SPDX-License-Identifier: MIT */
/*
 * prompt: asks the user a question on stderr and reads the answer from stdin.
 */
#ifndef DRYDOCK_PROMPT_H
#define DRYDOCK_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

/*
 * Returns true if stdin and stderr are terminals and drydock is no background
 * job.
 */
bool prompt_possible(void);

/*
 * Prints question unescaped and reads one line.  *ret_answer is in lower case
 * and without white space; bytes beyond size - 1 are dropped.  DIAG_CANCELLED
 * at end of input or if reading fails; DIAG_IO if the question cannot be
 * printed.
 */
int prompt_line(
    const char *question, char *ret_answer, size_t size, struct diag *dg);

/* Any answer except "y" or "yes" is DIAG_CANCELLED. */
int prompt_yes(const char *question, struct diag *dg);

#endif /* DRYDOCK_PROMPT_H */
