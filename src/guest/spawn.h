/* SPDX-License-Identifier: MIT */
/*
 * spawn: from a go message to a process, and the signals about it.
 */
#ifndef DRYDOCK_SPAWN_H
#define DRYDOCK_SPAWN_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#define SPAWN_TEXT_SIZE 1024

struct diag;
struct wire_go;

/* Descriptors are non-blocking and belong to the caller. */
struct spawned {
	pid_t pid; /* leads a session and a process group */
	int in_fd; /* its stdin, or the pty */
	int out_fd; /* its stdout, or the pty once more */
	int err_fd; /* its stderr; -1 with a pty */
};

/* What the holder changed for itself and the command gets as it was. */
struct inherited {
	mode_t mask;
	struct rlimit files;
};

/* As the process has them now. */
void inherited_note(struct inherited *own);

/* Why a command does not run.  Allocates nothing: memory may be the reason. */
struct spawn_failure {
	unsigned int status; /* 127: not there, else 126 */
	char text[SPAWN_TEXT_SIZE];
};

/*
 * As command_start(); nothing is left behind on failure.  With add_env the
 * command has our own environment as well, under go's.
 */
int spawn_command(const struct wire_go *go, bool add_env,
    const struct inherited *own, struct spawned *ret_child,
    struct spawn_failure *ret_failure);

/* Says why by errno, unless that is 0; -1. */
int spawn_fail(struct spawn_failure *ret_failure, unsigned int status,
    int errnum, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Executes argv[0], an absolute path, with our descriptors and environment
 * and default signals, but for SIGXFSZ and SIGHUP, which are ignored.
 */
int spawn_child(char *const *argv, const struct inherited *own, pid_t *ret_pid,
    struct diag *dg);

/*
 * Blocks the signals, a list that ends with 0, and returns a descriptor that
 * reads them, or -1.
 */
int signals_watch(const int *signals, struct diag *dg);

#endif /* DRYDOCK_SPAWN_H */
