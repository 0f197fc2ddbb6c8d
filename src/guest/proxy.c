/* SPDX-License-Identifier: MIT */
/* proxy: one state machine for each connection until its relay takes over. */
#include "guest/proxy.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/monotime.h"
#include "base/queue.h"
#include "guest/proxyhead.h"
#include "guest/proxylist.h"
#include "guest/proxylog.h"
#include "guest/refusal.h"

#define CONNS_MAX ((size_t)512)

enum {
	CHUNK = 16384,
	HEAD_MS = 30000, /* for a whole head, from the client or the parent */
	CONNECT_MS = 10000, /* for one of several addresses */
	CONNECT_ALL_MS = 30000, /* for all of them */
	REPLY_MS = 10000, /* for the client to read a refusal, and to close */
	LOG_TARGET = 8192, /* bytes of a URL in the log */
};

enum state {
	HEAD, /* the client sends its request's head */
	LOOKUP, /* the name is resolved */
	CONNECT, /* to one of the addresses */
	PARENT, /* the upstream proxy is asked for a tunnel */
	REPLY, /* a refusal or failure is sent */
	LINGER, /* the client reads it, and closes */
};

struct conn {
	struct proxy *proxy;
	enum state state;
	struct watch client; /* fd owned */
	struct watch server; /* fd owned; -1: none */
	struct timer deadline;
	int64_t give_up; /* monotime_ms(), while connecting */
	struct queue in; /* head and first bytes of the client */
	struct queue to_client, to_server;
	struct queue answer; /* of the upstream proxy */
	struct proxyhead head; /* points into in */
	bool private_ok;
	uint16_t port; /* of the addresses */
	/* Owned; the upstream proxy of the list that judged it, or NULL. */
	char *parent_host;
	struct lookup lookup; /* its addresses are connected to in turn */
	size_t next_address;
	struct conn *next, **at;
};

static void
allow_more(void *arg)
{
	struct proxy *p = arg;
	if (p->listener.loop != NULL)
		listener_allow(
		    &p->listener, p->nconns + p->relay.npairs < p->max);
}

/* Closes what is still the connection's. */
static void
free_conn(struct conn *c)
{
	struct proxy *p = c->proxy;
	lookup_cancel(&c->lookup);
	timer_cancel(p->loop, &c->deadline);
	loop_close(p->loop, &c->client);
	loop_close(p->loop, &c->server);
	queue_release(&c->in);
	queue_release(&c->to_client);
	queue_release(&c->to_server);
	queue_release(&c->answer);
	free(c->parent_host);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	p->nconns--;
	free(c);
	allow_more(p);
}

static void
enter(struct conn *c, enum state state, int timeout_ms)
{
	c->state = state;
	if (timeout_ms > 0)
		timer_arm(c->proxy->loop, &c->deadline, timeout_ms);
	else
		timer_cancel(c->proxy->loop, &c->deadline);
}

/*
 * The target is printable (proxyhead.h).  The query of a URL may be a secret,
 * and is not logged.
 */
static void
log_request(
    const struct conn *c, int status, const char *result, enum refusal_why why)
{
	char line[LOG_TARGET + PROXY_AUTHORITY_MAX + 128];
	char authority[PROXY_AUTHORITY_MAX + 1] = "error:invalid-request";
	const char *path = c->head.path;
	bool understood = status != 400 && c->head.len > 0;
	size_t len = 0;
	int n;
	if (understood)
		proxytarget_print(&c->head.target, authority);
	if (understood && path != NULL) {
		while (len < c->head.path_len && len < LOG_TARGET &&
		    path[len] != '?')
			len++;
	}
	n = snprintf(line, sizeof(line), "%lld %d %s %s%.*s %s %s\n",
	    (long long)time(NULL), status, understood ? c->head.method : "NONE",
	    authority, (int)len, len > 0 ? path : "", result,
	    refusal_log_word(why));
	if (n > 0 && (size_t)n < sizeof(line))
		proxylog_add(c->proxy->log, line, (size_t)n);
}

/*
 * Closing at once could reset the connection before the client has read the
 * answer.
 */
static void
flush_reply(struct conn *c)
{
	if (queue_flush(&c->to_client, c->client.fd) == -1) {
		free_conn(c);
		return;
	}
	if (c->to_client.len > 0) {
		loop_want(c->proxy->loop, &c->client, POLLOUT);
		return;
	}
	(void)shutdown(c->client.fd, SHUT_WR);
	enter(c, LINGER, REPLY_MS);
	loop_want(c->proxy->loop, &c->client, POLLIN);
}

static void
reply(struct conn *c, bool has_memory)
{
	loop_close(c->proxy->loop, &c->server);
	queue_release(&c->in);
	if (!has_memory) {
		free_conn(c);
		return;
	}
	enter(c, REPLY, REPLY_MS);
	flush_reply(c);
}

static void
refuse(struct conn *c, enum refusal_why why)
{
	log_request(c, REFUSAL_STATUS, REFUSAL_RESULT, why);
	reply(c,
	    refusal_add(&c->to_client, why, c->head.method, &c->head.target));
}

/* why is a text, or NULL; both it and the target are printable. */
static void
fail(struct conn *c, int status, const char *why)
{
	char text[PROXY_AUTHORITY_MAX + 200];
	char authority[PROXY_AUTHORITY_MAX + 1];
	proxytarget_print(&c->head.target, authority);
	if (why != NULL)
		(void)snprintf(text, sizeof(text), "%s: %s", authority, why);
	log_request(c, status, "NONE", REFUSAL_NONE);
	reply(c,
	    refusal_add_failure(
		&c->to_client, status, why != NULL ? text : NULL));
}

/* Hands the connection to the relay. */
static void
join(struct conn *c)
{
	struct proxy *p = c->proxy;
	const struct relay_ends ends = { .from_fd = c->client.fd,
		.to_fd = c->server.fd,
		.to_from = &c->to_client,
		.to_to = &c->to_server,
		.is_exchange = c->head.target.http,
		.body = c->head.body };
	loop_want(p->loop, &c->client, 0);
	loop_want(p->loop, &c->server, 0);
	if (relay_join(&p->relay, &ends) == 0) {
		c->client.fd = c->server.fd = -1;
		c->to_client = c->to_server = (struct queue)QUEUE_INIT;
	}
	free_conn(c);
}

/* Queues the request for the server, and the bytes that came after it. */
static bool
add_request(struct conn *c)
{
	const char *data = c->in.buf + c->in.start;
	size_t more = c->in.len - c->head.len;
	if (!c->head.target.http)
		return queue_add(&c->to_server, data + c->head.len, more);
	if (more > c->head.body)
		more = (size_t)c->head.body;
	c->head.body -= more;
	return proxyhead_forward(
		   &c->head, data, c->parent_host != NULL, &c->to_server) &&
	    queue_add(&c->to_server, data + c->head.len, more);
}

/* The connection to the server is open. */
static void
establish(struct conn *c)
{
	static const char answer[] =
	    "HTTP/1.1 200 Connection established\r\n\r\n";
	if ((!c->head.target.http &&
		!queue_add(&c->to_client, answer, strlen(answer))) ||
	    (c->answer.len > 0 &&
		!queue_add(&c->to_client, c->answer.buf + c->answer.start,
		    c->answer.len)) ||
	    !add_request(c)) {
		free_conn(c);
		return;
	}
	log_request(c, 200, "CONNECTED", REFUSAL_NONE);
	join(c);
}

/* Asks the upstream proxy for a tunnel. */
static void
ask_parent(struct conn *c)
{
	char request[2 * PROXY_AUTHORITY_MAX + 64];
	char authority[PROXY_AUTHORITY_MAX + 1];
	proxytarget_print(&c->head.target, authority);
	(void)snprintf(request, sizeof(request),
	    "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", authority, authority);
	if (!queue_add(&c->to_server, request, strlen(request))) {
		free_conn(c);
		return;
	}
	enter(c, PARENT, HEAD_MS);
	loop_want(c->proxy->loop, &c->server, POLLOUT);
}

static void
on_connected(struct conn *c)
{
	int on = 1;
	timer_cancel(c->proxy->loop, &c->deadline);
	(void)setsockopt(
	    c->server.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(
	    c->server.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (c->parent_host != NULL && !c->head.target.http)
		ask_parent(c);
	else
		establish(c);
}

/* Connects to the next address that does not fail at once. */
static void
connect_next(struct conn *c, int error)
{
	struct loop *loop = c->proxy->loop;
	int64_t left = c->give_up - monotime_ms();
	while (left > 0 && c->next_address < c->lookup.nr) {
		const struct proxyaddr *a = &c->lookup.v[c->next_address++];
		struct sockaddr_storage sa;
		socklen_t len = proxyaddr_socket(a, c->port, &sa);
		loop_close(loop, &c->server);
		c->server.fd = socket(
		    a->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->server.fd == -1 ||
		    (connect(c->server.fd, (struct sockaddr *)&sa, len) == -1 &&
			errno != EINPROGRESS)) {
			error = errno;
			continue;
		}
		enter(c, CONNECT,
		    c->next_address < c->lookup.nr && left > CONNECT_MS
			? CONNECT_MS
			: (int)left);
		/* A finished connect is writable, too. */
		loop_want(loop, &c->server, POLLOUT);
		loop_want(loop, &c->client, POLLERR);
		return;
	}
	if (left <= 0 || error == ETIMEDOUT)
		fail(c, 504, "no answer to the connection");
	else
		fail(c, 503, strerror(error));
}

/* The addresses of the upstream proxy are the user's choice. */
static bool
judge_addresses(struct conn *c)
{
	const struct proxylist *list = c->proxy->list;
	for (size_t i = 0; c->parent_host == NULL && i < c->lookup.nr; i++) {
		enum proxyaddr_kind kind =
		    proxyaddr_judge(&c->lookup.v[i], list->own, list->nown);
		if (kind == PROXYADDR_UNREACHABLE ||
		    (kind == PROXYADDR_SPECIAL && !c->private_ok))
			return false;
	}
	return true;
}

static void
on_looked_up(void *arg)
{
	struct conn *c = arg;
	if (c->lookup.nr == 0) {
		if (c->lookup.failure == LOOKUP_LATE)
			fail(c, 504, "DNS did not answer");
		else
			fail(c, 503,
			    c->lookup.failure == LOOKUP_NO_NAME
				? "DNS has no address for it"
				: "it cannot be resolved");
		return;
	}
	if (!judge_addresses(c)) {
		refuse(c, REFUSAL_ADDRESS);
		return;
	}
	c->next_address = 0;
	c->give_up = monotime_ms() + CONNECT_ALL_MS;
	connect_next(c, ETIMEDOUT);
}

/* Uses the list as it is now, and keeps what is needed of it. */
static bool
choose_peer(struct conn *c, const struct proxyparent *parent)
{
	c->port = c->head.target.port;
	if (parent->host == NULL)
		return true;
	c->port = parent->port;
	c->parent_host = strdup(parent->host);
	return c->parent_host != NULL;
}

static void
handle_head(struct conn *c, size_t len)
{
	struct proxy *p = c->proxy;
	int status = proxyhead_parse(c->in.buf + c->in.start, len, &c->head);
	enum refusal_why why;
	const char *name;
	if (status != 0) {
		fail(c, status, NULL);
		return;
	}
	why = proxylist_judge(p->list, &c->head.target, &c->private_ok);
	if (why != REFUSAL_NONE) {
		refuse(c, why);
		return;
	}
	if (!choose_peer(c, &p->list->parent)) {
		free_conn(c);
		return;
	}
	/* POLLERR alone still reports that the client has left. */
	loop_want(p->loop, &c->client, POLLERR);
	enter(c, LOOKUP, 0);
	name = c->parent_host != NULL ? c->parent_host : c->head.target.host;
	if (lookup_literal(&c->lookup, name))
		on_looked_up(c);
	else if (p->cannot_resolve)
		fail(c, 503, "the session's proxy has no name server");
	else if (!lookup_start(&p->lookups, &c->lookup, name, on_looked_up, c))
		fail(c, 503, "too many names are being resolved");
}

/* Reads what fd has into q.  Returns false at its end, or if it broke. */
static bool
read_some(struct queue *q, int fd, bool *ret_memory)
{
	char buf[CHUNK];
	ssize_t n = read(fd, buf, sizeof(buf));
	*ret_memory = true;
	if (n > 0)
		return *ret_memory = queue_add(q, buf, (size_t)n);
	return n == -1 && (errno == EAGAIN || errno == EINTR);
}

static void
read_head(struct conn *c)
{
	size_t before = c->in.len;
	bool has_memory;
	bool open = read_some(&c->in, c->client.fd, &has_memory);
	size_t len = proxyhead_find(&c->in, before);
	if (len > 0 && len <= PROXY_HEAD_MAX)
		handle_head(c, len);
	else if (c->in.len > PROXY_HEAD_MAX)
		fail(c, 431, NULL);
	else if (!open && has_memory && c->in.len > 0)
		fail(c, 400, NULL);
	else if (!open)
		free_conn(c);
}

/* What else a client sends, after a refusal, is discarded. */
static void
linger(struct conn *c)
{
	char buf[CHUNK];
	ssize_t n = read(c->client.fd, buf, sizeof(buf));
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		free_conn(c);
}

static void
on_client(void *arg, short events)
{
	struct conn *c = arg;
	switch (c->state) {
	case HEAD:
		read_head(c);
		break;
	case LOOKUP:
	case CONNECT:
	case PARENT:
		if ((events & (POLLERR | POLLHUP)) != 0)
			free_conn(c);
		break;
	case REPLY:
		flush_reply(c);
		break;
	case LINGER:
		linger(c);
		break;
	}
}

static void
read_parent(struct conn *c)
{
	size_t before = c->answer.len;
	bool has_memory;
	bool open = read_some(&c->answer, c->server.fd, &has_memory);
	size_t len = proxyhead_find(&c->answer, before);
	int status;
	char why[64];
	if (len == 0) {
		if (!open || c->answer.len > PROXY_HEAD_MAX)
			fail(c, 502, "the upstream proxy gave no answer");
		return;
	}
	status = relay_status(c->answer.buf + c->answer.start, len);
	if (status < 200 || status > 299) {
		(void)snprintf(
		    why, sizeof(why), "the upstream proxy answered %d", status);
		fail(c, 502, why);
		return;
	}
	c->answer.start += len;
	c->answer.len -= len;
	establish(c);
}

static void
on_server(void *arg, short events)
{
	struct conn *c = arg;
	int error = 0;
	socklen_t len = sizeof(error);
	if (c->state == CONNECT) {
		if (getsockopt(
			c->server.fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
			error = errno;
		if (error == 0)
			on_connected(c);
		else
			connect_next(c, error);
		return;
	}
	if (c->to_server.len > 0) {
		if (queue_flush(&c->to_server, c->server.fd) == -1)
			fail(c, 502, "the upstream proxy gave no answer");
		else if (c->to_server.len == 0)
			loop_want(c->proxy->loop, &c->server, POLLIN);
		return;
	}
	(void)events;
	read_parent(c);
}

static void
on_deadline(void *arg)
{
	struct conn *c = arg;
	switch (c->state) {
	case CONNECT:
		connect_next(c, ETIMEDOUT);
		break;
	case PARENT:
		fail(c, 504, "the upstream proxy gave no answer");
		break;
	case HEAD:
	case LOOKUP:
	case REPLY:
	case LINGER:
		free_conn(c);
		break;
	}
}

static void
on_accepted(void *arg, int fd)
{
	struct proxy *p = arg;
	struct conn *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		(void)close(fd);
		return;
	}
	c->proxy = p;
	c->client = (struct watch){ fd, 0, on_client, c, 0 };
	c->server = (struct watch){ -1, 0, on_server, c, 0 };
	c->deadline = (struct timer){ 0, on_deadline, c, NULL };
	c->next = p->conns;
	c->at = &p->conns;
	if (c->next != NULL)
		c->next->at = &c->next;
	p->conns = c;
	p->nconns++;
	enter(c, HEAD, HEAD_MS);
	loop_want(p->loop, &c->client, POLLIN);
	allow_more(p);
}

int
proxy_start(struct proxy *proxy, struct loop *loop, const struct address *from,
    const struct proxylist *list, struct proxylog *log, struct diag *dg)
{
	*proxy = (struct proxy){ .loop = loop, .list = list, .log = log };
	proxy->max = relay_raise_limit(CONNS_MAX);
	relay_init(&proxy->relay, loop, proxy->max);
	proxy->relay.freed = allow_more;
	proxy->relay.arg = proxy;
	proxy->lookups.loop = loop;
	return listener_open(
	    &proxy->listener, loop, from, on_accepted, proxy, dg);
}

void
proxy_release(struct proxy *proxy)
{
	struct conn *next;
	for (struct conn *c = proxy->conns; c != NULL; c = next) {
		next = c->next;
		free_conn(c);
	}
	relay_release(&proxy->relay);
	listener_release(&proxy->listener);
}
