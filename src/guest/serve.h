/* SPDX-License-Identifier: MIT */
/*
 * serve: the holder's socket: its clients, the session's command that they
 * start and view, and additional commands.
 */
#ifndef DRYDOCK_SERVE_H
#define DRYDOCK_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/listen.h"
#include "base/loop.h"
#include "guest/exec.h"
#include "guest/relay.h"
#include "guest/screen.h"
#include "guest/spawn.h"
#include "guest/wire.h"

struct client;
struct command;
struct diag;
struct note;

struct serve {
	struct loop *loop;
	struct listener listener;
	struct client *clients; /* owned; newest first */
	char digest[DIGEST_HEX_SIZE];
	const char *refusal; /* NULL, or sent instead of hello; borrowed */
	bool refusal_sent; /* a client got the refusal */
	const struct inherited *own; /* restored for a command; borrowed */
	const struct client *owner; /* the sender of go; only compared */
	struct command *command; /* owned */
	struct execs execs; /* additional commands */
	struct relay ports; /* connections of clients to the loopback */
	bool greeted; /* a client sent hello */
	bool started; /* a go message was accepted */
	bool owner_bound; /* the command ends with its owner */
	bool ended; /* exit was sent to all clients */
	bool stopped; /* by the engine: the command may be continued */
	unsigned int status;
	struct note *note; /* of the command's end; borrowed */
	struct screen screen;
	struct timer nudge;
	struct wire_size size; /* the pty's; the nudge restores it */
	uint64_t active; /* of the viewer that was active last */
};

/* Listens at path.  loop, own, note and refusal must outlive s. */
int serve_start(
    struct serve *s, struct loop *loop, const char *path, struct diag *dg);

/* Called after each event: applies the consequences of the new state. */
void serve_settle(struct serve *s);

/* Called on SIGCHLD. */
void serve_reap(struct serve *s);

/*
 * Terminates the command; returns false if there is none.  If the command does
 * not end with its client, no client is sent a status, because the session is
 * stopped and not over; status is then 143.
 */
bool serve_stop(struct serve *s);

/* True if all clients were sent the status or the refusal, and left. */
bool serve_is_over(const struct serve *s);

void serve_release(struct serve *s);

#endif /* DRYDOCK_SERVE_H */
