/* SPDX-License-Identifier: MIT */
/* A connection from an untrusted process: frames in, frames out, bounded. */
#include "guest/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/monotime.h"

#define QUEUE_BEHIND ((size_t)262144)
#define QUEUE_ROOM ((size_t)65536)
#define QUEUE_MAX ((size_t)4194304)
#define HELLO_MS 5000
/* A client that takes nothing for this long does not read. */
#define READS_MS 1000
#define LEAVES_MS 2000
/*
 * How often a client with much queued output is retried: poll(2) reports the
 * socket as writable only when it is nearly empty.
 */
#define LOOK_MS 100

static void on_ready(void *arg, short events);
static void on_timer(void *arg);

struct client *
client_new(struct loop *loop, int fd, client_frame_fn *frame, void *arg)
{
	struct client *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		(void)close(fd);
		return NULL;
	}
	c->loop = loop;
	c->frame = frame;
	c->arg = arg;
	c->watch = (struct watch){ fd, 0, on_ready, c, 0 };
	c->timer = (struct timer){ 0, on_timer, c, NULL };
	c->taken_at = monotime_ms();
	wire_decoder_init(&c->decoder, WIRE_CLIENT);
	timer_arm(loop, &c->timer, HELLO_MS);
	loop_want(loop, &c->watch, POLLIN | POLLRDHUP);
	return c;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	client_drop(c);
	free(c);
}

bool
client_is_gone(const struct client *c)
{
	return c->watch.fd == -1;
}

void
client_drop(struct client *c)
{
	if (client_is_gone(c))
		return;
	timer_cancel(c->loop, &c->timer);
	loop_close(c->loop, &c->watch);
	queue_release(&c->out);
	client_wipe_go(c);
	/*
	 * The buffer may have held the go message, which may contain secrets.
	 */
	explicit_bzero(c->decoder.buf, sizeof(c->decoder.buf));
}

int
client_take_fd(struct client *c)
{
	int fd = c->watch.fd;
	unsigned char *at;
	bool idle = c->out.len == 0 &&
	    wire_space(&c->decoder, &at) == sizeof(c->decoder.buf);
	if (!idle)
		return -1;
	loop_want(c->loop, &c->watch, 0);
	c->watch.fd = -1;
	timer_cancel(c->loop, &c->timer);
	client_wipe_go(c);
	return fd;
}

static void
want(struct client *c, int event, bool on)
{
	int rest = c->watch.want & ~event;
	loop_want(c->loop, &c->watch, (short)(on ? rest | event : rest));
}

/* Writes what the socket accepts, and updates the client's state. */
static void
flush(struct client *c)
{
	long n = queue_flush(&c->out, c->watch.fd);
	if (n == -1) {
		client_drop(c);
		return;
	}
	if (n > 0)
		c->taken_at = monotime_ms();
	if (c->leaving && c->out.len == 0) {
		client_drop(c);
		return;
	}
	want(c, POLLOUT, c->out.len > 0);
	if (c->out.len >= QUEUE_BEHIND)
		c->behind = true;
	else if (c->out.len < QUEUE_ROOM)
		c->behind = false;
	if (c->patient || !c->greeted)
		return;
	if (!c->behind && !c->leaving)
		timer_cancel(c->loop, &c->timer);
	else if (c->timer.due == 0)
		timer_arm(c->loop, &c->timer, LOOK_MS);
}

static void
on_timer(void *arg)
{
	struct client *c = arg;
	if (!c->greeted) {
		client_drop(c);
		return;
	}
	flush(c);
	if (c->leaving && monotime_ms() - c->taken_at > LEAVES_MS)
		client_drop(c);
}

static void
receive(struct client *c)
{
	unsigned char *at;
	struct wire_frame frame;
	size_t space = wire_space(&c->decoder, &at);
	ssize_t n = read(c->watch.fd, at, space);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		client_drop(c);
		return;
	}
	wire_filled(&c->decoder, (size_t)n);
	for (;;) {
		int rc = wire_next(&c->decoder, &frame);
		if (rc == -1)
			client_drop(c);
		if (rc != 1)
			return;
		c->frame(c->arg, c, &frame);
		if (client_is_gone(c) || c->leaving)
			return;
	}
}

static void
on_ready(void *arg, short events)
{
	struct client *c = arg;
	/*
	 * The peer has closed: it reads nothing more, and its input may be
	 * unread.
	 */
	if ((events & (POLLHUP | POLLERR)) != 0 && (events & POLLIN) == 0) {
		client_drop(c);
		return;
	}
	if ((events & POLLRDHUP) != 0 && (c->watch.want & POLLIN) == 0) {
		client_drop(c);
		return;
	}
	if ((events & POLLOUT) != 0)
		flush(c);
	if ((events & POLLIN) != 0 && !client_is_gone(c))
		receive(c);
}

void
client_send(
    struct client *c, enum wire_type type, const void *payload, size_t len)
{
	unsigned char head[WIRE_HEADER_SIZE];
	if (client_is_gone(c) || c->leaving)
		return;
	wire_put_header(head, type, len);
	/* If memory runs out, only this client is dropped. */
	if (!queue_reserve(&c->out, sizeof(head) + len)) {
		client_drop(c);
		return;
	}
	(void)queue_add(&c->out, head, sizeof(head));
	(void)queue_add(&c->out, payload, len);
	flush(c);
	if (!c->patient && c->out.len > QUEUE_MAX)
		client_drop(c);
}

/* Drops the client once its output is written. */
static void
leave(struct client *c)
{
	if (client_is_gone(c) || c->leaving)
		return;
	c->leaving = true;
	client_listen(c, false);
	flush(c);
}

void
client_hurry(struct client *c)
{
	c->patient = false;
	if (!client_is_gone(c))
		flush(c);
}

void
client_send_exit(struct client *c, unsigned int status, const char *why)
{
	unsigned char payload[WIRE_EXIT_MAX];
	client_send(c, WIRE_EXIT, payload, wire_put_exit(payload, status, why));
	leave(c);
}

void
client_refuse(struct client *c, const char *why)
{
	client_send(c, WIRE_REFUSED, why, strnlen(why, WIRE_TEXT_MAX));
	leave(c);
}

/*
 * Allocates the full size at once: growing a copy would leave secrets behind.
 */
const char *
client_add_go(struct client *c, const struct wire_frame *frame)
{
	if (frame->len > WIRE_GO_MAX - c->go_len)
		return "the go message is too long";
	if (c->go == NULL)
		c->go = malloc(WIRE_GO_MAX);
	if (c->go == NULL)
		return "there is no memory for the go message";
	memcpy(c->go + c->go_len, frame->payload, frame->len);
	c->go_len += frame->len;
	return NULL;
}

void
client_wipe_go(struct client *c)
{
	if (c->go == NULL)
		return;
	explicit_bzero(c->go, c->go_len);
	free(c->go);
	c->go = NULL;
	c->go_len = 0;
}

bool
client_reads(const struct client *c)
{
	return c->patient || monotime_ms() - c->taken_at < READS_MS;
}

void
client_listen(struct client *c, bool on)
{
	if (client_is_gone(c))
		return;
	want(c, POLLIN, on && !c->leaving);
}
