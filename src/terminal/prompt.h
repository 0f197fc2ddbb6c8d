/* SPDX-License-Identifier: MIT */
/*
 * prompt: asks the user a question on stderr and reads the answer from stdin,
 * or asks for a secret on the terminal.
 */
#ifndef DRYDOCK_PROMPT_H
#define DRYDOCK_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

struct diag;
struct strbuf;

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

/*
 * Shows question on the controlling terminal and appends the secret that the
 * user types or pastes, without echo, to text: at most max + 1 bytes.  The
 * terminal's modes are restored on return, also when a signal then ends the
 * program.  DIAG_CANCELLED if there is no terminal, or at end of input before
 * the first byte.
 *
 * A terminal with bracketed paste (xterm's control sequences, mode 2004) marks
 * the start and the end of a paste.  The paste is taken as a whole, with its
 * line ends.  Without bracketed paste an empty line ends the text: a secret
 * that the terminal had wrapped is not cut after its first line.
 */
int prompt_secret(
    const char *question, size_t max, struct strbuf *text, struct diag *dg);

#endif /* DRYDOCK_PROMPT_H */
