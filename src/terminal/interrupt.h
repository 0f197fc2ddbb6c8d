/* SPDX-License-Identifier: MIT */
/*
 * interrupt: terminating signals, blocked while a launch has something to clean
 * up.
 */
#ifndef DRYDOCK_INTERRUPT_H
#define DRYDOCK_INTERRUPT_H

#include <signal.h>
#include <stddef.h>

struct diag;

struct interrupt {
	sigset_t held;
	sigset_t before; /* the signal mask to restore */
};

/* Sets those signals that are not ignored, as nohup(1) ignores SIGHUP. */
void interrupt_heeded(const int *signals, size_t n, sigset_t *ret_set);

/* Blocks INT, TERM, HUP and QUIT, except those that are ignored. */
void interrupt_hold(struct interrupt *in);

/* Consumes a pending signal and returns -1 with DIAG_CANCELLED, else 0. */
int interrupt_check(const struct interrupt *in, struct diag *dg);

/*
 * For a poll loop: interrupt_open() returns a descriptor that is readable when
 * a signal is pending (the caller closes it; -1 on failure).  interrupt_read()
 * consumes the signal and returns it, or returns 0.
 */
int interrupt_open(const struct interrupt *in);
int interrupt_read(int fd);

void interrupt_restore(const struct interrupt *in);

#endif /* DRYDOCK_INTERRUPT_H */
