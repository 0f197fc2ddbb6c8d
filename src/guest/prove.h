/* SPDX-License-Identifier: MIT */
/*
 * prove: attempts to break a session's promises, from inside of a container
 * that holds no agent.
 */
#ifndef DRYDOCK_GUEST_PROVE_H
#define DRYDOCK_GUEST_PROVE_H

struct diag;

/*
 * Makes each attempt and prints its line (guest/promise.h) on stdout.  words
 * are the facts, NAME=VALUE, and end with NULL.  No attempt changes more than
 * the project's directory and /tmp.
 */
int prove_run(char *const *words, struct diag *dg);

#endif /* DRYDOCK_GUEST_PROVE_H */
