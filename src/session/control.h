/* SPDX-License-Identifier: MIT */
/*
 * control: requests of drydock commands to a session's companion.
 *
 * The socket lies in the session's directory, which no container sees.  A
 * connection carries one request, a line, and its answer.
 */
#ifndef DRYDOCK_CONTROL_H
#define DRYDOCK_CONTROL_H

#include "base/listen.h"
#include "base/loop.h"

struct control_peer;
struct diag;
struct strbuf;

#define CONTROL_MAX 256 /* bytes of a request or an answer */

/* Answers a request.  line has no line end. */
typedef void control_fn(void *arg, const char *line, struct strbuf *answer);

struct control {
	struct loop *loop;
	struct listener listener;
	control_fn *request;
	void *arg;
	struct control_peer *peers; /* owned */
};

/* Listens in the session's directory.  request is called with arg. */
int control_open(struct control *control, struct loop *loop, int session_fd,
    control_fn *request, void *arg, struct diag *dg);
void control_release(struct control *control);

/*
 * Sends a request and appends the answer.  Waits until the companion listens.
 * No answer within timeout_ms is DIAG_ENGINE; errnum is then ENOENT or
 * ECONNREFUSED if nothing listened.
 */
int control_ask(int session_fd, const char *line, int timeout_ms,
    struct strbuf *answer, struct diag *dg);

#endif /* DRYDOCK_CONTROL_H */
