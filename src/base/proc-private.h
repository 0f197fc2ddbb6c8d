/* SPDX-License-Identifier: MIT */
/*
 * proc-private: a child under way, for proc.c that starts it and
 * proc-finish.c that brings it home.
 */
#ifndef DRYDOCK_PROC_PRIVATE_H
#define DRYDOCK_PROC_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/strbuf.h"

struct proc_interrupt;

struct proc_stream {
	int fd; /* owned; -1 at its end */
	size_t max;
	struct strbuf data;
};

struct proc {
	pid_t pid; /* also its group; -1 when there is none (any more) */
	int pidfd; /* owned */
	int in; /* owned; -1 when all is written or nobody reads */
	struct proc_stream out;
	struct proc_stream err;
	char *program; /* owned; for messages */
	const char *input; /* borrowed; what is left to write */
	size_t input_left;
	int64_t deadline; /* monotime_ms(), or INT64_MAX */
	bool exited; /* a zombie until it is reaped, which keeps its pid */
	size_t line; /* where the line of stderr that is not whole begins */
	void (*on_line)(void *arg, const char *line, size_t len);
	void *on_line_arg;
	const struct proc_interrupt *interrupt; /* borrowed, or NULL */
};

#endif /* DRYDOCK_PROC_PRIVATE_H */
