/* SPDX-License-Identifier: MIT */
/*
 * exec: commands that run beside the session's command.
 *
 * Each belongs to one client: the client sends its input and signals and
 * receives its output.  When the client is gone, the command gets SIGHUP, and
 * what is left of its process group is killed.  A slow client is waited for.
 * At most EXECS_MAX commands run for the user, and as many for processes of the
 * container.
 */
#ifndef DRYDOCK_EXEC_H
#define DRYDOCK_EXEC_H

#define EXECS_MAX 16

struct client;
struct command;
struct exec;
struct inherited;
struct loop;
struct wire_go;

struct execs {
	struct loop *loop;
	const struct inherited *own; /* borrowed */
	struct exec *first; /* owned */
};

/* Runs go's command for c, or sends c the reason for the failure. */
void exec_start(struct execs *all, struct client *c, const struct wire_go *go);

struct command *exec_command(const struct exec *e);

/* Called when the client is gone. */
void exec_leave(struct exec *e);

/* Called on SIGCHLD. */
void execs_reap(struct execs *all);

/* Called after each event: sends each client the end of its command. */
void execs_settle(struct execs *all);

/* Called at the session's end: ends the clients' connections. */
void execs_end(struct execs *all);

void execs_release(struct execs *all);

#endif /* DRYDOCK_EXEC_H */
