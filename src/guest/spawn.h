/* SPDX-License-Identifier: MIT */
/*
 * spawn: from a go message to a process, and the signals about it.
 */
#ifndef DRYDOCK_SPAWN_H
#define DRYDOCK_SPAWN_H

#include <sys/resource.h>
#include <sys/types.h>

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

/* As command_start(); nothing is left behind on failure. */
int spawn_command(const struct wire_go *go, const struct inherited *own,
    struct spawned *ret_child, unsigned int *ret_status, struct diag *dg);

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
