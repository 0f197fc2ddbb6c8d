/* SPDX-License-Identifier: MIT */
/* Additional commands, one for each client that sent WIRE_EXEC. */
#include "guest/exec.h"

#include <signal.h>
#include <stdlib.h>

#include "guest/client.h"
#include "guest/command.h"
#include "guest/spawn.h"

#define HANGUP_MS 10000 /* from SIGHUP to SIGKILL */

struct exec {
	struct client *client; /* borrowed; NULL: gone */
	struct command *command; /* owned */
	bool inside; /* of a process of the container */
	struct exec *next;
};

static void
on_output(void *arg, enum wire_type type, const void *data, size_t len)
{
	struct exec *e = arg;
	if (e->client == NULL)
		return;
	client_send(e->client, type, data, len);
	command_pause(
	    e->command, !client_is_gone(e->client) && e->client->behind);
}

static size_t
count(const struct execs *all, bool inside)
{
	size_t n = 0;
	for (const struct exec *e = all->first; e != NULL; e = e->next)
		n += e->inside == inside;
	return n;
}

void
exec_start(struct execs *all, struct client *c, const struct wire_go *go)
{
	struct spawn_failure why;
	if (count(all, c->inside) >= EXECS_MAX) {
		client_refuse(c, "too many commands run in the session");
		return;
	}
	struct exec *e = calloc(1, sizeof(*e));
	if (e == NULL) {
		client_refuse(c, "there is no memory for one more command");
		return;
	}
	const struct command_spec spec = { all->own, true, on_output, e };
	if (command_start(all->loop, go, &spec, &e->command, &why) == -1) {
		free(e);
		client_send_exit(c, why.status, why.text);
		return;
	}
	e->client = c;
	e->inside = c->inside;
	e->next = all->first;
	all->first = e;
	c->exec = e;
	c->size = go->size;
	c->patient = true;
	client_send(c, WIRE_STARTED, NULL, 0);
}

struct command *
exec_command(const struct exec *e)
{
	return e->command;
}

void
exec_leave(struct exec *e)
{
	e->client = NULL;
	command_pause(e->command, false);
	command_end(e->command, SIGHUP, HANGUP_MS);
}

void
execs_reap(struct execs *all)
{
	for (struct exec *e = all->first; e != NULL; e = e->next)
		command_reap(e->command);
}

/* Output is delivered before the status, however slowly the client reads. */
static bool
has_ended(struct exec *e)
{
	unsigned int status;
	if (e->client != NULL)
		command_pause(e->command, e->client->behind);
	if (!command_has_ended(e->command, &status))
		return false;
	if (e->client != NULL) {
		e->client->exec = NULL;
		client_send_exit(e->client, status, "");
	}
	return true;
}

void
execs_settle(struct execs *all)
{
	for (struct exec **at = &all->first; *at != NULL;) {
		struct exec *e = *at;
		if (!has_ended(e)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		command_free(e->command);
		free(e);
	}
}

void
execs_end(struct execs *all)
{
	for (struct exec *e = all->first; e != NULL; e = e->next) {
		if (e->client == NULL)
			continue;
		e->client->exec = NULL;
		client_send_exit(e->client, 128U + (unsigned int)SIGKILL,
		    "the session has ended");
		e->client = NULL;
	}
}

void
execs_release(struct execs *all)
{
	while (all->first != NULL) {
		struct exec *e = all->first;
		all->first = e->next;
		command_free(e->command);
		free(e);
	}
}
