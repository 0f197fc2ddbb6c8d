/* SPDX-License-Identifier: MIT */
/*
 * refusal: the proxy's refusals, as clients, the log and the host see them.
 *
 * npm, pip and others print the reason phrase of a proxy's answer and nothing
 * else; curl prints the body of an answer to plain HTTP.  Both say what was
 * refused and why.
 */
#ifndef DRYDOCK_REFUSAL_H
#define DRYDOCK_REFUSAL_H

#include <stdbool.h>

struct proxytarget;
struct queue;

enum refusal_why {
	REFUSAL_NONE, /* allowed */
	REFUSAL_LIST, /* no line of the allowlist has the host */
	REFUSAL_PORT, /* the allowlist has another port or protocol */
	REFUSAL_ADDRESS, /* it leads to a private or special address */
};

/*
 * The readiness probe.  A CONNECT to this authority must give REFUSAL_STATUS
 * and the header line REFUSAL_HEADER "list", without a DNS query.
 */
#define REFUSAL_PROBE "ready.drydock.invalid:443"
#define REFUSAL_STATUS 403
#define REFUSAL_HEADER "X-Drydock-Refused: "

/* Words of the log: the result of a refusal, and its reason. */
#define REFUSAL_RESULT "DENIED"
#define REFUSAL_LOG_ADDRESS "ERR_DRYDOCK_ADDRESS"

/* The reason, as the log names it. */
const char *refusal_log_word(enum refusal_why why);

/*
 * Appends the whole answer.  method is a checked token.  Returns false without
 * memory.
 */
bool refusal_add(struct queue *out, enum refusal_why why, const char *method,
    const struct proxytarget *target);

/*
 * Appends an answer for another failure: status is 400, 411, 431, 502, 503 or
 * 504.  text is a line, or NULL for the status's own, which only 4xx have.
 * Returns false without memory.
 */
bool refusal_add_failure(struct queue *out, int status, const char *text);

#endif /* DRYDOCK_REFUSAL_H */
