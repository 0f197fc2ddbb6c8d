/* SPDX-License-Identifier: MIT */
/*
 * exec: commands beside the session's own.
 *
 * Each belongs to one client, gets its input and signals and sends its output
 * to it, and ends with it: when the client is gone, the command is hung up, and
 * what is left of its process group is killed.  A client that does not read is
 * waited for.  At most EXECS_MAX run for the user, and as many for processes of
 * the container.
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

/* Runs go's command for c, or tells c why not. */
void exec_start(struct execs *all, struct client *c, const struct wire_go *go);

struct command *exec_command(const struct exec *e);

/* Its client is gone. */
void exec_leave(struct exec *e);

/* A child ended. */
void execs_reap(struct execs *all);

/* After each event: clients are told the end of their commands. */
void execs_settle(struct execs *all);

/* The session ends, and they with it. */
void execs_end(struct execs *all);

void execs_release(struct execs *all);

#endif /* DRYDOCK_EXEC_H */
