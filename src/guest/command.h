/* SPDX-License-Identifier: MIT */
/* command: a command that the holder runs, on a pty or on three pipes. */
#ifndef DRYDOCK_COMMAND_H
#define DRYDOCK_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "guest/wire.h"

struct command;
struct inherited;
struct loop;
struct spawn_failure;

/*
 * Receives the command's output.  type is WIRE_OUTPUT or WIRE_ERROR; len is at
 * most WIRE_PAYLOAD_MAX.  The function may pause the command, and must not
 * change it otherwise.
 */
typedef void command_output_fn(
    void *arg, enum wire_type type, const void *data, size_t len);

/* What the holder gives to a command. */
struct command_spec {
	const struct inherited *own;
	bool add_env; /* add the holder's environment, below go's */
	command_output_fn *output;
	void *arg;
};

/*
 * Executes go's command in its own session, with default signal dispositions
 * and descriptors 0 to 2 only.  If the command cannot be executed, *ret_failure
 * holds the reason.
 */
int command_start(struct loop *loop, const struct wire_go *go,
    const struct command_spec *spec, struct command **ret_command,
    struct spawn_failure *ret_failure);
void command_free(struct command *cmd); /* kills nothing */

bool command_has_tty(const struct command *cmd);

/*
 * Queues input.  The caller holds input back while there is no room.  Returns
 * false without memory; the input is then lost.
 */
bool command_has_room(const struct command *cmd);
bool command_input(struct command *cmd, const void *data, size_t len);
void command_input_end(struct command *cmd); /* ignored with a pty */

/* Pauses or resumes output.  Resuming may deliver output at once. */
void command_pause(struct command *cmd, bool paused);

/* Sets the pty's size; a size with a 0 is ignored. */
void command_resize(struct command *cmd, struct wire_size size);

/* Sends sig to its process group and to its terminal's foreground group. */
void command_signal(struct command *cmd, int sig);

/*
 * Ends the command: sends sig, then SIGCONT for a stopped process, and closes
 * the command's input.  SIGKILL follows after grace_ms.  When the command
 * exits, its process group is killed.
 */
void command_end(struct command *cmd, int sig, int grace_ms);

/*
 * Called on SIGCHLD: checks whether this command changed its state.  A command
 * that stopped on a terminal is continued, since no shell could continue it.
 */
void command_reap(struct command *cmd);

/* True if the command exited and all its output was delivered. */
bool command_has_ended(const struct command *cmd, unsigned int *ret_status);

/* Returns the signal that killed the command, or 0.  Only after its end. */
int command_end_signal(const struct command *cmd);

#endif /* DRYDOCK_COMMAND_H */
