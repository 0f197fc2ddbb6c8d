/* SPDX-License-Identifier: MIT */
/* spawn: starts the process that a go message describes. */
#ifndef DRYDOCK_SPAWN_H
#define DRYDOCK_SPAWN_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#define SPAWN_TEXT_SIZE 1024

struct strvec;
struct wire_go;

/* The descriptors are non-blocking and owned by the caller. */
struct spawned {
	pid_t pid; /* leads its session and its process group */
	int in_fd; /* its stdin, or the pty */
	int out_fd; /* its stdout, or a second descriptor of the pty */
	int err_fd; /* its stderr; -1 with a pty */
};

/* Attributes that the holder changes for itself and restores for a command. */
struct inherited {
	mode_t mask;
	struct rlimit files;
};

/* Records the current attributes of the process. */
void inherited_note(struct inherited *own);

/*
 * The reason why a command does not run.  Nothing is allocated: the reason may
 * be a lack of memory.
 */
struct spawn_failure {
	unsigned int status; /* 127: not found, else 126 */
	char text[SPAWN_TEXT_SIZE];
};

/*
 * As command_start(); a failure leaves nothing behind.  With add_env the
 * command also gets the holder's environment, which go's variables override.
 */
int spawn_command(const struct wire_go *go, bool add_env,
    const struct inherited *own, struct spawned *ret_child,
    struct spawn_failure *ret_failure);

/*
 * Corrects NAME=VALUE strings of the caller that the image does not support: a
 * terminal without a terminfo entry becomes xterm-256color, a locale that is
 * not installed becomes C.UTF-8, and a time zone without a file becomes UTC0.
 */
void spawn_correct_env(struct strvec *env);

/* Sets the failure, with strerror(errnum) unless errnum is 0; returns -1. */
int spawn_fail(struct spawn_failure *ret_failure, unsigned int status,
    int errnum, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif /* DRYDOCK_SPAWN_H */
