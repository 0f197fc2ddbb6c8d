/* SPDX-License-Identifier: MIT */
/*
 * serve: the holder's socket, whoever comes to it, the session's command that
 * they bring and view, and those beside it.
 */
#ifndef DRYDOCK_SERVE_H
#define DRYDOCK_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "guest/exec.h"
#include "guest/listen.h"
#include "guest/loop.h"
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
	struct client *clients; /* owned; the newest first */
	char digest[DIGEST_HEX_SIZE];
	const char *refusal; /* NULL, or told instead of hello; borrowed */
	bool refusal_sent; /* somebody the refusal */
	const struct inherited
	    *own; /* what a command gets as it was; borrowed */
	const struct client *owner; /* who sent go; for comparison alone */
	struct command *command; /* owned */
	struct execs execs; /* more commands, beside it */
	bool greeted; /* somebody said hello */
	bool started; /* a go message was taken */
	bool owner_bound; /* the command ends with its owner */
	bool ended; /* exit was sent to everybody */
	bool stopped; /* the engine ends us: the command may go on later */
	unsigned int status;
	struct note *note; /* of the command's end; borrowed */
	struct screen screen;
	struct timer nudge;
	struct wire_size size; /* the pty's, restored by the nudge */
	uint64_t active; /* of the viewer that did something last */
};

/* Listens at path.  loop, own, note and refusal outlive it. */
int serve_start(
    struct serve *s, struct loop *loop, const char *path, struct diag *dg);

/* After each event: whatever follows from the state that it left. */
void serve_settle(struct serve *s);

/* A child ended. */
void serve_reap(struct serve *s);

/*
 * Tells the command to end, if there is one; false otherwise.  Of one that
 * does not end with its client nobody is told a status: its session is stopped
 * and not over, and status is 143 then.
 */
bool serve_stop(struct serve *s);

/* Everything was said to everybody: the command's status, or the refusal. */
bool serve_is_over(const struct serve *s);

void serve_release(struct serve *s);

#endif /* DRYDOCK_SERVE_H */
