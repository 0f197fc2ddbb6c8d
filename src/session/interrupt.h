/* SPDX-License-Identifier: MIT */
/*
 * interrupt: signals that end drydock, held back while there is something to
 * put away first.
 */
#ifndef DRYDOCK_INTERRUPT_H
#define DRYDOCK_INTERRUPT_H

#include <signal.h>

struct diag;

struct interrupt {
	sigset_t held;
	sigset_t before; /* the mask to put back */
};

/* From here on INT, TERM, HUP and QUIT wait. */
void interrupt_hold(struct interrupt *in);

/* One came: DIAG_CANCELLED, and it is consumed. */
int interrupt_check(const struct interrupt *in, struct diag *dg);

/*
 * The same for a loop that waits: a descriptor that can be read when one came
 * (the caller closes it; -1: none can be had), and the signal, or 0.
 */
int interrupt_open(const struct interrupt *in);
int interrupt_read(int fd);

void interrupt_restore(const struct interrupt *in);

#endif /* DRYDOCK_INTERRUPT_H */
