/* SPDX-License-Identifier: MIT */
/*
 * command: what the holder runs, on a pty or on three pipes.
 */
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
 * Takes what it wrote: type is WIRE_OUTPUT or WIRE_ERROR, len at most
 * WIRE_PAYLOAD_MAX.  It may pause the command, nothing else.
 */
typedef void command_output_fn(
    void *arg, enum wire_type type, const void *data, size_t len);

/* What a command is given by the holder. */
struct command_spec {
	const struct inherited *own;
	bool add_env; /* the holder's environment as well, under go's */
	command_output_fn *output;
	void *arg;
};

/*
 * Executes go's command in a session of its own with default signals and no
 * descriptor but 0 to 2.  When it cannot be executed *ret_failure says why.
 */
int command_start(struct loop *loop, const struct wire_go *go,
    const struct command_spec *spec, struct command **ret_command,
    struct spawn_failure *ret_failure);
void command_free(struct command *cmd); /* kills nothing */

bool command_has_tty(const struct command *cmd);

/*
 * Input is queued; hold it back while there is no room.  False without memory
 * for it: it is lost.
 */
bool command_has_room(const struct command *cmd);
bool command_input(struct command *cmd, const void *data, size_t len);
void command_input_end(struct command *cmd); /* ignored with a pty */

/* While paused no output is given; without, some may be at once. */
void command_pause(struct command *cmd, bool paused);

/* Sets the pty's size; 0 keeps what it is. */
void command_resize(struct command *cmd, struct wire_size size);

/* Sends sig to its process group and the one in its terminal's foreground. */
void command_signal(struct command *cmd, int sig);

/*
 * Sends sig and what makes a stopped process notice it, ends its input, and
 * kills what is left after grace_ms, or of its process group when it has ended.
 */
void command_end(struct command *cmd, int sig, int grace_ms);

/*
 * A child changed its state: looks whether it was this one.  A command on a
 * terminal that stopped goes on: there is no shell that could continue it.
 */
void command_reap(struct command *cmd);

/* Whether it ended and all that it wrote was given out. */
bool command_has_ended(const struct command *cmd, unsigned int *ret_status);

/* The signal that it died of, or 0.  Only of one that has ended. */
int command_end_signal(const struct command *cmd);

#endif /* DRYDOCK_COMMAND_H */
