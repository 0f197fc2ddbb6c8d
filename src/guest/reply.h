/* SPDX-License-Identifier: MIT */
/* reply: finds the end of the status line of a server's final answer. */
#ifndef DRYDOCK_REPLY_H
#define DRYDOCK_REPLY_H

#include <stdbool.h>
#include <stddef.h>

struct reply {
	enum {
		REPLY_STATUS, /* in a status line */
		REPLY_FIELDS, /* in the fields of a 1xx answer */
		REPLY_REST, /* behind the final status line */
	} at;
	char line[16]; /* the beginning of the current line */
	size_t len; /* of the current line; more than line holds */
};

/*
 * Reads the next bytes of the server.  Returns true once: *ret_at is the offset
 * in data behind the final answer's status line.  A 1xx answer is not final.
 * An answer that is not HTTP/1 has no such line.
 */
bool reply_scan(
    struct reply *reply, const char *data, size_t len, size_t *ret_at);

/* Returns the status of a line that begins with "HTTP/1.x NNN", or 0. */
int reply_status(const char *line, size_t len);

#endif /* DRYDOCK_REPLY_H */
