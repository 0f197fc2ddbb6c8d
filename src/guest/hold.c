/* SPDX-License-Identifier: MIT */
/* The holder: one command, its viewers, and the socket between them. */
#include "guest/hold.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "guest/client.h"
#include "guest/command.h"
#include "guest/listen.h"
#include "guest/loop.h"
#include "guest/relay.h"
#include "guest/screen.h"
#include "guest/spawn.h"
#include "guest/wire.h"

#define CLIENTS_MAX 16
#define REFUSE_MS 10000 /* how long broken guardrails are told */
#define HANGUP_MS 10000 /* from SIGHUP to SIGKILL */
#define STOP_MS 5000 /* the same when the engine stops us */
#define NUDGE_MS 100 /* programs look at the size when they get to it */

struct hold {
	const struct hold_spec *spec;
	struct diag *dg;
	struct loop loop;
	struct relay relay;
	struct listener listener;
	struct watch signals; /* fd owned */
	struct client *clients;
	size_t nclients;
	char digest[DIGEST_HEX_SIZE];
	const char *refusal; /* NULL, or told instead of hello */
	bool told; /* somebody the refusal */
	struct inherited own;
	struct strbuf go; /* parts that came so far */
	const struct client *owner; /* who sent it; for comparison alone */
	struct command *command;
	bool went; /* a go message was taken */
	bool bound; /* the command ends with that client */
	bool ended; /* exit was sent to everybody */
	unsigned int status;
	struct screen screen;
	struct timer deadline; /* for go; for the telling of a refusal */
	struct timer nudge;
	struct wire_size size; /* the pty's, restored by the nudge */
};

static void
on_output(void *arg, enum wire_type type, const void *data, size_t len)
{
	struct hold *h = arg;
	if (command_has_tty(h->command))
		screen_add(&h->screen, data, len);
	for (struct client *c = h->clients; c != NULL; c = c->next) {
		if (!c->viewer)
			continue;
		client_send(c, type, data, len);
		if (client_is_full(c))
			command_pause(h->command, true);
	}
}

static void
send_exit(struct client *c, unsigned int status, const char *why)
{
	struct strbuf frame cleanup_strbuf = STRBUF_INIT;
	wire_add_exit(&frame, status, why);
	client_send_frames(c, &frame);
	client_leave(c);
}

static void
refuse(struct client *c, const char *why)
{
	client_send(c, WIRE_REFUSED, why, strnlen(why, WIRE_TEXT_MAX));
	client_leave(c);
}

static void
set_size(struct hold *h, struct wire_size size)
{
	if (size.rows == 0 || size.columns == 0)
		return;
	h->size = size;
	command_resize(h->command, size);
}

/* A viewer that did something is the one whose window counts. */
static void
be_active(struct hold *h, struct client *c)
{
	if (c->size.rows != h->size.rows || c->size.columns != h->size.columns)
		set_size(h, c->size);
}

static void
start_command(struct hold *h, struct client *c, const struct wire_go *go)
{
	struct diag why cleanup_diag = DIAG_INIT;
	struct command *cmd;
	h->went = true;
	h->size = go->size;
	timer_cancel(&h->loop, &h->deadline);
	if (command_start(&h->loop, go, &h->own, on_output, h, &cmd, &h->status,
		&why) == -1) {
		h->ended = true;
		send_exit(c, h->status, why.message);
		return;
	}
	h->command = cmd;
	h->bound = !go->tty || go->ends_with_client;
	c->viewer = true;
	c->size = go->size;
	c->patient = h->bound;
	client_send(c, WIRE_STARTED, NULL, 0);
}

static void
wipe_go(struct hold *h)
{
	explicit_bzero(h->go.buf, h->go.len);
	strbuf_release(&h->go);
}

static void
on_go(struct hold *h, struct client *c, const struct wire_frame *frame)
{
	struct wire_go go cleanup_wire_go = WIRE_GO_INIT;
	if (h->went || (h->owner != NULL && h->owner != c)) {
		refuse(c, "a command was given already");
		return;
	}
	/* At once in full: a copy that grew would leave secrets behind. */
	h->owner = c;
	strbuf_reserve(&h->go, WIRE_GO_MAX);
	if (frame->len > WIRE_GO_MAX - h->go.len) {
		refuse(c, "the go message is too long");
		return;
	}
	strbuf_add(&h->go, frame->payload, frame->len);
	if (frame->type == WIRE_GO_PART)
		return;
	if (wire_read_go(h->go.buf, h->go.len, &go) == -1)
		refuse(c, "the go message is malformed");
	else
		start_command(h, c, &go);
	wipe_go(h);
}

static void
on_hello(struct hold *h, struct client *c, const struct wire_frame *frame)
{
	struct wire_hello hello;
	char why[80];
	wire_read_hello(frame, &hello);
	if (hello.version == WIRE_VERSION && !c->greeted) {
		c->greeted = true;
		timer_cancel(&h->loop, &c->timer);
		return;
	}
	(void)snprintf(why, sizeof(why), "version %u is spoken here, not %u",
	    WIRE_VERSION, hello.version);
	refuse(c, why);
}

/*
 * The size changes and changes back, so that programs that draw the whole
 * screen draw it for the new viewer.
 */
static void
on_view(struct hold *h, struct client *c, const struct wire_frame *frame)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	if (h->command == NULL || !command_has_tty(h->command) || c->viewer) {
		refuse(c, "there is no terminal to view");
		return;
	}
	c->viewer = true;
	c->size = wire_read_size(frame);
	screen_replay(&h->screen, &text);
	for (size_t at = 0; at < text.len; at += WIRE_PAYLOAD_MAX) {
		size_t left = text.len - at;
		client_send(c, WIRE_OUTPUT, text.buf + at,
		    left < WIRE_PAYLOAD_MAX ? left : WIRE_PAYLOAD_MAX);
	}
	be_active(h, c);
	if (h->size.rows > 1) {
		struct wire_size other = h->size;
		other.rows--;
		command_resize(h->command, other);
		timer_arm(&h->loop, &h->nudge, NUDGE_MS);
	}
}

static void
on_nudge(void *arg)
{
	struct hold *h = arg;
	if (h->command != NULL)
		command_resize(h->command, h->size);
}

static void
on_frame(void *arg, struct client *c, const struct wire_frame *frame)
{
	struct hold *h = arg;
	if (frame->type == WIRE_HELLO) {
		on_hello(h, c, frame);
		return;
	}
	if (!c->greeted) {
		client_drop(c);
		return;
	}
	if (frame->type == WIRE_GO_PART || frame->type == WIRE_GO) {
		on_go(h, c, frame);
		return;
	}
	if (frame->type == WIRE_VIEW) {
		on_view(h, c, frame);
		return;
	}
	/* What is left needs a viewer's command: anything else is noise. */
	if (!c->viewer || h->command == NULL) {
		client_drop(c);
		return;
	}
	if (frame->type == WIRE_SIZE)
		c->size = wire_read_size(frame);
	be_active(h, c);
	if (frame->type == WIRE_INPUT)
		command_input(h->command, frame->payload, frame->len);
	else if (frame->type == WIRE_INPUT_END)
		command_input_end(h->command);
}

/* The same user at the other end: nobody else has business here. */
static bool
is_own_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    peer.uid == getuid();
}

static void
greet(struct hold *h, struct client *c)
{
	struct strbuf frame cleanup_strbuf = STRBUF_INIT;
	struct wire_hello hello = { .version = WIRE_VERSION };
	if (h->refusal != NULL) {
		h->told = true;
		refuse(c, h->refusal);
		return;
	}
	memcpy(hello.digest, h->digest, sizeof(hello.digest));
	if (h->went)
		hello.flags |= WIRE_HELLO_RUNNING;
	if (h->command != NULL && command_has_tty(h->command))
		hello.flags |= WIRE_HELLO_TTY;
	wire_add_hello(&frame, &hello);
	client_send_frames(c, &frame);
}

static void
on_accepted(void *arg, int fd)
{
	struct hold *h = arg;
	if (!is_own_user(fd) || h->ended) {
		(void)close(fd);
		return;
	}
	struct client *c = client_new(&h->loop, fd, on_frame, h);
	c->next = h->clients;
	h->clients = c;
	h->nclients++;
	greet(h, c);
}

static void
on_signal(void *arg, uint32_t events)
{
	struct hold *h = arg;
	struct signalfd_siginfo info;
	(void)events;
	if (read(h->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD) {
		if (h->command != NULL)
			command_reap(h->command);
		return;
	}
	if (h->command == NULL) {
		h->status = 128U + (unsigned int)SIGTERM;
		loop_stop(&h->loop);
		return;
	}
	/* Shells on a terminal ignore TERM; elsewhere it is what is awaited. */
	command_end(h->command, command_has_tty(h->command) ? SIGHUP : SIGTERM,
	    STOP_MS);
}

static void
on_deadline(void *arg)
{
	struct hold *h = arg;
	if (h->refusal == NULL)
		(void)diag_set(
		    h->dg, DIAG_BUSY, "no command was given in time");
	loop_stop(&h->loop);
}

/* Frees those that are gone; beyond the limit the oldest goes. */
static void
sweep_clients(struct hold *h)
{
	for (struct client **at = &h->clients; *at != NULL;) {
		struct client *c = *at;
		bool last = c->next == NULL;
		if ((last && h->nclients > CLIENTS_MAX) ||
		    (h->ended && !c->leaving))
			client_drop(c);
		if (!client_is_gone(c)) {
			at = &c->next;
			continue;
		}
		if (c == h->owner) {
			h->owner = NULL;
			wipe_go(h);
			if (h->bound)
				command_end(h->command, SIGHUP, HANGUP_MS);
		}
		*at = c->next;
		h->nclients--;
		client_free(c);
	}
}

static void
pass_exit(struct hold *h)
{
	h->ended = true;
	for (struct client *c = h->clients; c != NULL; c = c->next) {
		if (c->viewer)
			send_exit(c, h->status, "");
	}
}

/* After each event: whatever follows from the state that it left. */
static void
settle(void *arg)
{
	struct hold *h = arg;
	bool room = true;
	bool full = false;
	sweep_clients(h);
	for (struct client *c = h->clients; c != NULL; c = c->next) {
		room = room && client_has_room(c);
		full = full || client_is_full(c);
	}
	if (h->command != NULL && (room || full))
		command_pause(h->command, full);
	bool listen = h->command == NULL || command_has_room(h->command);
	for (struct client *c = h->clients; c != NULL; c = c->next)
		client_listen(c, listen);
	if (!h->ended && h->command != NULL &&
	    command_has_ended(h->command, &h->status))
		pass_exit(h);
	sweep_clients(h);
	if ((h->ended || h->told) && h->clients == NULL)
		loop_stop(&h->loop);
}

static int
watch_signals(struct hold *h)
{
	static const int signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0 };
	int fd = signals_watch(signals, h->dg);
	if (fd == -1)
		return -1;
	h->signals = (struct watch){ fd, 0, on_signal, h };
	loop_want(&h->loop, &h->signals, EPOLLIN);
	return 0;
}

static int
listen_for_clients(struct hold *h)
{
	struct address address;
	char *path cleanup_free = xasprintf("%s/holder.sock", h->spec->run_dir);
	if (address_unix(&address, path, h->dg) == -1)
		return -1;
	return listener_open(
	    &h->listener, &h->loop, &address, on_accepted, h, h->dg);
}

static int
start_relay(struct hold *h)
{
	struct address from, target;
	if (!h->spec->egress)
		return 0;
	address_loopback(&from, h->spec->port);
	if (address_unix(&target, h->spec->egress_socket, h->dg) == -1)
		return -1;
	return relay_start(&h->relay, &h->loop, &from, &target, h->dg);
}

static int
serve(struct hold *h, int timeout_ms)
{
	timer_arm(&h->loop, &h->deadline, timeout_ms);
	if (watch_signals(h) == -1 || listen_for_clients(h) == -1)
		return -1;
	loop_run(&h->loop);
	return h->dg->class == DIAG_NONE ? 0 : -1;
}

/* Broken guardrails: said to whoever asks, and nothing is ever run. */
static int
serve_refusal(struct hold *h, struct diag *broken)
{
	h->refusal = broken->message;
	if (serve(h, REFUSE_MS) == -1)
		return -1;
	diag_move(h->dg, broken);
	return -1;
}

static void
hold_release(struct hold *h)
{
	while (h->clients != NULL) {
		struct client *c = h->clients;
		h->clients = c->next;
		client_free(c);
	}
	command_free(h->command);
	relay_release(&h->relay);
	listener_release(&h->listener);
	cleanup_close_fn(&h->signals.fd);
	wipe_go(h);
	screen_release(&h->screen);
	loop_release(&h->loop);
}

int
hold_run(const struct hold_spec *spec, int *ret_status, struct diag *dg)
{
	struct hold h = { .spec = spec,
		.dg = dg,
		.signals = { .fd = -1 },
		.go = STRBUF_INIT,
		.screen = SCREEN_INIT };
	struct diag broken cleanup_diag = DIAG_INIT;
	h.deadline = (struct timer){ 0, on_deadline, &h, NULL };
	h.nudge = (struct timer){ 0, on_nudge, &h, NULL };
	inherited_note(&h.own);
	(void)umask(077);
	int rc = -1;
	if (loop_init(&h.loop, dg) == 0) {
		h.loop.after = settle;
		h.loop.after_arg = &h;
		if (policy_check(&spec->policy, h.digest, &broken) == -1)
			rc = serve_refusal(&h, &broken);
		else if (start_relay(&h) == 0)
			rc = serve(&h, spec->go_timeout_ms);
	}
	hold_release(&h);
	if (rc == 0)
		*ret_status = (int)h.status;
	return rc;
}
