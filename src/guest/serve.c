/* SPDX-License-Identifier: MIT */
/* The session's command, its viewers, and the socket between them. */
#include "guest/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/client.h"
#include "guest/command.h"
#include "guest/limits.h"
#include "guest/note.h"

/* For the user; processes of the container get the same number. */
#define CLIENTS_MAX 16
#define PORTS_MAX ((size_t)512)
#define HANGUP_MS 10000 /* from SIGHUP to SIGKILL */
#define STOP_MS 5000 /* the same when the engine stops the container */
#define NUDGE_MS 100 /* time for programs to read the changed size */

/*
 * Backpressure: pauses the command while every viewer is behind and at least
 * one of them still reads.  A slow viewer never blocks the others, and a viewer
 * that does not read blocks the command for at most 1 s when it is the only
 * one.  A patient client, which owns a command that ends with it, always pauses
 * the command while it is behind, so that it loses no output.
 */
static void
hold_back(struct serve *s)
{
	bool all = true;
	bool any = false;
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (!c->viewer || c->leaving || client_is_gone(c))
			continue;
		if (!c->behind) {
			all = false;
		} else if (c->patient) {
			command_pause(s->command, true);
			return;
		} else if (client_reads(c)) {
			any = true;
		}
	}
	command_pause(s->command, all && any);
}

static void
on_output(void *arg, enum wire_type type, const void *data, size_t len)
{
	struct serve *s = arg;
	if (command_has_tty(s->command))
		screen_add(&s->screen, data, len);
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (c->viewer)
			client_send(c, type, data, len);
	}
	hold_back(s);
}

/* The size follows the viewer that was active last. */
static void
be_active(struct serve *s, struct client *c)
{
	struct wire_size size = c->size;
	c->active = ++s->active;
	if (size.rows == 0 || size.columns == 0 ||
	    (size.rows == s->size.rows && size.columns == s->size.columns))
		return;
	s->size = size;
	command_resize(s->command, size);
}

/* The active viewer has left: the viewer that was active before it follows. */
static void
follow_who_stays(struct serve *s)
{
	struct client *last = NULL;
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (c->viewer && (last == NULL || c->active > last->active))
			last = c;
	}
	if (last != NULL && s->command != NULL)
		be_active(s, last);
}

static void
start_command(struct serve *s, struct client *c, const struct wire_go *go)
{
	const struct command_spec spec = { s->own, false, on_output, s };
	struct spawn_failure why;
	struct command *cmd;
	s->started = true;
	s->size = go->size;
	if (command_start(s->loop, go, &spec, &cmd, &why) == -1) {
		s->ended = true;
		s->status = why.status;
		client_send_exit(c, why.status, why.text);
		return;
	}
	s->command = cmd;
	s->owner = c;
	s->owner_bound = !go->tty || go->ends_with_client;
	c->viewer = true;
	c->size = go->size;
	c->active = ++s->active;
	c->patient = s->owner_bound;
	client_send(c, WIRE_STARTED, NULL, 0);
}

static void
on_go(struct serve *s, struct client *c, const struct wire_frame *frame)
{
	cleanup_wire_go struct wire_go go = { .lists = NULL };
	const char *why = NULL;
	if (c->viewer || c->exec != NULL)
		why = "this connection has its command";
	else if (frame->type == WIRE_GO && s->started)
		why = "a command was given already";
	else if (frame->type == WIRE_EXEC && s->command == NULL)
		why = "the session's command does not run yet";
	else
		why = client_add_go(c, frame);
	if (why == NULL && frame->type == WIRE_GO_PART)
		return;
	if (why == NULL && wire_read_go(c->go, c->go_len, &go) == -1)
		why = "the go message is malformed";
	if (why != NULL)
		client_refuse(c, why);
	else if (frame->type == WIRE_EXEC)
		exec_start(&s->execs, c, &go);
	else
		start_command(s, c, &go);
	client_wipe_go(c);
}

static void
on_hello(struct serve *s, struct client *c, const struct wire_frame *frame)
{
	struct wire_hello hello;
	char why[80];
	wire_read_hello(frame, &hello);
	if (hello.version >= WIRE_VERSION_OLDEST &&
	    hello.version <= WIRE_VERSION && !c->greeted) {
		c->greeted = true;
		s->greeted = true;
		timer_cancel(s->loop, &c->timer);
		return;
	}
	(void)snprintf(why, sizeof(why),
	    "versions %u to %u are supported, not %u", WIRE_VERSION_OLDEST,
	    WIRE_VERSION, hello.version);
	client_refuse(c, why);
}

/*
 * Replays the screen.  The size is changed and restored, so that programs that
 * draw the whole screen redraw it for the new viewer.
 */
static void
on_view(struct serve *s, struct client *c, const struct wire_frame *frame)
{
	char text[SCREEN_REPLAY_MAX];
	if (s->command == NULL || !command_has_tty(s->command) || c->viewer ||
	    c->exec != NULL) {
		client_refuse(c, "there is no terminal to view");
		return;
	}
	c->viewer = true;
	c->size = wire_read_size(frame);
	size_t len = screen_replay(&s->screen, text);
	for (size_t at = 0; at < len; at += WIRE_PAYLOAD_MAX) {
		size_t left = len - at;
		client_send(c, WIRE_OUTPUT, text + at,
		    left < WIRE_PAYLOAD_MAX ? left : WIRE_PAYLOAD_MAX);
	}
	be_active(s, c);
	if (s->size.rows > 1) {
		struct wire_size other = s->size;
		other.rows--;
		command_resize(s->command, other);
		timer_arm(s->loop, &s->nudge, NUDGE_MS);
	}
}

/*
 * Forwards the connection to a port of the loopback.  Servers listen on either
 * of the two addresses of "localhost".
 */
static void
on_port(struct serve *s, struct client *c, const struct wire_frame *frame)
{
	unsigned char started[WIRE_HEADER_SIZE];
	struct address v4;
	struct address v6;
	uint16_t port = wire_read_port(frame);
	if (c->viewer || c->exec != NULL || c->go_len != 0) {
		client_refuse(c, "this connection cannot have a port");
		return;
	}
	if (s->command == NULL || s->ended) {
		client_refuse(c, "the session's command does not run");
		return;
	}
	int fd = client_take_fd(c);
	if (fd == -1) {
		client_drop(c);
		return;
	}
	address_loopback(&v4, port);
	address_loopback6(&v6, port);
	wire_put_header(started, WIRE_STARTED, 0);
	const struct relay_spec spec = { fd, &v4, &v6, started,
		sizeof(started) };
	if (relay_connect(&s->ports, &spec) == -1)
		(void)close(fd);
}

static void
on_nudge(void *arg)
{
	struct serve *s = arg;
	if (s->command != NULL)
		command_resize(s->command, s->size);
}

/* Input for the client's command: its own additional one, or the session's. */
static void
on_input(struct serve *s, struct client *c, const struct wire_frame *frame)
{
	bool beside = c->exec != NULL;
	struct command *cmd = beside ? exec_command(c->exec) : s->command;
	if (!beside && (!c->viewer || cmd == NULL)) {
		client_drop(c); /* it has no command */
		return;
	}
	if (frame->type == WIRE_SIZE)
		c->size = wire_read_size(frame);
	if (!beside)
		be_active(s, c);
	else if (frame->type == WIRE_SIZE)
		command_resize(cmd, c->size);
	if (frame->type == WIRE_INPUT &&
	    !command_input(cmd, frame->payload, frame->len))
		client_drop(c);
	else if (frame->type == WIRE_INPUT_END)
		command_input_end(cmd);
	else if (frame->type == WIRE_SIGNAL && (beside || s->owner_bound))
		command_signal(cmd, wire_read_signal(frame));
}

static void
on_frame(void *arg, struct client *c, const struct wire_frame *frame)
{
	struct serve *s = arg;
	if (frame->type == WIRE_HELLO)
		on_hello(s, c, frame);
	else if (!c->greeted)
		client_drop(c);
	else if (frame->type == WIRE_GO_PART || frame->type == WIRE_GO ||
	    frame->type == WIRE_EXEC)
		on_go(s, c, frame);
	else if (frame->type == WIRE_VIEW)
		on_view(s, c, frame);
	else if (frame->type == WIRE_PORT)
		on_port(s, c, frame);
	else
		on_input(s, c, frame);
}

/*
 * Only the same user may connect.  A peer in another pid namespace, as the
 * user's own processes on the host are, has pid 0 here.
 */
static bool
is_own_user(int fd, bool *ret_inside)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	*ret_inside = peer.pid != 0;
	return peer.uid == getuid();
}

static void
greet(struct serve *s, struct client *c)
{
	unsigned char payload[WIRE_HELLO_MAX];
	struct wire_hello hello = { .version = WIRE_VERSION_OLDEST,
		.newest = WIRE_VERSION };
	if (s->refusal != NULL) {
		s->refusal_sent = true;
		client_refuse(c, s->refusal);
		return;
	}
	memcpy(hello.digest, s->digest, sizeof(hello.digest));
	if (s->started)
		hello.flags |= WIRE_HELLO_RUNNING;
	if (s->command != NULL && command_has_tty(s->command))
		hello.flags |= WIRE_HELLO_TTY;
	client_send(c, WIRE_HELLO, payload, wire_put_hello(payload, &hello));
}

/*
 * Over the limit the oldest client is dropped, except a client whose command
 * ends with it, and a viewer only if all others view.  Clients from the
 * container are counted separately, so that they cannot displace the user's.
 */
static void
make_room(struct serve *s, bool inside)
{
	struct client *oldest = NULL;
	struct client *idle = NULL;
	size_t n = 0;
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (c->inside != inside || client_is_gone(c) || c->exec != NULL)
			continue;
		n++;
		if (s->owner_bound && c == s->owner)
			continue;
		oldest = c;
		/* The first is the newest: its request has not arrived yet. */
		if (!c->viewer && c != s->clients)
			idle = c;
	}
	if (n > CLIENTS_MAX && oldest != NULL)
		client_drop(idle != NULL ? idle : oldest);
}

static void
on_accepted(void *arg, int fd)
{
	struct serve *s = arg;
	bool inside = false;
	if (!is_own_user(fd, &inside) || s->ended) {
		(void)close(fd);
		return;
	}
	struct client *c = client_new(s->loop, fd, on_frame, s);
	if (c == NULL)
		return;
	c->inside = inside;
	c->next = s->clients;
	s->clients = c;
	make_room(s, inside);
	greet(s, c);
}

/* Frees the clients that are gone. */
static void
sweep_clients(struct serve *s)
{
	bool follow = false;
	for (struct client **at = &s->clients; *at != NULL;) {
		struct client *c = *at;
		if (s->ended && !c->leaving)
			client_drop(c);
		if (!client_is_gone(c)) {
			at = &c->next;
			continue;
		}
		if (c == s->owner) {
			s->owner = NULL;
			if (s->owner_bound)
				command_end(s->command, SIGHUP, HANGUP_MS);
		}
		if (c->exec != NULL)
			exec_leave(c->exec);
		follow = follow || (c->viewer && c->active == s->active);
		*at = c->next;
		client_free(c);
	}
	if (follow && !s->ended)
		follow_who_stays(s);
}

/*
 * Returns true if the end is final.  A host that shuts down sends TERM, HUP and
 * KILL to all processes, in any order, and the kernel kills when memory is
 * short.  A command killed by one of these can be continued, unless it ends
 * with its client.
 */
static bool
has_ended(const struct serve *s)
{
	int sig = command_end_signal(s->command);
	return s->owner_bound ||
	    (!s->stopped && sig != SIGTERM && sig != SIGHUP && sig != SIGKILL);
}

/* Writes the details of the end: the limits reached and the last screen. */
static void
leave_details(struct serve *s)
{
	char limits[WIRE_LIMITS_MAX];
	char size[sizeof("65535 65535\n")];
	_Static_assert(
	    SCREEN_MAX + sizeof(size) <= WIRE_SCREEN_MAX + 1, "size");
	bool killed = command_end_signal(s->command) == SIGKILL;
	size_t len = limits_describe(LIMITS_CGROUP, LIMITS_TMP, killed, limits);
	if (len > 0)
		note_leave(s->note, WIRE_LIMITS_NAME, "", limits, len);
	if (!command_has_tty(s->command))
		return;
	(void)snprintf(
	    size, sizeof(size), "%u %u\n", s->size.rows, s->size.columns);
	note_leave(
	    s->note, WIRE_SCREEN_NAME, size, s->screen.buf, s->screen.len);
}

/* The note is written first: a client that is sent the end finds it. */
static void
pass_exit(struct serve *s)
{
	bool goes_on = s->stopped && !s->owner_bound;
	s->ended = true;
	if (goes_on)
		s->status = 128U + (unsigned int)SIGTERM;
	leave_details(s);
	if (has_ended(s))
		note_end(s->note, s->status);
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		if (c != s->owner)
			client_hurry(c);
		if (c->viewer && !goes_on)
			client_send_exit(c, s->status, "");
	}
	execs_end(&s->execs);
}

void
serve_settle(struct serve *s)
{
	sweep_clients(s);
	if (s->command != NULL)
		hold_back(s);
	execs_settle(&s->execs);
	for (struct client *c = s->clients; c != NULL; c = c->next) {
		struct command *cmd =
		    c->exec != NULL ? exec_command(c->exec) : s->command;
		client_listen(c, cmd == NULL || command_has_room(cmd));
	}
	if (!s->ended && s->command != NULL &&
	    command_has_ended(s->command, &s->status))
		pass_exit(s);
	sweep_clients(s);
}

int
serve_start(
    struct serve *s, struct loop *loop, const char *path, struct diag *dg)
{
	struct address address;
	s->loop = loop;
	s->execs.loop = loop;
	s->execs.own = s->own;
	relay_init(&s->ports, loop, PORTS_MAX);
	s->nudge = (struct timer){ 0, on_nudge, s, NULL };
	if (address_unix(&address, path, dg) != 0 ||
	    listener_open(&s->listener, loop, &address, on_accepted, s, dg) !=
		0)
		return -1;
	/* The command may be able to write to the directory. */
	listener_guard(&s->listener, &address);
	return 0;
}

void
serve_reap(struct serve *s)
{
	if (s->command != NULL)
		command_reap(s->command);
	execs_reap(&s->execs);
}

/*
 * Shells on a terminal ignore TERM and get HUP.  A command on pipes expects
 * TERM.
 */
bool
serve_stop(struct serve *s)
{
	if (s->command == NULL)
		return false;
	s->stopped = !s->ended;
	command_end(s->command, command_has_tty(s->command) ? SIGHUP : SIGTERM,
	    STOP_MS);
	return true;
}

bool
serve_is_over(const struct serve *s)
{
	return (s->ended || s->refusal_sent) && s->clients == NULL;
}

void
serve_release(struct serve *s)
{
	while (s->clients != NULL) {
		struct client *c = s->clients;
		s->clients = c->next;
		client_free(c);
	}
	command_free(s->command);
	execs_release(&s->execs);
	relay_release(&s->ports);
	listener_release(&s->listener);
}
