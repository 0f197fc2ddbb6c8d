/* SPDX-License-Identifier: MIT */
/*
 * client: one connection on the holder's socket.  Any process of the container
 * may be the peer, so that no call blocks and all memory is bounded.
 *
 * Output that the socket does not accept is queued.  A client with 256 KiB
 * queued is behind.  A client reads if it took data in the last second.  The
 * holder may wait for a client that is behind as long as it reads.  Otherwise
 * output is queued up to 4 MiB; then the client is dropped.  A patient client
 * is never dropped for reading slowly.
 */
#ifndef DRYDOCK_CLIENT_H
#define DRYDOCK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/queue.h"
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
	struct timer timer; /* deadline for hello, then for a retry */
	int64_t taken_at; /* monotonic milliseconds: when it last took data */
	bool greeted; /* has sent hello */
	bool inside; /* a process of the container, not on the host */
	bool viewer; /* receives output */
	struct exec *exec; /* its additional command, or NULL; borrowed */
	unsigned char *go; /* received parts of the go message; owned */
	size_t go_len;
	bool patient; /* may stop reading without limit */
	bool behind; /* from 256 KiB of queued output until most is written */
	bool leaving; /* dropped once its output is written */
	struct wire_size size;
	uint64_t active; /* sequence number of its last activity */
	struct client *next;
};

/*
 * Creates a client for fd (given).  frame is called with each frame that the
 * client sends, and may drop the client.  A client that does not send hello in
 * time is dropped.  Returns NULL without memory.
 */
struct client *client_new(
    struct loop *loop, int fd, client_frame_fn *frame, void *arg);
void client_free(struct client *c);

bool client_is_gone(const struct client *c);
void client_drop(struct client *c); /* closes the connection; frees nothing */

/*
 * Appends a part of the go message; all parts together have at most WIRE_GO_MAX
 * bytes.  Returns NULL, or the reason for a failure.  client_wipe_go() frees
 * the parts.
 */
const char *client_add_go(struct client *c, const struct wire_frame *frame);
void client_wipe_go(struct client *c); /* overwrites it: it may hold secrets */

/*
 * Queues a frame.  A client that is gone or leaving receives nothing.  A client
 * is dropped if there is no memory for the frame.
 */
void client_send(
    struct client *c, enum wire_type type, const void *payload, size_t len);

/* Makes the client impatient: it is no longer waited for. */
void client_hurry(struct client *c);

/* Each sends its frame as the client's last, and then closes the connection. */
void client_send_exit(struct client *c, unsigned int status, const char *why);
void client_refuse(struct client *c, const char *why);

/* True if the client took data in the last second, or is patient. */
bool client_reads(const struct client *c);

/*
 * Takes the connection away from the client, which is then gone.  Returns its
 * descriptor, or -1 if data is still queued in either direction.
 */
int client_take_fd(struct client *c);

/* Turns reading from the client on or off. */
void client_listen(struct client *c, bool on);

#endif /* DRYDOCK_CLIENT_H */
