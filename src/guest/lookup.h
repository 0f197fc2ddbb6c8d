/* SPDX-License-Identifier: MIT */
/*
 * lookup: asks DNS for the addresses of a name, without blocking.
 *
 * Two child processes ask for A and AAAA with libc's resolver, which reads
 * /etc/resolv.conf.  Search domains, /etc/hosts and reverse lookups are not
 * used.  LOOKUP_RUNNING lookups run at once, and LOOKUP_WAITING wait for their
 * turn.
 */
#ifndef DRYDOCK_LOOKUP_H
#define DRYDOCK_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/loop.h"
#include "guest/proxyaddr.h"

#define LOOKUP_RUNNING 12
#define LOOKUP_MS 10000 /* of a running lookup */
/* If no server answers, the last one waits for 10 times LOOKUP_MS. */
#define LOOKUP_WAITING (10 * LOOKUP_RUNNING)
#define LOOKUP_EACH 16 /* addresses of one family; more are ignored */

struct lookups {
	struct loop *loop; /* the caller sets it; the rest is 0 at first */
	size_t running, waiting;
	struct lookup *first, *last; /* those that wait */
};

enum lookup_failure {
	LOOKUP_NO_NAME, /* no such name, or none with an address */
	LOOKUP_LATE, /* no answer */
	LOOKUP_FAILED, /* any other failure */
};

struct lookup {
	struct lookups *all; /* NULL: not started */
	const char *name; /* borrowed */
	void (*done)(void *arg);
	void *arg;
	bool is_running;
	pid_t pid[2];
	size_t reports; /* from the children */
	struct watch pipe; /* fd owned */
	struct timer deadline;
	struct proxyaddr v[2 * LOOKUP_EACH]; /* IPv4 first */
	size_t nr;
	enum lookup_failure failure; /* if nr is 0 */
	struct lookup *next;
};

/* What one child reports. */
struct lookup_report {
	enum lookup_failure failure;
	size_t nr;
	struct proxyaddr v[LOOKUP_EACH];
};

/*
 * Starts or queues a lookup; done is called once, later.  name, lookup and arg
 * must live until then, or until lookup_cancel().  Returns false, and does
 * nothing, if LOOKUP_WAITING lookups wait.
 */
bool lookup_start(struct lookups *all, struct lookup *lookup, const char *name,
    void (*done)(void *arg), void *arg);

/*
 * Fills in a lookup whose name is an address, IPv6 in brackets; returns false
 * for a name.
 */
bool lookup_literal(struct lookup *lookup, const char *name);

/* Ends a lookup without a call of done; nothing happens after the call. */
void lookup_cancel(struct lookup *lookup);

/* Reads the addresses of a family out of a DNS answer. */
void lookup_read_answer(const unsigned char *answer, size_t len,
    sa_family_t family, struct lookup_report *ret_report);

#endif /* DRYDOCK_LOOKUP_H */
