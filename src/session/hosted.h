/* SPDX-License-Identifier: MIT */
/*
 * hosted: a program of the host whose output is a container's, viewed like a
 * session.
 *
 * The engine's client passes a container's bytes on as they are.  Here it runs
 * on a pty or on pipes of ours, a thread speaks the holder's protocol for it,
 * and attach_view() is what the user's descriptors see.
 */
#ifndef DRYDOCK_HOSTED_H
#define DRYDOCK_HOSTED_H

#include <stdbool.h>

struct diag;
struct settings;

/*
 * Runs argv (argv[0] an absolute path) with envp alone and views it: on a pty
 * with tty, which needs a terminal at stdin and stdout, else on three pipes.
 * There is no detach key.  *ret_status is its own, 128 and the signal, or, as
 * for attach_view(), 128 and the signal that ended viewing; it is ended then.
 * DIAG_IO when it cannot be run, and as attach_view().
 */
int hosted_view(const char *const *argv, const char *const *envp, bool tty,
    const struct settings *settings, int *ret_status, struct diag *dg);

#endif /* DRYDOCK_HOSTED_H */
