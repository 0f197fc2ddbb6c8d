/* SPDX-License-Identifier: MIT */
/* Relays connections from one socket to another without blocking. */
#include "guest/relay.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/queue.h"

#define CHUNK 65536
#define PAIRS_MAX ((size_t)1024)
#define SPARE_FILES ((size_t)256)

/* Finds the end of the status line of a server's final answer. */
struct reply {
	enum {
		REPLY_STATUS, /* in a status line */
		REPLY_FIELDS, /* in the fields of a 1xx answer */
		REPLY_REST, /* behind the final status line */
	} at;
	char line[16]; /* the beginning of the current line */
	size_t len; /* of the current line; more than line holds */
};

/* One socket of a pair, and the bytes to be written to it. */
struct side {
	struct relay_pair *pair;
	struct side *peer;
	struct watch watch; /* fd owned */
	struct queue out;
	uint64_t left; /* bytes to pass on; more are discarded */
	bool ended; /* end of file was read */
	bool shut; /* its write side was shut down */
};

struct relay_pair {
	struct relay *relay;
	struct side from, to;
	bool connecting;
	struct address second; /* tried when the first refuses; len 0: none */
	unsigned char greeting[RELAY_GREETING_MAX];
	size_t greeting_len;
	bool is_exchange; /* of one HTTP request and its answer */
	struct reply reply; /* of an exchange */
	struct relay_pair *next, **at;
};

static void on_side(void *arg, short events);

int
relay_status(const char *line, size_t len)
{
	static const char version[] = "HTTP/1.";
	size_t n = strlen(version);
	int status = 0;
	if (len < n + 5 || memcmp(line, version, n) != 0 || line[n] < '0' ||
	    line[n] > '9' || line[n + 1] != ' ')
		return 0;
	for (size_t i = n + 2; i < n + 5; i++) {
		if (line[i] < '0' || line[i] > '9')
			return 0;
		status = status * 10 + (line[i] - '0');
	}
	return status;
}

/* The current line has ended.  Returns true for the final status line. */
static bool
end_line(struct reply *r)
{
	size_t len = r->len < sizeof(r->line) ? r->len : sizeof(r->line);
	int status = relay_status(r->line, len);
	bool is_empty = len == 0 || (len == 1 && r->line[0] == '\r');
	r->len = 0;
	if (r->at == REPLY_FIELDS) {
		if (is_empty)
			r->at = REPLY_STATUS;
		return false;
	}
	r->at = status >= 100 && status < 200 ? REPLY_FIELDS : REPLY_REST;
	return status >= 200;
}

/*
 * Reads the next bytes of the server.  Returns true once: *ret_at is the offset
 * in data behind the final answer's status line.  A 1xx answer is not final.
 * An answer that is not HTTP/1 has no such line.
 */
static bool
reply_scan(struct reply *reply, const char *data, size_t len, size_t *ret_at)
{
	for (size_t i = 0; i < len && reply->at != REPLY_REST; i++) {
		if (data[i] != '\n') {
			if (reply->len < sizeof(reply->line))
				reply->line[reply->len] = data[i];
			reply->len++;
		} else if (end_line(reply)) {
			*ret_at = i + 1;
			return true;
		}
	}
	return false;
}

void
relay_close_reset(int fd)
{
	struct linger now = { 1, 0 };
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(fd);
}

static void
close_side(struct loop *loop, struct side *s, bool reset)
{
	loop_want(loop, &s->watch, 0);
	if (reset)
		relay_close_reset(s->watch.fd);
	else
		(void)close(s->watch.fd);
	queue_release(&s->out);
}

static void
free_pair(struct relay_pair *p, bool reset)
{
	struct relay *r = p->relay;
	close_side(r->loop, &p->from, reset);
	close_side(r->loop, &p->to, reset);
	*p->at = p->next;
	if (p->next != NULL)
		p->next->at = p->at;
	r->npairs--;
	free(p);
	if (r->listener.loop != NULL)
		listener_allow(&r->listener, r->npairs < r->max);
	if (r->freed != NULL)
		r->freed(r->arg);
}

/* Backpressure: a side is read only when its earlier data is written. */
static void
update_side(struct side *s)
{
	int want = 0;
	if (s->pair->connecting) {
		/* POLLERR alone still reports that the client has left. */
		want = s == &s->pair->to ? POLLOUT : POLLERR;
	} else {
		if (!s->ended && s->peer->out.len == 0)
			want |= POLLIN;
		if (s->out.len > 0)
			want |= POLLOUT;
		/* POLLERR also reports that a half-closed side has left. */
		if (want == 0 && s->ended && s->peer->out.len == 0)
			want = POLLERR;
	}
	loop_want(s->pair->relay->loop, &s->watch, (short)want);
}

/* Passes end of file on once all data before it is written. */
static void
settle(struct relay_pair *p)
{
	struct side *sides[] = { &p->from, &p->to };
	for (size_t i = 0; i < 2; i++) {
		struct side *s = sides[i];
		/* Some servers take a half-closed connection for a lost one. */
		if (p->is_exchange && s == &p->to)
			continue;
		if (s->peer->ended && s->out.len == 0 && !s->shut) {
			(void)shutdown(s->watch.fd, SHUT_WR);
			s->shut = true;
		}
	}
	if (p->from.shut && (p->to.shut || p->is_exchange)) {
		free_pair(p, false);
		return;
	}
	update_side(&p->from);
	update_side(&p->to);
}

/* Returns true if the peer of a unix socket has closed both directions. */
static bool
has_hung_up(const struct side *s)
{
	struct pollfd p = { s->watch.fd, 0, 0 };
	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* Queues what was read for the other side.  Returns false without memory. */
static bool
add_read(struct side *s, const char *data, size_t len)
{
	static const char field[] = "Connection: close\r\n";
	struct relay_pair *p = s->pair;
	struct queue *out = &s->peer->out;
	size_t at;
	if (len > s->left)
		len = (size_t)s->left;
	if (s->left != UINT64_MAX)
		s->left -= len;
	if (!p->is_exchange || s == &p->from ||
	    !reply_scan(&p->reply, data, len, &at))
		return queue_add(out, data, len);
	return queue_add(out, data, at) &&
	    queue_add(out, field, strlen(field)) &&
	    queue_add(out, data + at, len - at);
}

/* Returns false if the connection broke, or a request is cut off. */
static bool
read_side(struct side *s)
{
	char buf[CHUNK];
	ssize_t n = read(s->watch.fd, buf, sizeof(buf));
	if (n == -1)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {
		s->ended = true;
		if (s->pair->relay->passes_breaks && !s->shut && has_hung_up(s))
			return false;
		return s->left == 0 || s->left == UINT64_MAX;
	}
	return add_read(s, buf, (size_t)n) &&
	    queue_flush(&s->peer->out, s->peer->watch.fd) != -1;
}

/* Returns a socket, or -1. */
static int
connect_target(const struct address *target, bool *ret_connecting)
{
	int fd = socket(target->sa.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	*ret_connecting = false;
	if (connect(fd, (const struct sockaddr *)&target->sa, target->len) == 0)
		return fd;
	if (errno == EINPROGRESS) {
		*ret_connecting = true;
		return fd;
	}
	(void)close(fd);
	return -1;
}

/* Returns false if the second target refuses, too, or there is none. */
static bool
connect_second(struct relay_pair *p)
{
	bool connecting;
	int fd =
	    p->second.len == 0 ? -1 : connect_target(&p->second, &connecting);
	p->second.len = 0;
	if (fd == -1)
		return false;
	loop_close(p->relay->loop, &p->to.watch);
	p->to.watch.fd = fd;
	/* A finished connect is writable, like one that just finishes. */
	p->connecting = true;
	return true;
}

static bool
finish_connect(struct relay_pair *p)
{
	int error = 0;
	socklen_t len = sizeof(error);
	if (getsockopt(p->to.watch.fd, SOL_SOCKET, SO_ERROR, &error, &len) ==
		-1 ||
	    error != 0)
		return connect_second(p);
	p->connecting = false;
	return queue_add(&p->from.out, p->greeting, p->greeting_len);
}

static void
on_side(void *arg, short events)
{
	struct side *s = arg;
	struct relay_pair *p = s->pair;
	/* Without a reset, data that the kernel has still arrives. */
	bool had_ended = s->ended;
	bool ok = true;
	if (p->connecting) {
		ok = s == &p->to ? finish_connect(p) : !has_hung_up(s);
	} else {
		bool broken = (events & (POLLERR | POLLHUP)) != 0;
		if ((events & POLLOUT) != 0)
			ok = queue_flush(&s->out, s->watch.fd) != -1;
		if (ok && (events & POLLIN) != 0)
			ok = read_side(s);
		else if (broken)
			ok = false;
	}
	if (ok)
		settle(p);
	else
		free_pair(p, !had_ended);
}

/* Returns NULL without memory. */
static struct relay_pair *
add_pair(struct relay *r, int from_fd, int to_fd, bool connecting)
{
	struct relay_pair *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->relay = r;
	p->connecting = connecting;
	p->from =
	    (struct side){ p, &p->to, { from_fd, 0, on_side, &p->from, 0 },
		    QUEUE_INIT, UINT64_MAX, false, false };
	p->to = (struct side){ p, &p->from, { to_fd, 0, on_side, &p->to, 0 },
		QUEUE_INIT, UINT64_MAX, false, false };
	p->next = r->pairs;
	p->at = &r->pairs;
	if (p->next != NULL)
		p->next->at = &p->next;
	r->pairs = p;
	r->npairs++;
	update_side(&p->from);
	update_side(&p->to);
	return p;
}

static void
on_accepted(void *arg, int from)
{
	struct relay *r = arg;
	bool connecting;
	int to = connect_target(&r->target, &connecting);
	if (to == -1) {
		relay_close_reset(from);
		return;
	}
	if (add_pair(r, from, to, connecting) == NULL) {
		relay_close_reset(from);
		(void)close(to);
		return;
	}
	listener_allow(&r->listener, r->npairs < r->max);
}

void
relay_init(struct relay *relay, struct loop *loop, size_t max)
{
	*relay =
	    (struct relay){ .loop = loop, .max = max, .passes_breaks = true };
}

int
relay_connect(struct relay *relay, const struct relay_spec *spec)
{
	bool connecting;
	struct relay_pair *p;
	int to = relay->npairs < relay->max
	    ? connect_target(spec->target, &connecting)
	    : -1;
	if (to == -1)
		return -1;
	/* The greeting is sent when the socket is found to be writable. */
	p = add_pair(relay, spec->from_fd, to, true);
	if (p == NULL) {
		(void)close(to);
		return -1;
	}
	assert(spec->len <= sizeof(p->greeting));
	memcpy(p->greeting, spec->greeting, spec->len);
	p->greeting_len = spec->len;
	if (spec->second != NULL)
		p->second = *spec->second;
	return 0;
}

int
relay_join(struct relay *relay, const struct relay_ends *ends)
{
	struct relay_pair *p = relay->npairs < relay->max
	    ? add_pair(relay, ends->from_fd, ends->to_fd, false)
	    : NULL;
	if (p == NULL)
		return -1;
	if (ends->to_from != NULL)
		p->from.out = *ends->to_from;
	if (ends->to_to != NULL)
		p->to.out = *ends->to_to;
	p->is_exchange = ends->is_exchange;
	if (ends->is_exchange)
		p->from.left = ends->body;
	update_side(&p->from);
	update_side(&p->to);
	return 0;
}

size_t
relay_raise_limit(size_t max)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max > 2 * max + SPARE_FILES)
		return max;
	return limit.rlim_max > SPARE_FILES + 2
	    ? ((size_t)limit.rlim_max - SPARE_FILES) / 2
	    : 1;
}

int
relay_start(struct relay *relay, struct loop *loop, const struct address *from,
    const struct address *target, struct diag *dg)
{
	*relay = (struct relay){ .loop = loop, .target = *target };
	relay->max = relay_raise_limit(PAIRS_MAX);
	return listener_open(
	    &relay->listener, loop, from, on_accepted, relay, dg);
}

void
relay_release(struct relay *relay)
{
	struct relay_pair *next;
	for (struct relay_pair *p = relay->pairs; p != NULL; p = next) {
		next = p->next;
		close_side(relay->loop, &p->from, true);
		close_side(relay->loop, &p->to, true);
		free(p);
	}
	listener_release(&relay->listener);
	*relay = (struct relay){ .loop = NULL };
}
