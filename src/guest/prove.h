/* SPDX-License-Identifier: MIT */
/*
 * prove: attempts to break a session's promises, from inside of a container
 * that holds no agent.  Each prints one line for each call that it makes.
 */
#ifndef DRYDOCK_GUEST_PROVE_H
#define DRYDOCK_GUEST_PROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/promise.h"

struct diag;

/*
 * Makes each attempt and prints its line (guest/promise.h) on stdout.  words
 * are the facts, NAME=VALUE, and end with NULL.  No attempt changes more than
 * the project's directory and /tmp.
 */
int prove_run(char *const *words, struct diag *dg);

struct prove {
	const char *facts[PROVE_FACTS]; /* borrowed, never NULL */
	enum promise_id id; /* of the attempt that is being made */
};

typedef void probe_fn(struct prove *p);

/* Prints the line of one attempt (guest/promise.h) on stdout. */
void probe_report(const struct prove *p, enum verdict verdict, const char *call,
    const char *target, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * Reports a call that must fail; errno is the call's.  refusals are the errors
 * that the wall gives, ended by 0; any other error is unknown, because the call
 * may have failed for a reason of its own.
 */
void probe_must_fail(const struct prove *p, const char *call,
    const char *target, bool failed, const int *refusals);

/* The error of the seccomp filter; others come from the kernel itself. */
extern const int probe_filtered[];
/* A path that does not exist. */
extern const int probe_absent[];

#define PROBE_TEXT_MAX 4096

/* Reads at most PROBE_TEXT_MAX - 1 bytes; an unreadable file is "". */
void probe_read(const char *path, char text[static PROBE_TEXT_MAX]);

/* A file that a probe may make and removes. */
#define PROBE_SCRATCH "/tmp/.drydock-prove"

int64_t probe_number(const struct prove *p, enum prove_fact fact);

/* The attempts that use more than the limits allow (probe-limits.c). */
probe_fn probe_memory;
probe_fn probe_pids;
probe_fn probe_tmp;

/* The attempts that use sockets (probe-net.c). */
probe_fn probe_loopback;
probe_fn probe_gateway;
probe_fn probe_metadata;
probe_fn probe_dns_udp;
probe_fn probe_dns_tcp;
probe_fn probe_ipv6;
probe_fn probe_raw;
probe_fn probe_families;
probe_fn probe_vsock;
probe_fn probe_engine;
probe_fn probe_proxy;
probe_fn probe_other_proxy;

#endif /* DRYDOCK_GUEST_PROVE_H */
