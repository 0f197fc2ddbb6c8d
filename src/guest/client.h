/* SPDX-License-Identifier: MIT */
/*
 * client: one connection on the holder's socket, at the hands of anybody in
 * the container: nothing here blocks, and all that it can make grow is bounded.
 *
 * What a client does not take yet waits in a buffer of its own.  One that is
 * behind (256 KiB) may be waited for as long as it reads, which is that it took
 * something in the last second.  One that is not waited for gets on until its
 * buffer is full (4 MiB), and is gone at once then.
 */
#ifndef DRYDOCK_CLIENT_H
#define DRYDOCK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/loop.h"
#include "guest/queue.h"
#include "guest/wire.h"

struct client;
struct exec;

typedef void client_frame_fn(
    void *arg, struct client *c, const struct wire_frame *frame);

struct client {
	struct loop *loop;
	client_frame_fn *frame;
	void *arg;
	struct watch watch; /* fd owned; -1: gone */
	struct wire_decoder decoder;
	struct queue out;
	struct timer timer; /* hello's deadline, then to look again */
	int64_t taken_at; /* monotonic milliseconds: when it last took any */
	bool greeted; /* said hello */
	bool inside; /* a process of the container, so none of the user's */
	bool viewer; /* gets output */
	struct exec
	    *exec; /* the command beside that it runs, or NULL; borrowed */
	unsigned char *go; /* parts of a go message; owned */
	size_t go_len;
	bool patient; /* may stop reading for as long as it likes */
	bool behind; /* has much to take */
	bool leaving; /* goes when it has taken all */
	struct wire_size size;
	uint64_t active; /* the later it did something, the more */
	struct client *next;
};

/*
 * fd is given.  frame gets what it sends; it may make the client gone.  One
 * that does not say hello soon is gone.  NULL without memory.
 */
struct client *client_new(
    struct loop *loop, int fd, client_frame_fn *frame, void *arg);
void client_free(struct client *c);

bool client_is_gone(const struct client *c);
void client_drop(struct client *c); /* gone, but not freed */
void client_leave(struct client *c); /* gone when all was taken */

/*
 * Keeps a piece of a go message, at most WIRE_GO_MAX bytes together.  NULL, or
 * why not; what there is of it is client_wipe_go()'s.
 */
const char *client_add_go(struct client *c, const struct wire_frame *frame);
void client_wipe_go(struct client *c); /* it may hold secrets */

/*
 * Queues a frame.  A client that is gone or leaving gets nothing; one for which
 * there is no memory is gone.
 */
void client_send(
    struct client *c, enum wire_type type, const void *payload, size_t len);

/* From now on it is not waited for, if it was. */
void client_hurry(struct client *c);

/* Each is the last that it gets: it leaves. */
void client_send_exit(struct client *c, unsigned int status, const char *why);
void client_refuse(struct client *c, const char *why);

/* From 256 KiB that wait for it until it has taken most of them. */
bool client_is_behind(const struct client *c);
/* Whether it took something in the last second, or may take its time. */
bool client_reads(const struct client *c);

/* Whether to read what it sends. */
void client_listen(struct client *c, bool on);

#endif /* DRYDOCK_CLIENT_H */
