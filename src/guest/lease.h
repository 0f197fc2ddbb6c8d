/* SPDX-License-Identifier: MIT */
/*
 * lease: ends the sidecar soon after the agent's container has ended.
 *
 * The holder in the agent's container holds a POSIX lock on a file in the
 * directory that both containers share.  The sidecar asks the kernel for the
 * lock at regular intervals.  A POSIX lock belongs to a process: the process
 * cannot pass it on, and the kernel releases it at the process's end.  The
 * agent may take the lock too, but only while its own container runs.
 */
#ifndef DRYDOCK_LEASE_H
#define DRYDOCK_LEASE_H

#include <stdint.h>

#include "base/loop.h"

#define LEASE_NAME "lease"

/* The sidecar may start this long before the agent. */
#define LEASE_FIRST_MS 60000
/* How long the sidecar runs without the lock, once it was taken. */
#define LEASE_LOST_MS 3000

struct lease {
	struct loop *loop; /* NULL: not in use */
	char *path; /* owned */
	int fd; /* owned; -1: none */
	struct timer look;
	int64_t until; /* of the wait for the other side; monotime_ms() */
	void (*lost)(void *arg); /* NULL: the holder's side */
	void *arg;
};

/*
 * The lease of the session whose egress socket is this one: a file beside the
 * socket.
 */
void lease_init(struct lease *lease, struct loop *loop, const char *socket);

/*
 * The holder's side: takes the lock, also on a file that replaces the first
 * one.  A failure is tried again, without an end.
 */
void lease_hold(struct lease *lease);

/*
 * The sidecar's side: makes the file, and calls lost() once if nobody takes the
 * lock within first_ms, or nobody has had it for LEASE_LOST_MS.  If the lock was
 * taken before a restart of the sidecar, LEASE_LOST_MS applies from the start.
 */
void lease_watch(
    struct lease *lease, int first_ms, void (*lost)(void *arg), void *arg);

/* Has no effect on a lease that is all zero. */
void lease_release(struct lease *lease);

#endif /* DRYDOCK_LEASE_H */
