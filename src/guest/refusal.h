/* SPDX-License-Identifier: MIT */
/*
 * refusal: names the host in the first line of the proxy's refusal.
 *
 * npm, pip and others print the reason phrase of a proxy's answer and nothing
 * else.  Only the first request of a connection, and only CONNECT, is followed:
 * what comes later may be the bytes of a tunnel.
 */
#ifndef DRYDOCK_REFUSAL_H
#define DRYDOCK_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#define REFUSAL_TARGET_MAX 262 /* a name of 253, a colon and a port */

struct refusal {
	bool asked; /* the client's first bytes were seen */
	bool answered; /* the proxy's first bytes were seen */
	char target[REFUSAL_TARGET_MAX + 1]; /* "": not followed */
};

/* Reads the first bytes from the client; later calls do nothing. */
void refusal_request(struct refusal *r, const char *data, size_t len);

/*
 * Reads the first bytes from the proxy; later calls return 0.  For drydock's
 * own refusal of a target that was followed, returns the length of the first
 * line, with its end, and writes the line to send in its place into line.
 */
#define REFUSAL_LINE_MAX 512
size_t refusal_answer(struct refusal *r, const char *data, size_t len,
    char line[REFUSAL_LINE_MAX]);

#endif /* DRYDOCK_REFUSAL_H */
