/* SPDX-License-Identifier: MIT */
/*
 * Listens on the host and connects through the holder.  The file "ports" of a
 * session has lines of "PORT HOSTPORT ERRNO".
 */
#include "session/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/listen.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/relay.h"
#include "guest/wire.h"
#include "host/text.h"
#include "plan/role.h"

#define LIST_NAME "ports"
#define LIST_MAX ((size_t)4096)

enum {
	/* Connections of all ports; each has two descriptors. */
	CONNECTIONS_MAX = 512,
	/* The holder keeps 16 clients that it has not greeted. */
	HANDSHAKES_MAX = 8,
	HANDSHAKE_MS = 5000,
	RETRY_MS = 2000,
};

int
port_parse(const char *text, struct port *ret, struct diag *dg)
{
	const char *colon = strchr(text, ':');
	cleanup_free char *inner = colon == NULL
	    ? xstrdup(text)
	    : xstrndup(text, (size_t)(colon - text));
	int64_t in;
	int64_t out;

	if (!text_decimal(inner, 1, UINT16_MAX, &in) ||
	    !text_decimal(
		colon == NULL ? inner : colon + 1, 0, UINT16_MAX, &out))
		return diag_set(dg, DIAG_USAGE,
		    "\"%s\" is not a port: PORT or PORT:HOSTPORT, from 1 to "
		    "65535",
		    text);
	*ret = (struct port){ (uint16_t)in, (uint16_t)out, 0 };
	return 0;
}

void
port_describe(const struct port *port, bool companion, struct strbuf *out)
{
	strbuf_addf(out, "%u at 127.0.0.1:%u", port->inner, port->outer);
	if (port->error != 0)
		strbuf_addf(out, ", not served: %s",
		    port->error == EADDRINUSE ? "the host's port is taken"
					      : strerror(port->error));
	else if (!companion)
		strbuf_addstr(out, ", not served: attach serves it again");
}

/* line is cut into its fields in place. */
static int
parse_line(char *line, struct portlist *list)
{
	const char *words[3];
	int64_t n[3];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = strsep(&line, " ");
	if (line != NULL || words[2] == NULL || list->nr == PORTLIST_MAX ||
	    !text_decimal(words[0], 1, UINT16_MAX, &n[0]) ||
	    !text_decimal(words[1], 1, UINT16_MAX, &n[1]) ||
	    !text_decimal(words[2], 0, PORT_ERRNO_MAX, &n[2]) ||
	    portlist_find(list, (uint16_t)n[0]) != NULL)
		return -1;
	list->v[list->nr++] =
	    (struct port){ (uint16_t)n[0], (uint16_t)n[1], (int)n[2] };
	return 0;
}

int
portlist_read(int session_fd, struct portlist *ret, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *rest;

	ret->nr = 0;
	if (fs_read_file(session_fd, LIST_NAME, LIST_MAX, &text, dg) != 0)
		return diag_ignore(dg, ENOENT);
	rest = text.buf;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0' && parse_line(line, ret) != 0)
			return diag_set(dg, DIAG_DATA, LIST_NAME ": malformed");
	return 0;
}

int
portlist_write(int session_fd, const struct portlist *list, struct diag *dg)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < list->nr; i++)
		strbuf_addf(&text, "%u %u %d\n", list->v[i].inner,
		    list->v[i].outer, list->v[i].error);
	return fs_replace_file(
	    session_fd, LIST_NAME, text.buf, text.len, 0600, dg);
}

void
portlist_add_json(const struct portlist *list, bool companion, struct jsonw *w)
{
	jsonw_open_array(w);
	for (size_t i = 0; i < list->nr; i++) {
		const struct port *p = &list->v[i];

		jsonw_open_object(w);
		jsonw_key_int(w, "port", p->inner);
		jsonw_key_str(w, "host_address", "127.0.0.1");
		jsonw_key_int(w, "host_port", p->outer);
		jsonw_key_bool(w, "served", companion && p->error == 0);
		jsonw_close_object(w);
	}
	jsonw_close_array(w);
}

struct port *
portlist_find(struct portlist *list, uint16_t inner)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->v[i].inner == inner)
			return &list->v[i];
	return NULL;
}

void
portlist_drop(struct portlist *list, struct port *port)
{
	size_t at = (size_t)(port - list->v);

	list->nr--;
	memmove(port, port + 1, (list->nr - at) * sizeof(*port));
}

/* A port of the host, and its connections. */
struct host_port {
	struct ports *ports;
	uint16_t inner;
	struct listener listener;
	struct relay relay;
};

/* A connection that waits for the holder's answer. */
struct handshake {
	struct host_port *host_port; /* borrowed */
	int client_fd; /* owned */
	struct watch holder; /* fd owned */
	struct timer deadline;
	bool asked; /* the port was requested */
	struct wire_decoder decoder;
	struct handshake *next;
};

static size_t
count(const struct ports *p)
{
	size_t n = p->nhandshakes;

	for (size_t i = 0; i < p->list.nr; i++)
		if (p->host_ports[i] != NULL)
			n += p->host_ports[i]->relay.npairs;
	return n;
}

static void
allow(struct ports *p)
{
	for (size_t i = 0; i < p->list.nr; i++)
		if (p->host_ports[i] != NULL)
			listener_allow(&p->host_ports[i]->listener,
			    p->nhandshakes < HANDSHAKES_MAX);
}

/* Closes the descriptors that the relay did not take. */
static void
free_handshake(struct handshake *h, bool taken)
{
	struct ports *p = h->host_port->ports;
	struct handshake **at = &p->handshakes;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	timer_cancel(p->loop, &h->deadline);
	loop_want(p->loop, &h->holder, 0);
	if (!taken) {
		relay_close_reset(h->client_fd);
		(void)close(h->holder.fd);
	}
	free(h);
	p->nhandshakes--;
	allow(p);
}

static void
on_deadline(void *arg)
{
	free_handshake(arg, false);
}

/* Both frames fit into the buffer of a new socket. */
static bool
send_port(struct handshake *h)
{
	struct wire_hello ours = { .version = WIRE_VERSION_PORT };
	cleanup_strbuf struct strbuf frames = STRBUF_INIT;

	wire_add_hello(&frames, &ours);
	wire_add_port(&frames, h->host_port->inner);
	h->asked = true;
	return send(h->holder.fd, frames.buf, frames.len, MSG_NOSIGNAL) ==
	    (ssize_t)frames.len;
}

/* Returns false to close the connection. */
static bool
on_frame(struct handshake *h, const struct wire_frame *frame)
{
	struct wire_hello hello;
	struct relay *relay = &h->host_port->relay;

	if (!h->asked && frame->type == WIRE_HELLO) {
		wire_read_hello(frame, &hello);
		return wire_choose_version(&hello) >= WIRE_VERSION_PORT &&
		    send_port(h);
	}
	if (!h->asked || frame->type != WIRE_STARTED)
		return false;
	loop_want(h->host_port->ports->loop, &h->holder, 0);
	if (relay_join(relay,
		&(struct relay_ends){
		    .from_fd = h->client_fd, .to_fd = h->holder.fd }) == -1)
		return false;
	free_handshake(h, true);
	return true;
}

/* Reads one frame at most, and no byte beyond it. */
static void
on_holder(void *arg, short events)
{
	struct handshake *h = arg;
	struct wire_frame frame;
	unsigned char *at;
	int rc;

	(void)events;
	(void)wire_space(&h->decoder, &at);
	ssize_t n = recv(h->holder.fd, at, wire_need(&h->decoder), 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		wire_filled(&h->decoder, (size_t)n);
	rc = n > 0 ? wire_next(&h->decoder, &frame) : -1;
	if (rc == -1 || (rc == 1 && !on_frame(h, &frame)))
		free_handshake(h, false);
}

/*
 * The agent can write to run/: a socket is connected to through the descriptor
 * that was checked, and a symlink is not followed.
 */
static int
connect_holder(int session_fd)
{
	cleanup_diag struct diag ignored = DIAG_INIT;
	cleanup_close int run_fd = -1;
	int fd = -1;

	if (fs_open_own_dir(session_fd, mount_roles[MOUNT_RUN].below, &run_fd,
		&ignored) != 0 ||
	    fs_connect_socket(run_fd, WIRE_SOCKET_NAME, &fd) != 0)
		return -1;
	return fd;
}

static void
on_accepted(void *arg, int client_fd)
{
	struct host_port *hp = arg;
	struct ports *p = hp->ports;
	int holder_fd =
	    count(p) < CONNECTIONS_MAX ? connect_holder(p->session_fd) : -1;
	struct handshake *h;

	if (holder_fd == -1) {
		relay_close_reset(client_fd);
		return;
	}
	h = xcalloc(1, sizeof(*h));
	h->host_port = hp;
	h->client_fd = client_fd;
	h->holder = (struct watch){ holder_fd, 0, on_holder, h, 0 };
	h->deadline = (struct timer){ 0, on_deadline, h, NULL };
	wire_decoder_init(&h->decoder, WIRE_HOLDER);
	h->next = p->handshakes;
	p->handshakes = h;
	p->nhandshakes++;
	timer_arm(p->loop, &h->deadline, HANDSHAKE_MS);
	loop_want(p->loop, &h->holder, POLLIN);
	allow(p);
}

/* Opens the host's port of an entry.  Sets port->error to an errno or 0. */
static struct host_port *
open_host_port(struct ports *p, struct port *port)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	struct host_port *hp = xcalloc(1, sizeof(*hp));
	struct sockaddr_in in = { 0 };
	socklen_t len = sizeof(in);
	struct address address;

	hp->ports = p;
	hp->inner = port->inner;
	address_loopback(&address, port->outer);
	if (listener_open(
		&hp->listener, p->loop, &address, on_accepted, hp, &dg) != 0) {
		port->error = dg.errnum != 0 ? dg.errnum : EIO;
		free(hp);
		return NULL;
	}
	port->error = 0;
	if (getsockname(hp->listener.watch.fd, (struct sockaddr *)&in, &len) ==
	    0)
		port->outer = ntohs(in.sin_port);
	listener_allow(&hp->listener, p->nhandshakes < HANDSHAKES_MAX);
	relay_init(&hp->relay, p->loop, CONNECTIONS_MAX);
	return hp;
}

/* Also closes the port's connections. */
static void
close_host_port(struct host_port *hp)
{
	struct handshake *next;

	if (hp == NULL)
		return;
	for (struct handshake *h = hp->ports->handshakes; h != NULL; h = next) {
		next = h->next;
		if (h->host_port == hp)
			free_handshake(h, false);
	}
	listener_release(&hp->listener);
	relay_release(&hp->relay);
	free(hp);
}

static void
write_list(struct ports *p)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	if (portlist_write(p->session_fd, &p->list, &dg) != 0)
		diag_warn("%s", dg.message);
}

/* Opens the ports that are not open.  Repeats while one is taken. */
static void
open_host_ports(void *arg)
{
	struct ports *p = arg;
	bool changed = false;
	bool missing = false;

	for (size_t i = 0; i < p->list.nr; i++) {
		int before = p->list.v[i].error;

		if (p->host_ports[i] != NULL)
			continue;
		p->host_ports[i] = open_host_port(p, &p->list.v[i]);
		changed = changed || before != p->list.v[i].error;
		missing = missing || p->host_ports[i] == NULL;
	}
	if (changed)
		write_list(p);
	if (missing)
		timer_arm(p->loop, &p->retry, RETRY_MS);
}

void
ports_open(struct ports *ports, struct loop *loop, int session_fd)
{
	cleanup_diag struct diag dg = DIAG_INIT;

	*ports = (struct ports){ .loop = loop, .session_fd = session_fd };
	ports->retry = (struct timer){ 0, open_host_ports, ports, NULL };
	if (portlist_read(session_fd, &ports->list, &dg) != 0) {
		diag_warn("%s", dg.message);
		ports->list.nr = 0;
	}
	open_host_ports(ports);
}

void
ports_release(struct ports *ports)
{
	timer_cancel(ports->loop, &ports->retry);
	for (size_t i = 0; i < ports->list.nr; i++)
		close_host_port(ports->host_ports[i]);
}

/* A port that is served already may get another port of the host. */
static int
add(struct ports *p, uint16_t inner, uint16_t outer, uint16_t *ret_outer)
{
	struct port port = { inner, outer, 0 };
	struct port *old = portlist_find(&p->list, inner);
	struct host_port *hp;

	if (old != NULL && old->error == 0 &&
	    (outer == old->outer || outer == 0)) {
		*ret_outer = old->outer;
		return 0;
	}
	if (old == NULL && p->list.nr == PORTLIST_MAX)
		return ENOSPC;
	hp = open_host_port(p, &port);
	if (hp == NULL)
		return port.error;
	if (old == NULL) {
		old = &p->list.v[p->list.nr];
		p->host_ports[p->list.nr++] = NULL;
	}
	close_host_port(p->host_ports[old - p->list.v]);
	p->host_ports[old - p->list.v] = hp;
	*old = port;
	write_list(p);
	*ret_outer = port.outer;
	return 0;
}

static int
take_back(struct ports *p, uint16_t inner)
{
	struct port *old = portlist_find(&p->list, inner);
	size_t at;

	if (old == NULL)
		return ENOENT;
	at = (size_t)(old - p->list.v);
	close_host_port(p->host_ports[at]);
	portlist_drop(&p->list, old);
	memmove(&p->host_ports[at], &p->host_ports[at + 1],
	    (p->list.nr - at) * sizeof(struct host_port *));
	write_list(p);
	return 0;
}

bool
ports_request(struct ports *ports, const char *line, struct strbuf *answer)
{
	cleanup_diag struct diag dg = DIAG_INIT;
	static const char add_word[] = "port add ";
	static const char remove_word[] = "port remove ";
	bool adds = strncmp(line, add_word, strlen(add_word)) == 0;
	struct port port;
	uint16_t outer = 0;
	int rc = EINVAL;

	if (!adds && strncmp(line, remove_word, strlen(remove_word)) != 0)
		return false;
	line += strlen(adds ? add_word : remove_word);
	if (port_parse(line, &port, &dg) == 0)
		rc = adds ? add(ports, port.inner, port.outer, &outer)
			  : take_back(ports, port.inner);
	if (rc != 0)
		strbuf_addf(answer, "no %d", rc);
	else
		strbuf_addf(answer, "ok %u", outer);
	return true;
}
