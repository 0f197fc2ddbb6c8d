/* SPDX-License-Identifier: MIT */
/*
 * promise: the table of what "drydock prove" tests, shared by the probes in the
 * container (guest/prove.c) and by drydock (session/prove.c).
 *
 * A probe reports attempts, one line each: the promise's name, the call, its
 * target, the answer and the verdict, separated by tabs.
 */
#ifndef DRYDOCK_GUEST_PROMISE_H
#define DRYDOCK_GUEST_PROMISE_H

#include <stdbool.h>
#include <stddef.h>

enum promise_id {
	/* Tested by drydock, on the session itself. */
	PROMISE_PROCESS,
	PROMISE_IDENTITY,
	PROMISE_NAMESPACES,
	PROMISE_DEVICES,
	PROMISE_LIMITS,
	PROMISE_MOUNTS,
	PROMISE_SOURCES,
	PROMISE_CONFIGURATION,
	PROMISE_EVERY_PROCESS,
	PROMISE_PROXY_ANSWERS,
	PROMISE_LEASE,
	/* Tested by drydock, on the fresh container. */
	PROMISE_SAME_PLAN,
	/* Tested by the probes in the fresh container. */
	PROMISE_LOOPBACK,
	PROMISE_GATEWAY,
	PROMISE_METADATA,
	PROMISE_DNS_UDP,
	PROMISE_DNS_TCP,
	PROMISE_IPV6,
	PROMISE_RAW,
	PROMISE_FAMILIES,
	PROMISE_VSOCK,
	PROMISE_USERNS,
	PROMISE_NEW_MOUNTS,
	PROMISE_SETUID,
	PROMISE_DEVICE_NODES,
	PROMISE_ENGINE,
	PROMISE_GUARDRAILS,
	PROMISE_LINKS,
	PROMISE_KERNEL,
	PROMISE_KEYRINGS,
	PROMISE_SIGNALS,
	PROMISE_MEMORY,
	PROMISE_PIDS,
	PROMISE_TMP,
	PROMISE_PROXY,
	PROMISE_OTHER_PROXY,
	PROMISES
};

struct promise {
	const char *name;
	const char *words; /* "no interface but loopback is up" */
};

extern const struct promise promises[PROMISES];

/* True for a promise that the probes in the container test. */
bool promise_is_inside(enum promise_id id);

/* Ordered: the worst attempt is the verdict of a promise. */
enum verdict {
	VERDICT_HELD,
	VERDICT_UNKNOWN,
	VERDICT_BROKEN,
};

const char *verdict_name(enum verdict verdict);

/* What the probes are told: NAME=VALUE, in this order of names. */
enum prove_fact {
	PROVE_PROJECT, /* the project's path in the container */
	PROVE_ELSEWHERE, /* the session's directory on the host */
	PROVE_ENGINE, /* the engine's socket on the host */
	PROVE_HOST_PID, /* a process of the caller's on the host */
	PROVE_MEMORY, /* planned limits; -1: none */
	PROVE_PIDS,
	PROVE_TMP,
	PROVE_FACTS
};

extern const char *const prove_fact_names[PROVE_FACTS];

enum {
	PROVE_REPORT_MAX = 64 * 1024, /* bytes of all lines together */
	PROVE_FIELDS = 5,
};

#endif /* DRYDOCK_GUEST_PROMISE_H */
