/* SPDX-License-Identifier: MIT */
/*
 * prompt: a question to a person, on stderr, the answer from stdin.
 */
#ifndef DRYDOCK_PROMPT_H
#define DRYDOCK_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

/* Whether there is somebody to ask: not of a job in the background. */
bool prompt_possible(void);

/*
 * Prints question as it is and reads a line, in lower case, without blanks; what
 * does not fit is dropped.  End of input is DIAG_CANCELLED, and DIAG_IO that
 * nobody could be asked.
 */
int prompt_line(
    const char *question, char *ret_answer, size_t size, struct diag *dg);

/* Anything but y or yes is DIAG_CANCELLED. */
int prompt_yes(const char *question, struct diag *dg);

#endif /* DRYDOCK_PROMPT_H */
